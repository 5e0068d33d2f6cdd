//! Finding files by name and by content, as a person's editor would: `.gitignore` is honoured,
//! hidden files are seen, the insides of `.git` are not. The service has no request for it, so one
//! program lists what there is and another hands over the files that may match; what counts is
//! decided here, so that every backend finds the same.

mod contents;
mod ignored;
mod lines;
mod needle;
mod tree;

use crate::sprite::Place;
use globset::{GlobBuilder, GlobMatcher};
use lines::Search;
use ports::sandbox::{Found, GrepMatch, GrepRequest, SandboxError};
use std::path::Path;
use tree::{Kind, Start};

/// Paths below `root` that match.
pub(crate) async fn glob(
    place: &Place,
    root: &str,
    pattern: &str,
    limit: usize,
) -> Result<Found<String>, SandboxError> {
    let matcher = matcher(pattern)?;
    let Start::Directory(tree) = tree::list(place, root).await? else {
        return Err(SandboxError::Refused(format!("{root}: not a directory")));
    };
    let mut items = Vec::new();
    for entry in tree.seen() {
        if !matcher.is_match(&entry.below) {
            continue;
        }
        if items.len() >= limit {
            let truncated = true;
            return Ok(Found { items, truncated });
        }
        let slash = if entry.kind == Kind::Directory {
            "/"
        } else {
            ""
        };
        items.push(format!("{}{slash}", shown(root, &entry.below)));
    }
    let truncated = false;
    Ok(Found { items, truncated })
}

/// Lines that match.
pub(crate) async fn grep(
    place: &Place,
    request: GrepRequest,
) -> Result<Found<GrepMatch>, SandboxError> {
    let search = Search::new(&request)?;
    let glob = request.glob.as_deref().map(matcher).transpose()?;
    let root = request.path.clone();
    let (base, files) = match tree::list(place, &root).await? {
        Start::File { folder, name } => (folder, vec![name.into()]),
        Start::Directory(tree) => {
            let wanted = tree.seen().into_iter().filter(|entry| {
                let named = glob.as_ref().is_none_or(|glob| glob.is_match(&entry.below));
                named && entry.kind == Kind::File
            });
            let files = wanted.map(|entry| entry.below.clone()).collect();
            return contents::search(place, &tree.base, files, search, move |below| {
                shown(&root, below)
            })
            .await;
        }
    };
    contents::search(place, &base, files, search, move |_| root.clone()).await
}

fn matcher(pattern: &str) -> Result<GlobMatcher, SandboxError> {
    let glob = GlobBuilder::new(pattern.trim_start_matches("./"))
        .literal_separator(true)
        .build()
        .map_err(|error| SandboxError::Refused(format!("bad glob: {error}")))?;
    Ok(glob.compile_matcher())
}

/// A path as the caller would write it.
fn shown(root: &str, below: &Path) -> String {
    let below = below.to_string_lossy();
    match root.trim_end_matches('/').trim_start_matches("./") {
        "" if root.starts_with('/') => format!("/{below}"),
        "" | "." => below.into_owned(),
        root => format!("{root}/{below}"),
    }
}

#[cfg(test)]
mod tests {
    use super::shown;
    use std::path::Path;

    #[test]
    fn paths_are_shown_as_the_caller_would_write_them() {
        for (root, path) in [
            ("", "a/b"),
            (".", "a/b"),
            ("./src/", "src/a/b"),
            ("/", "/a/b"),
            ("/etc", "/etc/a/b"),
            ("~/x", "~/x/a/b"),
        ] {
            assert_eq!(shown(root, Path::new("a/b")), path, "{root}");
        }
    }
}
