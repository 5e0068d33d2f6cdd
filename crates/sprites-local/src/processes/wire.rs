//! What server and supervisor say about processes, inside the frames of [`crate::protocol`]. It
//! must stay plain data: the supervisor trusts the server, the server no answer.

use ports::sandbox::{ListeningPort, TerminalSize};
use serde::{Deserialize, Serialize};

/// A process to start; see [`ports::sandbox::Command`].
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Start {
    pub(crate) program: Option<String>,
    pub(crate) arguments: Vec<String>,
    pub(crate) environment: Vec<(String, String)>,
    pub(crate) directory: Option<String>,
    pub(crate) terminal: Option<WireSize>,
    pub(crate) input: bool,
}

/// What a process that runs is told, beside its input.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) enum Control {
    /// Its terminal has a new size.
    Resize(WireSize),
    /// A signal for its process group.
    Signal(i32),
    /// A signal for all that descends from it. With patience, what is left after that is killed,
    /// and the answer waits for it.
    Kill {
        signal: i32,
        patience_ms: Option<u64>,
    },
}

/// [`TerminalSize`] on the wire.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub(crate) struct WireSize {
    pub(crate) rows: u16,
    pub(crate) columns: u16,
}

impl From<TerminalSize> for WireSize {
    fn from(size: TerminalSize) -> Self {
        Self {
            rows: size.rows,
            columns: size.columns,
        }
    }
}

/// [`ListeningPort`] on the wire.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct WireListening {
    pub(crate) port: u16,
    pub(crate) address: String,
    pub(crate) process: Option<i32>,
}

impl From<WireListening> for ListeningPort {
    fn from(listening: WireListening) -> Self {
        Self {
            port: listening.port,
            address: listening.address,
            process: listening.process,
        }
    }
}
