//! Shows what a write changed, as a unified diff of bounded size.

use similar::TextDiff;
use std::{fmt::Write as _, time::Duration};

const MAX_BYTES: usize = 8 << 10;
/// Beyond this the diff may be coarser than need be.
const PATIENCE: Duration = Duration::from_millis(200);

/// What changed between two versions of a file: whole lines, cut with a note when they are many.
pub(crate) fn between(path: &str, old: &str, new: &str) -> String {
    let diff = TextDiff::configure().timeout(PATIENCE).diff_lines(old, new);
    cut(diff.unified_diff().header(path, path).to_string())
}

fn cut(mut whole: String) -> String {
    if whole.len() <= MAX_BYTES {
        return whole;
    }
    let fits = whole.floor_char_boundary(MAX_BYTES);
    let end = whole
        .get(..fits)
        .and_then(|text| text.rfind('\n'))
        .map_or(fits, |end| end + 1);
    let left = whole.get(end..).map_or(0, |rest| rest.lines().count());
    whole.truncate(end);
    // Writing to a string cannot fail.
    writeln!(whole, "[… {left} more lines of the diff cut here …]").unwrap_or(());
    whole
}
