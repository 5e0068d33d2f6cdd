//! The latest output of a process, and how far each of its readers is. Nothing is dropped that a
//! reader has still to get; it knows nothing of waiting.

use bytes::{Bytes, BytesMut};
use ports::sandbox::OutputStream;
use std::collections::{HashMap, VecDeque};

/// How much is kept, in bytes.
const KEPT: usize = 256 << 10;
/// Pieces below this size are joined, so that a byte at a time costs a byte at a time.
const SMALL: usize = 4 << 10;
/// The most pieces, for output that changes its stream with every byte.
const PIECES: usize = 8 << 10;

/// What is kept.
#[derive(Default)]
pub(super) struct Ring {
    pieces: VecDeque<Piece>,
    /// Bytes that ever came.
    end: u64,
    bytes: usize,
    readers: HashMap<u64, u64>,
    last_reader: u64,
}

struct Piece {
    stream: OutputStream,
    bytes: Bytes,
    /// Bytes that had come with it.
    end: u64,
}

impl Ring {
    /// A reader, who begins with the oldest that is kept.
    pub(super) fn enter(&mut self) -> u64 {
        self.last_reader += 1;
        let oldest = self.end - length(self.bytes);
        self.readers.insert(self.last_reader, oldest);
        self.last_reader
    }

    pub(super) fn leave(&mut self, reader: u64) {
        self.readers.remove(&reader);
    }

    pub(super) fn readers(&self) -> usize {
        self.readers.len()
    }

    /// Drops what is too old and has been read by all; whether there is room for so much then.
    pub(super) fn make_room(&mut self, needed: usize) -> bool {
        let read = self.readers.values().min().copied().unwrap_or(self.end);
        while self.bytes + needed > KEPT || self.pieces.len() >= PIECES {
            match self.pieces.front() {
                Some(oldest) if oldest.end <= read => {
                    self.bytes -= oldest.bytes.len();
                    self.pieces.pop_front();
                }
                Some(_) => return false,
                None => break,
            }
        }
        true
    }

    pub(super) fn push(&mut self, stream: OutputStream, bytes: Bytes) {
        self.end += length(bytes.len());
        self.bytes += bytes.len();
        let end = self.end;
        match self.pieces.back_mut() {
            Some(last) if last.stream == stream && last.bytes.len() + bytes.len() <= SMALL => {
                let mut joined = BytesMut::with_capacity(last.bytes.len() + bytes.len());
                joined.extend_from_slice(&last.bytes);
                joined.extend_from_slice(&bytes);
                last.bytes = joined.freeze();
                last.end = end;
            }
            _ => self.pieces.push_back(Piece { stream, bytes, end }),
        }
    }

    /// The next piece for a reader, if there is one.
    pub(super) fn read(&mut self, reader: u64) -> Option<(OutputStream, Bytes)> {
        let position = self.readers.get_mut(&reader)?;
        let next = self.pieces.partition_point(|piece| piece.end <= *position);
        let piece = self.pieces.get(next)?;
        let left = usize::try_from(piece.end - *position).unwrap_or(usize::MAX);
        *position = piece.end;
        let read = piece.bytes.len().saturating_sub(left);
        Some((piece.stream, piece.bytes.slice(read..)))
    }

    /// The last so many bytes, of both streams as they came.
    pub(super) fn last(&self, limit: usize) -> Bytes {
        let mut all = BytesMut::with_capacity(self.bytes);
        for piece in &self.pieces {
            all.extend_from_slice(&piece.bytes);
        }
        let from = all.len().saturating_sub(limit);
        all.freeze().slice(from..)
    }
}

fn length(bytes: usize) -> u64 {
    u64::try_from(bytes).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use OutputStream::{Stderr, Stdout};

    fn all(ring: &mut Ring, reader: u64) -> Vec<(OutputStream, Bytes)> {
        std::iter::from_fn(|| ring.read(reader)).collect()
    }

    #[test]
    fn readers_get_what_is_kept_and_then_what_comes_once() {
        let mut ring = Ring::default();
        ring.push(Stdout, "a".into());
        let early = ring.enter();
        assert_eq!(all(&mut ring, early), [(Stdout, "a".into())]);
        ring.push(Stdout, "b".into());
        ring.push(Stderr, "c".into());
        let late = ring.enter();
        assert_eq!(
            all(&mut ring, early),
            [(Stdout, "b".into()), (Stderr, "c".into())]
        );
        assert_eq!(
            all(&mut ring, late),
            [(Stdout, "ab".into()), (Stderr, "c".into())]
        );
        assert_eq!(ring.last(2), "bc");
    }

    #[test]
    fn nothing_a_reader_has_to_get_is_dropped() {
        let mut ring = Ring::default();
        let reader = ring.enter();
        let piece = Bytes::from(vec![b'x'; 64 << 10]);
        let mut pushed = 0;
        while ring.make_room(piece.len()) {
            ring.push(Stdout, piece.clone());
            pushed += 1;
        }
        assert_eq!(pushed, KEPT / piece.len());
        ring.read(reader).unwrap();
        assert!(ring.make_room(piece.len()) && !ring.make_room(2 * piece.len()));
        ring.leave(reader);
        assert!(ring.make_room(2 * piece.len()));
    }

    #[test]
    fn single_bytes_are_kept_as_bytes() {
        let mut ring = Ring::default();
        for _ in 0..2 * KEPT {
            assert!(ring.make_room(1));
            ring.push(Stdout, "x".into());
        }
        assert!(ring.pieces.len() <= KEPT / SMALL + 1);
        assert_eq!(ring.last(64 << 10).len(), 64 << 10);
    }
}
