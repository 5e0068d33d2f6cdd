//! The words that server and supervisor exchange. Both ends come from the same build, so there is
//! no versioning; but the supervisor's side is inside the sandbox, so the server trusts no length,
//! id or content it receives.
//!
//! A frame is a length, a kind, a request id and a payload. A request is one [`Kind::Request`]
//! frame (JSON) and its body; the answer is any number of data frames and one [`Kind::End`]
//! (JSON). Data is only sent against credit, which the reader grants as it consumes. Some requests
//! take input while they are open; that too is sent against credit, and there is none until the
//! first [`Kind::Grant`] says that the request is under way.

use bytes::{Buf as _, BufMut as _, Bytes};
use domain::{id::SpriteSessionId, sprite::SandboxTier};
use ports::sandbox::{DirectoryEntry, EntryKind, Exit, SandboxError};
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use std::{io, path::PathBuf, time::SystemTime};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};

/// The largest payload of a frame, in bytes.
pub(crate) const MAX_PAYLOAD: usize = 1 << 20;
/// How much data is put into one frame.
pub(crate) const CHUNK: usize = 64 << 10;
/// How much data of one request may be on its way, in bytes.
pub(crate) const WINDOW: usize = 512 << 10;
const HEADER: usize = 9;

/// What a frame is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Server: an [`Envelope`].
    Request = 1,
    /// Server: a piece of the request's body.
    Body = 2,
    /// Server: so many more bytes of data may be sent (u32, little endian).
    Credit = 3,
    /// Server: nobody waits for the answer any more.
    Cancel = 4,
    /// Supervisor: standard output, or the data a request asked for.
    Stdout = 5,
    /// Supervisor: standard error.
    Stderr = 6,
    /// Supervisor: an [`Answer`]; nothing follows.
    End = 7,
    /// Server: input for an open request.
    Input = 8,
    /// Server: there is no more input.
    Finish = 9,
    /// Server: a [`crate::processes::wire::Control`] for an open request.
    Control = 10,
    /// Supervisor: so many more bytes of input may be sent (u32, little endian).
    Grant = 11,
}

impl Kind {
    fn parse(byte: u8) -> Option<Self> {
        [
            Self::Request,
            Self::Body,
            Self::Credit,
            Self::Cancel,
            Self::Stdout,
            Self::Stderr,
            Self::End,
            Self::Input,
            Self::Finish,
            Self::Control,
            Self::Grant,
        ]
        .into_iter()
        .find(|kind| *kind as u8 == byte)
    }
}

/// One frame.
#[derive(Clone, Debug)]
pub(crate) struct Frame {
    pub(crate) kind: Kind,
    pub(crate) id: u32,
    pub(crate) payload: Bytes,
}

impl Frame {
    pub(crate) fn new(kind: Kind, id: u32, payload: impl Into<Bytes>) -> Self {
        let payload = payload.into();
        Self { kind, id, payload }
    }

    /// A frame that holds JSON.
    pub(crate) fn json(kind: Kind, id: u32, value: &impl Serialize) -> io::Result<Self> {
        Ok(Self::new(kind, id, serde_json::to_vec(value)?))
    }

    /// The JSON this frame holds.
    pub(crate) fn parse<T: DeserializeOwned>(&self) -> io::Result<T> {
        Ok(serde_json::from_slice(&self.payload)?)
    }

    /// The next frame; `None` when the other side closed.
    pub(crate) async fn read(from: &mut (impl AsyncRead + Unpin)) -> io::Result<Option<Self>> {
        let mut header = [0; HEADER];
        match from.read_exact(&mut header).await {
            Ok(_) => {}
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Ok(None),
            Err(error) => return Err(error),
        }
        let (length, kind, id) = parse_header(header)?;
        let mut payload = vec![0; length];
        from.read_exact(&mut payload).await?;
        Ok(Some(Self::new(kind, id, payload)))
    }

    /// The same without a runtime, for the first frame.
    pub(crate) fn read_blocking(mut from: impl io::Read) -> io::Result<Self> {
        let mut header = [0; HEADER];
        from.read_exact(&mut header)?;
        let (length, kind, id) = parse_header(header)?;
        let mut payload = vec![0; length];
        from.read_exact(&mut payload)?;
        Ok(Self::new(kind, id, payload))
    }

    /// Writes it; the caller flushes.
    pub(crate) async fn write(&self, to: &mut (impl AsyncWrite + Unpin)) -> io::Result<()> {
        to.write_all(&self.header()?).await?;
        to.write_all(&self.payload).await
    }

    /// The same without a runtime, for the first answer.
    pub(crate) fn write_blocking(&self, mut to: impl io::Write) -> io::Result<()> {
        to.write_all(&self.header()?)?;
        to.write_all(&self.payload)
    }

    fn header(&self) -> io::Result<[u8; HEADER]> {
        if self.payload.len() > MAX_PAYLOAD {
            return Err(oversized(self.payload.len()));
        }
        let length = u32::try_from(self.payload.len()).map_err(io::Error::other)?;
        let mut header = [0; HEADER];
        let mut rest = header.as_mut_slice();
        rest.put_u32_le(length);
        rest.put_u8(self.kind as u8);
        rest.put_u32_le(self.id);
        Ok(header)
    }
}

fn parse_header(header: [u8; HEADER]) -> io::Result<(usize, Kind, u32)> {
    let mut rest = header.as_slice();
    let length = usize::try_from(rest.get_u32_le()).map_err(io::Error::other)?;
    if length > MAX_PAYLOAD {
        return Err(oversized(length));
    }
    let kind = Kind::parse(rest.get_u8());
    let kind = kind.ok_or_else(|| io::Error::other("unknown frame kind"))?;
    Ok((length, kind, rest.get_u32_le()))
}

