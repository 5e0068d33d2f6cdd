//! Keeps the beginning and the end of an output that may be endless, and knows exactly what it
//! left out. Memory stays within the limit however much comes.

use std::collections::VecDeque;

/// Bytes kept of the beginning, and as many of the end.
const SIDE: usize = 8 << 10;

/// An output, within limits.
#[derive(Debug, Default)]
pub(crate) struct Output {
    head: Vec<u8>,
    tail: VecDeque<u8>,
    dropped_bytes: u64,
    dropped_lines: u64,
}

/// What is shown of an output.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Shown {
    /// Invalid UTF-8 is replaced.
    pub(crate) text: String,
    /// Bytes that came.
    pub(crate) bytes: u64,
    /// Bytes that are not in the text.
    pub(crate) cut_bytes: u64,
}

impl Output {
    /// Takes the next piece.
    pub(crate) fn push(&mut self, mut bytes: &[u8]) {
        if let Some((head, rest)) = bytes.split_at_checked(SIDE.saturating_sub(self.head.len())) {
            self.head.extend_from_slice(head);
            bytes = rest;
        } else {
            self.head.extend_from_slice(bytes);
            return;
        }
        if let Some((passed, rest)) = bytes
            .len()
            .checked_sub(SIDE)
            .and_then(|over| bytes.split_at_checked(over))
        {
            self.drop_tail(self.tail.len());
            self.count_dropped(passed.iter());
            bytes = rest;
        }
        self.drop_tail((self.tail.len() + bytes.len()).saturating_sub(SIDE));
        self.tail.extend(bytes);
    }

    /// The text for the model.
    pub(crate) fn shown(mut self) -> Shown {
        let kept = |head: &[u8], tail: &VecDeque<u8>| {
            u64::try_from(head.len() + tail.len()).unwrap_or(u64::MAX)
        };
        let bytes = kept(&self.head, &self.tail) + self.dropped_bytes;
        if self.dropped_bytes == 0 {
            self.head.extend(self.tail);
            let text = String::from_utf8_lossy(&self.head).into_owned();
            return Shown {
                text,
                bytes,
                cut_bytes: 0,
            };
        }
        self.trim_to_lines();
        let cut_bytes = bytes - kept(&self.head, &self.tail);
        let (head, tail) = (
            String::from_utf8_lossy(&self.head),
            self.tail.make_contiguous(),
        );
        let lines = self.dropped_lines;
        let gap = if head.ends_with('\n') || head.is_empty() {
            ""
        } else {
            "\n"
        };
        let text = format!(
            "{head}{gap}[… {cut_bytes} bytes ({lines} line ends) cut here …]\n{}",
            String::from_utf8_lossy(tail)
        );
        Shown {
            text,
            bytes,
            cut_bytes,
        }
    }

    /// Cuts between lines where that costs at most half of a side.
    fn trim_to_lines(&mut self) {
        let end = self.head.iter().rposition(|byte| *byte == b'\n');
        if let Some(end) = end.filter(|end| *end >= SIDE / 2) {
            // What is behind the last line end holds none.
            self.head.truncate(end + 1);
        }
        let start = self.tail.iter().position(|byte| *byte == b'\n');
        if let Some(start) = start.filter(|start| *start < SIDE / 2) {
            self.drop_tail(start + 1);
        }
    }

    fn drop_tail(&mut self, count: usize) {
        let dropped: Vec<u8> = self.tail.drain(..count).collect();
        self.count_dropped(dropped.iter());
    }

    fn count_dropped<'a>(&mut self, bytes: impl ExactSizeIterator<Item = &'a u8>) {
        self.dropped_bytes += u64::try_from(bytes.len()).unwrap_or(u64::MAX);
        let lines = bytes.filter(|byte| **byte == b'\n').count();
        self.dropped_lines += u64::try_from(lines).unwrap_or(u64::MAX);
    }
}

#[cfg(test)]
mod tests {
    use super::{Output, SIDE};
    use proptest::prelude::*;

