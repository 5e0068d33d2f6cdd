//! What of a process's output was handed on, so that after a cut it goes on exactly there.
//!
//! A server of our own says how many bytes each stream's replay leaves out, and that decides. Other
//! servers replay from the beginning as long as they keep it all; so their replay must begin with
//! what was handed on, which is compared as far as it is remembered (64 KiB per stream) and counted
//! beyond. Anything else means that output is missing, and that is said, never papered over.

use crate::wire::exec::Replay;
use bytes::{Bytes, BytesMut};
use ports::sandbox::OutputStream;

/// So much of the beginning is compared; servers keep at least that.
const REMEMBERED: usize = 64 << 10;

/// Output is missing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("some output was dropped while the connection to the process was broken")]
pub(crate) struct Gap;

/// Both streams of a process.
#[derive(Debug, Default)]
pub(crate) struct Delivered {
    stdout: Track,
    stderr: Track,
}

#[derive(Debug, Default)]
struct Track {
    count: u64,
    beginning: BytesMut,
    known: Known,
}

/// What of the bytes to come was handed on before.
#[derive(Debug, Default)]
enum Known {
    /// Nothing.
    #[default]
    New,
    /// So many.
    Next(u64),
    /// Those up to the count, if they are the same; so many were compared.
    Same(u64),
}

impl Delivered {
    /// Begins with the replay of a connection that was made anew.
    pub(crate) fn again(&mut self, replay: Option<Replay>) -> Result<(), Gap> {
        let Some(replay) = replay else {
            self.stdout.known = Known::Same(0);
            self.stderr.known = Known::Same(0);
            return Ok(());
        };
        self.stdout
            .again(replay.stdout_dropped, replay.stdout_bytes)?;
        self.stderr
            .again(replay.stderr_dropped, replay.stderr_bytes)
    }

    /// At the end: whether all that was handed on before did come again.
    pub(crate) fn complete(&self) -> Result<(), Gap> {
        let complete = self.stdout.known() == 0 && self.stderr.known() == 0;
        complete.then_some(()).ok_or(Gap)
    }

    /// Takes what came and gives what of it is new.
    pub(crate) fn take(&mut self, stream: OutputStream, bytes: Bytes) -> Result<Bytes, Gap> {
        match stream {
            OutputStream::Stdout => self.stdout.take(bytes),
            OutputStream::Stderr => self.stderr.take(bytes),
        }
    }
}

impl Track {
    fn again(&mut self, dropped: u64, bytes: u64) -> Result<(), Gap> {
        let known = self.count.checked_sub(dropped).ok_or(Gap)?;
        if known > bytes {
            return Err(Gap);
        }
        self.known = Known::Next(known);
        Ok(())
    }

    /// How many of the bytes to come were handed on before.
    fn known(&self) -> u64 {
        match self.known {
            Known::New => 0,
            Known::Next(left) => left,
            Known::Same(at) => self.count - at,
        }
    }

    fn take(&mut self, mut bytes: Bytes) -> Result<Bytes, Gap> {
        let known = self.known();
        let length = u64::try_from(bytes.len()).unwrap_or(u64::MAX);
        let seen = bytes.split_to(usize::try_from(known.min(length)).unwrap_or(bytes.len()));
        let left = known.saturating_sub(length);
        if let Known::Same(at) = self.known {
            let beginning = self.beginning.iter();
            let expected = beginning.skip(usize::try_from(at).unwrap_or(usize::MAX));
            if expected.zip(&seen).any(|(expected, came)| expected != came) {
                return Err(Gap);
            }
            self.known = Known::Same(self.count - left);
        } else {
            self.known = Known::Next(left);
        }
        if left == 0 {
            self.known = Known::New;
        }
        self.remember(&bytes);
        Ok(bytes)
    }

    fn remember(&mut self, bytes: &[u8]) {
        let room = REMEMBERED - self.beginning.len();
        self.beginning.extend(bytes.iter().take(room));
        self.count += u64::try_from(bytes.len()).unwrap_or(u64::MAX);
    }
}

#[cfg(test)]
mod tests {
    use super::{Delivered, Gap};
    use crate::wire::exec::Replay;
    use bytes::Bytes;
    use ports::sandbox::OutputStream::{Stderr, Stdout};
    use proptest::prelude::*;

    fn take(delivered: &mut Delivered, bytes: &[u8], into: &mut Vec<u8>) -> Result<(), Gap> {
        into.extend(delivered.take(Stdout, Bytes::copy_from_slice(bytes))?);
        Ok(())
    }

    /// Hands `stream[from..to]` over in pieces.
    fn feed(
        delivered: &mut Delivered,
        stream: &[u8],
        piece: usize,
        into: &mut Vec<u8>,
    ) -> Result<(), Gap> {
        stream
            .chunks(piece)
            .try_for_each(|bytes| take(delivered, bytes, into))
    }

    fn streams() -> impl Strategy<Value = (Vec<u8>, Vec<usize>, usize)> {
        let bytes = proptest::collection::vec(0..4_u8, 0..2000);
        let cuts = proptest::collection::vec(0..2000_usize, 0..5);
        (bytes, cuts, 1..300_usize)
    }

    proptest! {
        #[test]
        fn a_replay_from_the_beginning_is_joined((stream, cuts, piece) in streams()) {
            let mut delivered = Delivered::default();
            let mut got = Vec::new();
            for cut in cuts {
                feed(&mut delivered, &stream[..cut.min(stream.len())], piece, &mut got).unwrap();
                delivered.again(None).unwrap();
            }
            feed(&mut delivered, &stream, piece, &mut got).unwrap();
            prop_assert_eq!(got, stream);
        }

        #[test]
        fn a_replay_that_says_where_it_begins_is_joined_or_refused(
            (stream, cuts, piece) in streams(), kept in 0..2500_usize,
        ) {
            let mut delivered = Delivered::default();
            let mut got = Vec::new();
            let mut begin = 0;
            for cut in cuts {
                let end = cut.clamp(begin, stream.len().max(begin));
                feed(&mut delivered, &stream[begin..end], piece, &mut got).unwrap();
                // Half of what comes while the connection is broken is in the replay.
                let reached = got.len() + (stream.len() - got.len()) / 2;
                begin = reached.saturating_sub(kept);
                let replay = Replay {
                    stdout_dropped: begin as u64,
                    stdout_bytes: (reached - begin) as u64,
                    ..Replay::default()
                };
                let joined = delivered.again(Some(replay));
                prop_assert_eq!(joined.is_err(), begin > got.len());
                if joined.is_err() {
                    return Ok(());
                }
            }
            feed(&mut delivered, &stream[begin..], piece, &mut got).unwrap();
            prop_assert_eq!(got, stream);
        }
    }

    #[test]
    fn a_replay_that_lacks_the_beginning_is_refused() {
        let mut delivered = Delivered::default();
        let mut got = Vec::new();
        take(&mut delivered, b"one two", &mut got).unwrap();
        delivered.again(None).unwrap();
        assert_eq!(delivered.complete(), Err(Gap));
        assert_eq!(take(&mut delivered, b"two three", &mut got), Err(Gap));
    }

    #[test]
    fn streams_are_counted_apart() {
        let mut delivered = Delivered::default();
        let bytes = || Bytes::from_static(b"abc");
        delivered.take(Stdout, bytes()).unwrap();
        delivered.again(None).unwrap();
        assert_eq!(delivered.take(Stderr, bytes()).unwrap(), "abc");
        assert_eq!(delivered.take(Stdout, bytes()).unwrap(), "");
    }
}
