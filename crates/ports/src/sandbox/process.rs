//! Processes inside a sprite: started with arguments instead of a shell's source, with or without
//! a terminal, left behind and found again.

use super::{Exit, OutputStream, SandboxError};
use async_trait::async_trait;
use bytes::Bytes;
use domain::Timestamp;
use futures_core::Stream;
use std::{pin::Pin, sync::Arc, time::Duration};

/// A size of a terminal, in characters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TerminalSize {
    /// Lines.
    pub rows: u16,
    /// Characters of a line.
    pub columns: u16,
}

impl Default for TerminalSize {
    fn default() -> Self {
        Self {
            rows: 24,
            columns: 80,
        }
    }
}

/// What to start. No shell reads any of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Command {
    /// Looked up on the sprite's `PATH` when it has no slash; the first argument when absent.
    pub program: Option<String>,
    /// The arguments with the program's name before them; never empty.
    pub arguments: Vec<String>,
    /// Added to the sprite's own environment.
    pub environment: Vec<(String, String)>,
    /// Where it starts; home when absent.
    pub directory: Option<String>,
    /// A terminal of this size instead of pipes; standard error is part of standard output then.
    pub terminal: Option<TerminalSize>,
    /// Whether input may come. Without, standard input is empty.
    pub input: bool,
    /// How long it runs on after the last reader left; `None` is for ever. Then its tree is killed.
    pub linger: Option<Duration>,
}

/// What a backend calls a process. Unique within its sprite, also over restarts.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ProcessId(pub String);

impl std::fmt::Display for ProcessId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

/// How a process stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ProcessState {
    /// It runs.
    Running,
    /// It ended so.
    Ended(Exit),
    /// The sprite, or the machine below it, ended under it.
    Lost,
}

/// A process.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProcessReport {
    /// Its id.
    pub id: ProcessId,
    /// Its arguments.
    pub arguments: Vec<String>,
    /// Where it was started.
    pub directory: String,
    /// Whether it has a terminal.
    pub terminal: bool,
    /// When it was started.
    pub started_at: Timestamp,
    /// When it last put something out.
    pub active_at: Timestamp,
    /// How many read its output now.
    pub readers: usize,
    /// How it stands.
    pub state: ProcessState,
}

/// What comes from a process, in order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ProcessEvent {
    /// Output.
    Output(OutputStream, Bytes),
    /// The end; nothing follows. All output of the process itself came before.
    Ended(Exit),
}

/// What a process puts out. Ends after [`ProcessEvent::Ended`] or an error.
pub type ProcessOutput = Pin<Box<dyn Stream<Item = Result<ProcessEvent, SandboxError>> + Send>>;

/// What goes to a process. All of it waits while the process takes no input.
#[async_trait]
pub trait ProcessInput: Send + Sync {
    /// Standard input, whole and in order.
    async fn write(&self, bytes: Bytes) -> Result<(), SandboxError>;

    /// The end of standard input; on a terminal nothing happens, there it is typed.
    async fn finish(&self) -> Result<(), SandboxError>;

    /// A new size of its terminal.
    async fn resize(&self, size: TerminalSize) -> Result<(), SandboxError>;

    /// A signal (its number) to its process group.
    async fn signal(&self, signal: i32) -> Result<(), SandboxError>;
}

/// A connection to a process; dropping both ends leaves the process to [`Command::linger`].
pub struct Attached {
    /// The process as it was when the connection was made.
    pub process: ProcessReport,
    /// To it.
    pub input: Arc<dyn ProcessInput>,
    /// From it: what is kept of earlier output (at least the last 64 KiB), then all that comes. A
    /// reader who is slow slows the process down.
    pub output: ProcessOutput,
}

/// The processes of a sprite. No call ever starts a command a second time by itself.
#[async_trait]
pub trait Processes: Send + Sync {
    /// Starts a command. One that cannot be started ends with 127 (not found) or 126 (cannot be
    /// executed) and the reason on standard error, as shells have it.
    async fn start(&self, command: Command) -> Result<Attached, SandboxError>;

    /// Connects to a process that runs; any number may be connected at once.
    async fn attach(&self, process: &ProcessId) -> Result<Attached, SandboxError>;

    /// The processes that run, and for a while those that were lost, oldest first. Does not wake
    /// a sprite that sleeps.
    async fn processes(&self) -> Result<Vec<ProcessReport>, SandboxError>;

    /// The last output that is kept of a process, lost ones included, with both streams as they
    /// came; at most 64 KiB.
    async fn last_output(&self, process: &ProcessId) -> Result<Bytes, SandboxError>;

    /// Sends a signal to the process's whole tree and waits so long for its end, then kills what is
    /// left. Without patience it only signals.
    async fn kill(
        &self,
        process: &ProcessId,
        signal: i32,
        patience: Duration,
    ) -> Result<Option<Exit>, SandboxError>;
}