fn oversized(length: usize) -> io::Error {
    io::Error::other(format!("a frame of {length} bytes is over the limit"))
}

/// The first frame: what the supervisor is to become.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Hello {
    pub(crate) tier: SandboxTier,
    /// The home directory as commands see it.
    pub(crate) home: PathBuf,
    /// Where temporary files go.
    pub(crate) tmp: PathBuf,
    /// The user to become, when the supervisor starts as root and is to drop that.
    pub(crate) run_as: Option<u32>,
    /// The most processes of its user, where that user is the sandbox's alone.
    pub(crate) processes: Option<u64>,
}

/// A request and the size of its body.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Envelope {
    pub(crate) request: Request,
    pub(crate) body: usize,
}

/// What the server asks for.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) enum Request {
    /// Run the body in a shell.
    Exec {
        shell: SpriteSessionId,
        timeout_ms: u64,
    },
    CloseShell {
        shell: SpriteSessionId,
    },
    Read {
        path: String,
        limit: u64,
    },
    /// Write the body.
    Write {
        path: String,
    },
    List {
        path: String,
    },
    MakeDirectory {
        path: String,
    },
    Glob {
        root: String,
        pattern: String,
        limit: usize,
    },
    Grep {
        pattern: String,
        path: String,
        glob: Option<String>,
        ignore_case: bool,
        limit: usize,
    },
    /// Say what is at a path.
    Stat {
        path: String,
    },
    /// Change what a directory holds. Long work sends empty data now and then.
    Change(Change),
    /// Files may grow, or, for a reason, may not: what is started then cannot write. What runs
    /// already is killed when that is asked for.
    Growth {
        stopped: Option<String>,
        kill: bool,
    },
    /// Try to break out, and say what worked.
    Attempts(Canaries),
    /// Start the process that the body describes, a [`crate::processes::wire::Start`], which may be
    /// longer than a frame. Takes input.
    Start,
    /// Connect to a TCP port of the sandbox and pass bytes both ways. Takes input; an empty piece of
    /// data says that the port sends no more.
    Connect {
        port: u16,
    },
    /// List the TCP ports that are listened on.
    Listening,
}

/// A change to what directories hold.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) enum Change {
    Remove {
        path: String,
        recursive: bool,
    },
    Rename {
        from: String,
        to: String,
    },
    Copy {
        from: String,
        to: String,
        recursive: bool,
    },
    Chmod {
        path: String,
        mode: u32,
        recursive: bool,
    },
}

/// Things outside the sandbox that it must not reach.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Canaries {
    /// A file that anyone may read.
    pub(crate) file: PathBuf,
    /// A listening Unix socket.
    pub(crate) socket: PathBuf,
    /// Whether the egress proxy must be there.
    pub(crate) proxied: bool,
    /// A loopback port that listens on TCP.
    pub(crate) tcp: u16,
    /// A loopback port that is bound on UDP.
    pub(crate) udp: u16,
    /// The server.
    pub(crate) server: i32,
}

/// How a request ended.
pub(crate) type Answer = Result<Reply, Failure>;

/// A good end.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) enum Reply {
    Done,
    Exec {
        exit: WireExit,
        shell_reset: bool,
    },
    Entry(WireEntry),
    /// The data frames hold a JSON list; whether it was cut.
    List {
        truncated: bool,
    },
    /// The attempts that were not refused.
    Attempts(Vec<String>),
    /// How a process ended.
    Ended(WireExit),
}

/// A bad end.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) enum Failure {
    NotFound(String),
    Refused(String),
    Exhausted(String),
    Lost(String),
}

impl From<Failure> for SandboxError {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::NotFound(path) => Self::NotFound { path },
            Failure::Refused(text) => Self::Refused(text),
            Failure::Exhausted(message) => Self::Exhausted {
                message,
                retry_after: None,
            },
            Failure::Lost(text) => Self::Lost(text),
        }
    }
}

/// [`Exit`] on the wire.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum WireExit {
    Code(i32),
    Signal(i32),
    TimedOut,
}

impl From<WireExit> for Exit {
    fn from(exit: WireExit) -> Self {
        match exit {
            WireExit::Code(code) => Self::Code(code),
            WireExit::Signal(signal) => Self::Signal(signal),
            WireExit::TimedOut => Self::TimedOut,
        }
    }
}

/// [`ports::sandbox::DirectoryEntry`] on the wire.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct WireEntry {
    pub(crate) name: String,
    pub(crate) kind: WireKind,
    pub(crate) bytes: u64,
    pub(crate) mode: u32,
    pub(crate) modified_at: SystemTime,
}

impl From<WireEntry> for DirectoryEntry {
    fn from(entry: WireEntry) -> Self {
        Self {
            name: entry.name,
            kind: entry.kind.into(),
            bytes: entry.bytes,
            mode: entry.mode,
            modified_at: entry.modified_at.into(),
        }
    }
}

/// [`EntryKind`] on the wire.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub(crate) enum WireKind {
    File,
    Directory,
    Symlink,
    Other,
}

impl From<WireKind> for EntryKind {
    fn from(kind: WireKind) -> Self {
        match kind {
            WireKind::File => Self::File,
            WireKind::Directory => Self::Directory,
            WireKind::Symlink => Self::Symlink,
            WireKind::Other => Self::Other,
        }
    }
}

/// [`ports::sandbox::GrepMatch`] on the wire.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct WireMatch {
    pub(crate) path: String,
    pub(crate) line: u64,
    pub(crate) text: String,
}
