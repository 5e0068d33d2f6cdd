//! The binary messages of an exec connection without a terminal: one byte that says which stream,
//! then its bytes. With a terminal messages are its bytes alone, and none of this applies.

use bytes::{BufMut as _, Bytes, BytesMut};

const STDIN: u8 = 0;
const STDOUT: u8 = 1;
const STDERR: u8 = 2;
const EXIT: u8 = 3;
const STDIN_END: u8 = 4;

/// One message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Frame {
    /// Input for the process.
    Stdin(Bytes),
    /// Its standard output.
    Stdout(Bytes),
    /// Its standard error.
    Stderr(Bytes),
    /// Its exit code, cut to a byte; nothing follows.
    Exit(u8),
    /// No more input comes.
    StdinEnd,
}

impl Frame {
    /// Reads a message. One that is empty, of an unknown stream or an exit without a code is none.
    pub fn decode(mut message: Bytes) -> Option<Self> {
        if message.is_empty() {
            return None;
        }
        let rest = message.split_off(1);
        match *message.first()? {
            STDIN => Some(Self::Stdin(rest)),
            STDOUT => Some(Self::Stdout(rest)),
            STDERR => Some(Self::Stderr(rest)),
            // One client of old sends and expects four bytes, the last of which is the code.
            EXIT => Some(Self::Exit(*rest.last()?)),
            STDIN_END => Some(Self::StdinEnd),
            _ => None,
        }
    }

    /// Writes a message.
    pub fn encode(&self) -> Bytes {
        let (stream, bytes): (u8, &[u8]) = match self {
            Self::Stdin(bytes) => (STDIN, bytes),
            Self::Stdout(bytes) => (STDOUT, bytes),
            Self::Stderr(bytes) => (STDERR, bytes),
            Self::Exit(code) => (EXIT, std::slice::from_ref(code)),
            Self::StdinEnd => (STDIN_END, &[]),
        };
        let mut message = BytesMut::with_capacity(bytes.len() + 1);
        message.put_u8(stream);
        message.put_slice(bytes);
        message.freeze()
    }
}

#[cfg(test)]
mod tests {
    use super::Frame;
    use bytes::Bytes;
    use proptest::prelude::*;

    fn frames() -> impl Strategy<Value = Frame> {
        let bytes = proptest::collection::vec(any::<u8>(), 0..300).prop_map(Bytes::from);
        (0..5_u8, bytes, any::<u8>()).prop_map(|(kind, bytes, code)| match kind {
            0 => Frame::Stdin(bytes),
            1 => Frame::Stdout(bytes),
            2 => Frame::Stderr(bytes),
            3 => Frame::Exit(code),
            _ => Frame::StdinEnd,
        })
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_back(frame in frames()) {
            prop_assert_eq!(Frame::decode(frame.encode()), Some(frame));
        }

        #[test]
        fn no_message_breaks_the_reader(message in proptest::collection::vec(any::<u8>(), 0..50)) {
            let first = message.first().copied();
            let frame = Frame::decode(message.clone().into());
            let known = first.is_some_and(|byte| byte < 5) && !(first == Some(3) && message.len() == 1);
            prop_assert_eq!(frame.is_some(), known);
        }
    }

    #[test]
    fn frames_are_as_the_protocol_has_them() {
        assert_eq!(Frame::Stdin("a".into()).encode(), b"\0a".as_slice());
        assert_eq!(Frame::Exit(7).encode(), b"\x03\x07".as_slice());
        assert_eq!(Frame::StdinEnd.encode(), b"\x04".as_slice());
        let four = Frame::decode(Bytes::from_static(b"\x03\0\0\0\x07"));
        assert_eq!(four, Some(Frame::Exit(7)));
    }
}
