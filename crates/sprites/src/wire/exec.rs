//! Processes: the query that starts one, the text messages of its connection, the list of sessions
//! and the end of one. The bytes of a connection are in [`super::frame`].

pub use super::query::{BadParameter, ExecQuery};

use super::lenient;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

/// A text message from the server of an exec connection.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum ServerMessage {
    /// The first message of every connection.
    SessionInfo(SessionInfo),
    /// The end of the process.
    Exit(ExitMessage),
    /// Something began to listen on a port.
    PortOpened(super::network::Port),
    /// And ended.
    PortClosed(super::network::Port),
    /// Something went wrong.
    Error {
        /// What, in words.
        #[serde(default, alias = "error", alias = "msg")]
        message: String,
    },
    /// Nothing; clients that hear nothing for too long give up.
    Keepalive,
    /// A kind this version does not know.
    #[serde(other)]
    Unknown,
}

/// Whose connection it is.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SessionInfo {
    /// The session.
    #[serde(deserialize_with = "lenient::id")]
    pub session_id: String,
    /// The arguments, joined by spaces.
    #[serde(default)]
    pub command: String,
    /// When it was started, in Unix seconds.
    #[serde(default, deserialize_with = "lenient::seconds")]
    pub created: i64,
    /// Characters of a line of its terminal.
    #[serde(default)]
    pub cols: u16,
    /// Lines.
    #[serde(default)]
    pub rows: u16,
    /// Whether this connection started it.
    #[serde(default)]
    pub is_owner: bool,
    /// Whether it has a terminal; messages are not framed then.
    #[serde(default)]
    pub tty: bool,
    /// *Extension.* The arguments one by one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub arguments: Option<Vec<String>>,
    /// *Extension.* Where it was started.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub workdir: Option<String>,
    /// *Extension.* What of earlier output comes again on this connection.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub replay: Option<Replay>,
}

/// *Extension.* The part of earlier output that comes again: per stream, how many bytes came before
/// it and are kept no longer, and how many it has. A terminal has standard output alone.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Replay {
    /// Bytes of standard output that are gone.
    pub stdout_dropped: u64,
    /// Bytes of standard output that come.
    pub stdout_bytes: u64,
    /// Bytes of standard error that are gone.
    pub stderr_dropped: u64,
    /// Bytes of standard error that come.
    pub stderr_bytes: u64,
}

/// The end of a process.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct ExitMessage {
    /// Its code; 128 and its number for a signal.
    pub exit_code: i32,
    /// The same, for clients that look here.
    pub code: i32,
    /// *Extension.* The signal it ended by; zero for none, so that a code above 128 is a code.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub signal: Option<i32>,
}

impl<'de> Deserialize<'de> for ExitMessage {
    fn deserialize<D: serde::Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        struct Either {
            exit_code: Option<i32>,
            code: Option<i32>,
            signal: Option<i32>,
        }
        let either = Either::deserialize(from)?;
        let code = either.exit_code.or(either.code);
        let code = code.ok_or_else(|| serde::de::Error::missing_field("exit_code"))?;
        Ok(Self {
            exit_code: code,
            code,
            signal: either.signal,
        })
    }
}

/// A text message from the client of an exec connection.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum ClientMessage {
    /// The terminal has another size.
    Resize {
        /// Characters of a line.
        cols: u16,
        /// Lines.
        rows: u16,
    },
    /// A signal for the process group.
    Signal {
        /// Its name, with or without `SIG`.
        signal: String,
    },
    /// A kind this version does not know.
    #[serde(other)]
    Unknown,
}

/// `GET /v1/sprites/{name}/exec` without an upgrade.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct SessionList {
    /// How many.
    pub count: usize,
    /// They.
    pub sessions: Vec<Session>,
}

impl<'de> Deserialize<'de> for SessionList {
    fn deserialize<D: serde::Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(untagged)]
        enum Either {
            Bare(Vec<Session>),
            Wrapped {
                #[serde(default, deserialize_with = "lenient::or_default")]
                sessions: Vec<Session>,
            },
        }
        let (Either::Bare(sessions) | Either::Wrapped { sessions }) = Either::deserialize(from)?;
        let count = sessions.len();
        Ok(Self { count, sessions })
    }
}

/// A session.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Session {
    /// Its id.
    #[serde(deserialize_with = "lenient::id")]
    pub id: String,
    /// When it was started.
    #[serde(
        default,
        deserialize_with = "lenient::time",
        skip_serializing_if = "Option::is_none"
    )]
    pub created: Option<DateTime<Utc>>,
    /// The arguments, joined by spaces.
    #[serde(default)]
    pub command: String,
    /// Where it was started.
    #[serde(default)]
    pub workdir: String,
    /// Whether it has a terminal.
    #[serde(default)]
    pub tty: bool,
    /// How much it puts out, as whole bytes.
    #[serde(default, deserialize_with = "lenient::amount")]
    pub bytes_per_second: u64,
    /// Whether anybody is attached.
    #[serde(default)]
    pub is_active: bool,
    /// When it last put something out.
    #[serde(
        default,
        deserialize_with = "lenient::time",
        skip_serializing_if = "Option::is_none"
    )]
    pub last_activity: Option<DateTime<Utc>>,
    /// *Extension.* The arguments one by one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub arguments: Option<Vec<String>>,
    /// *Extension.* How many are attached.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub readers: Option<usize>,
    /// *Extension.* Whether the sprite ended under it; only its last output is left.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub lost: bool,
}

/// The query, or the body, of `POST /v1/sprites/{name}/exec/{id}/kill`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct KillRequest {
    /// The signal's name; `SIGTERM` when absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub signal: Option<String>,
    /// How long to wait before what is left is killed, see [`super::duration::parse`]; ten seconds when
    /// absent. Zero only signals.
    #[serde(
        deserialize_with = "lenient::optional_text",
        skip_serializing_if = "Option::is_none"
    )]
    pub timeout: Option<String>,
}

/// A line of the answer to it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum KillEvent {
    /// The signal was sent.
    Signal {
        /// In words.
        #[serde(default)]
        message: String,
        /// Which.
        #[serde(default)]
        signal: String,
        /// To which process.
        #[serde(default)]
        pid: i64,
    },
    /// It did not end in time.
    Timeout {
        /// In words.
        #[serde(default)]
        message: String,
    },
    /// It was killed.
    Killed {
        /// In words.
        #[serde(default)]
        message: String,
    },
    /// It ended.
    Exited {
        /// In words.
        #[serde(default)]
        message: String,
    },
    /// The last line.
    Complete {
        /// The exit code, where it ended.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        exit_code: Option<i32>,
        /// *Extension.* As in [`ExitMessage`].
        #[serde(default, skip_serializing_if = "Option::is_none")]
        signal: Option<i32>,
    },
    /// It failed.
    Error {
        /// In words.
        #[serde(default, alias = "error")]
        message: String,
    },
    /// A kind this version does not know.
    #[serde(other)]
    Unknown,
}
