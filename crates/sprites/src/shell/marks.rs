//! Finds in one stream of a kept shell what belongs to a command: what is between two marks. A mark
//! is a byte, a token and a line; it may come in pieces, and among anything else.

use super::driver::MARK;
use bytes::{Buf as _, Bytes, BytesMut};

/// What follows a token on its line is short.
const LONGEST_LINE: usize = 256;

/// One stream while a command runs.
pub(super) struct Marks {
    begin: Vec<u8>,
    end: Vec<u8>,
    held: BytesMut,
    /// The rest of the line of the first mark, once it came.
    pub(super) began: Option<String>,
    /// The rest of the line of the second.
    pub(super) ended: Option<String>,
}

impl Marks {
    pub(super) fn new(begin: &str, end: &str) -> Self {
        let mark = |token: &str| [&[MARK], token.as_bytes()].concat();
        Self {
            begin: mark(begin),
            end: mark(end),
            held: BytesMut::new(),
            began: None,
            ended: None,
        }
    }

    /// Takes what came and gives what of it the command put out.
    pub(super) fn take(&mut self, bytes: &[u8]) -> Bytes {
        self.held.extend_from_slice(bytes);
        let mut output = BytesMut::new();
        while self.ended.is_none() {
            let mark = if self.began.is_none() {
                &self.begin
            } else {
                &self.end
            };
            match find(&self.held, mark) {
                Found::Whole { at, line, after } => {
                    let before = self.held.split_to(at);
                    let line = self.held.get(mark.len()..line - at).unwrap_or_default();
                    let line = String::from_utf8_lossy(line).trim().to_owned();
                    self.held.advance(after - at);
                    if self.began.is_none() {
                        self.began = Some(line);
                    } else {
                        output.unsplit(before);
                        self.ended = Some(line);
                    }
                }
                Found::Perhaps { at } => {
                    let before = self.held.split_to(at);
                    if self.began.is_some() {
                        output.unsplit(before);
                    }
                    return output.freeze();
                }
            }
        }
        // What comes after the end is from the background.
        self.held.clear();
        output.freeze()
    }

    /// What is left when no mark comes any more.
    pub(super) fn rest(&mut self) -> Bytes {
        let held = self.held.split().freeze();
        match (&self.began, &self.ended) {
            (Some(_), None) => held,
            _ => Bytes::new(),
        }
    }
}

enum Found {
    /// The mark is at `at`, its line ends at `line`, and what follows begins at `after`.
    Whole {
        at: usize,
        line: usize,
        after: usize,
    },
    /// From `at` on there may be one, of which something is missing.
    Perhaps { at: usize },
}

fn find(held: &[u8], mark: &[u8]) -> Found {
    let mut from = 0;
    loop {
        let rest = held.get(from..).unwrap_or_default();
        let Some(next) = rest.iter().position(|byte| *byte == MARK) else {
            return Found::Perhaps { at: held.len() };
        };
        let at = from + next;
        let there = held.get(at..).unwrap_or_default();
        if there.len() < mark.len() {
            if mark.starts_with(there) {
                return Found::Perhaps { at };
            }
        } else if there.starts_with(mark) {
            match there.iter().position(|byte| *byte == b'\n') {
                Some(end) => {
                    let line = at + end;
                    let after = line + 1;
                    return Found::Whole { at, line, after };
                }
                None if there.len() < LONGEST_LINE => return Found::Perhaps { at },
                None => {}
            }
        }
        from = at + 1;
    }
}

#[cfg(test)]
mod tests {
    use super::Marks;
    use proptest::prelude::*;

    const BEGIN: &str = "aa";
    const END: &str = "ab";

    fn taken(stream: &[u8], cuts: &[usize]) -> (Vec<u8>, Marks) {
        let mut marks = Marks::new(BEGIN, END);
        let mut output = Vec::new();
        let mut cuts: Vec<_> = cuts.iter().map(|cut| cut % (stream.len() + 1)).collect();
        cuts.extend([0, stream.len()]);
        cuts.sort_unstable();
        for pair in cuts.windows(2) {
            output.extend(marks.take(&stream[pair[0]..pair[1]]));
        }
        (output, marks)
    }

    proptest! {
        #[test]
        fn output_between_marks_is_found_however_it_is_cut(
            before in "[\u{1e}ab\n x]{0,20}", inside in "[\u{1e}ab\n x]{0,40}",
            after in "[\u{1e}ab\n x]{0,20}",
            cuts in proptest::collection::vec(any::<usize>(), 0..10),
        ) {
            prop_assume!(!before.contains("\u{1e}aa") && !inside.contains("\u{1e}ab"));
            let stream = format!("{before}\u{1e}aa 12 3.4\n{inside}\u{1e}ab 7\n{after}");
            // A beginning that is cut off by the mark itself would be another mark.
            prop_assume!(!format!("{before}\u{1e}a").contains("\u{1e}aa"));
            prop_assume!(!format!("{inside}\u{1e}").contains("\u{1e}ab"));
            let (output, marks) = taken(stream.as_bytes(), &cuts);
            prop_assert_eq!(String::from_utf8(output).unwrap(), inside);
            prop_assert_eq!(marks.began.as_deref(), Some("12 3.4"));
            prop_assert_eq!(marks.ended.as_deref(), Some("7"));
        }

        #[test]
        fn nothing_is_lost_when_the_end_never_comes(
            inside in "[\u{1e}ab\n x]{0,40}",
            cuts in proptest::collection::vec(any::<usize>(), 0..10),
        ) {
            prop_assume!(!inside.contains("\u{1e}ab"));
            let stream = format!("\u{1e}aa 1 2\n{inside}");
            let (mut output, mut marks) = taken(stream.as_bytes(), &cuts);
            output.extend(marks.rest());
            prop_assert_eq!(String::from_utf8(output).unwrap(), inside);
        }
    }
}