    fn shown(pieces: &[Vec<u8>]) -> super::Shown {
        let mut output = Output::default();
        for piece in pieces {
            output.push(piece);
        }
        output.shown()
    }

    #[test]
    fn the_middle_of_many_lines_is_cut() {
        let lines: Vec<String> = (0..10_000).map(|line| format!("line {line}\n")).collect();
        let lines = lines.concat();
        let shown = shown(&[lines.clone().into_bytes()]);
        let (head, rest) = shown.text.split_once("[… ").unwrap();
        let (note, tail) = rest.split_once(" …]\n").unwrap();
        assert!(lines.starts_with(head) && lines.ends_with(tail));
        assert!(head.ends_with('\n') && tail.starts_with("line "));
        let cut = &lines[head.len()..lines.len() - tail.len()];
        assert_eq!(
            note,
            format!(
                "{} bytes ({} line ends) cut here",
                cut.len(),
                cut.lines().count()
            )
        );
        assert_eq!(
            (shown.bytes, shown.cut_bytes),
            (lines.len() as u64, cut.len() as u64)
        );
    }

    #[test]
    fn one_endless_line_is_cut_too() {
        let shown = shown(&[vec![b'x'; 1 << 20], b"end".to_vec()]);
        assert!(shown.text.ends_with("xend"));
        assert_eq!(shown.cut_bytes, (1 << 20) + 3 - 2 * SIDE as u64);
    }

    /// So many bytes, with a line end wherever the length of a line is full.
    fn of_lines((length, line): (usize, usize)) -> Vec<u8> {
        let byte = |at| if at % line == 0 { b'\n' } else { b'a' };
        (1..=length).map(byte).collect()
    }

    /// What is shown and said to be cut is what came, to the byte. The head's length follows from the
    /// other two: a head that ends no line is followed by a line end of ours, which may look like the
    /// first byte that was cut.
    #[track_caller]
    fn adds_up(pieces: &[Vec<u8>]) {
        let all = String::from_utf8(pieces.concat()).unwrap();
        let shown = shown(pieces);
        assert_eq!(shown.bytes, all.len() as u64);
        let cut_bytes = usize::try_from(shown.cut_bytes).unwrap();
        let Some((before, rest)) = shown.text.split_once("[… ") else {
            assert_eq!((shown.text, cut_bytes), (all, 0));
            return;
        };
        let (note, tail) = rest.split_once(" …]\n").unwrap();
        let (head, rest) = all.split_at(all.len() - cut_bytes - tail.len());
        let (cut, end) = rest.split_at(cut_bytes);
        let gap = if head.is_empty() || head.ends_with('\n') {
            ""
        } else {
            "\n"
        };
        assert_eq!(before, format!("{head}{gap}"));
        assert_eq!(tail, end);
        let lines = cut.matches('\n').count();
        assert_eq!(
            note,
            format!("{cut_bytes} bytes ({lines} line ends) cut here")
        );
    }

    #[test]
    fn a_line_end_that_is_cut_first_is_not_taken_for_the_one_before_the_note() {
        let pieces = [(4960, 4961), (6408, 3233), (5017, 1)].map(of_lines);
        let all = pieces.concat();
        assert_eq!((all[SIDE - 1], all[SIDE]), (b'a', b'\n'));
        adds_up(&pieces);
    }

    proptest! {
        #[test]
        fn small_outputs_are_whole(pieces in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..3000), 0..6)) {
            let all = pieces.concat();
            prop_assume!(all.len() <= 2 * SIDE);
            prop_assert_eq!(shown(&pieces).text, String::from_utf8_lossy(&all).into_owned());
        }

        #[test]
        fn the_counts_always_add_up(pieces in prop::collection::vec((0..9000_usize, 1..12_000_usize), 0..9)) {
            let pieces: Vec<Vec<u8>> = pieces.into_iter().map(of_lines).collect();
            adds_up(&pieces);
        }
    }
}
