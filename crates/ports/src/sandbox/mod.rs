//! Sprites: persistent sandbox computers, one per agent. Tools see one as a [`Sandbox`], hands for
//! an agent; people and other servers see all of it, a [`Sprite`].

mod checkpoint;
mod files;
mod network;
mod process;
mod service;

pub use checkpoint::{Checkpoint, Checkpoints, Progress};
pub use files::Files;
pub use network::{ListeningPort, Network, Tunnel, TunnelInput};
pub use process::{
    Attached, Command, ProcessEvent, ProcessId, ProcessInput, ProcessOutput, ProcessReport,
    ProcessState, Processes, TerminalSize,
};
pub use service::{
    ServiceDefinition, ServiceEvent, ServiceLog, ServiceReport, ServiceStatus, Services,
};

use async_trait::async_trait;
use bytes::Bytes;
use domain::{
    Timestamp,
    id::SpriteSessionId,
    sprite::{SandboxTier, SpriteKey},
};
use std::{sync::Arc, time::Duration};

/// Why the sandbox did not do what it was asked.
#[derive(Debug, thiserror::Error)]
pub enum SandboxError {
    /// A path that is not there.
    #[error("{path}: no such file or directory")]
    NotFound {
        /// As it was given.
        path: String,
    },
    /// Something the request cannot do, in words for the model: not a directory, permission denied, bad pattern.
    #[error("{0}")]
    Refused(String),
    /// What is there does not allow it: a process that ended, a name that is taken.
    #[error("{0}")]
    Conflict(String),
    /// A quota is used up: too many sprites, processes or bytes.
    #[error("{message}")]
    Exhausted {
        /// Which, how much there is and how to make room.
        message: String,
        /// When it is worth to try again, where waiting helps.
        retry_after: Option<Duration>,
    },
    /// The sandbox ended under the request; whatever ran may have had effects.
    #[error("the sandbox stopped while it worked: {0}")]
    Lost(String),
    /// The sandbox cannot be started.
    #[error("the sandbox cannot be started: {0}")]
    Unavailable(String),
}

/// Which of a command's two outputs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum OutputStream {
    /// Standard output.
    Stdout,
    /// Standard error.
    Stderr,
}

/// Takes a command's output as it comes, byte for byte. Awaiting it slows the command down, so a
/// slow reader costs no memory.
#[async_trait]
pub trait OutputSink: Send + Sync {
    /// Takes a piece; within one stream pieces come in order.
    async fn write(&self, stream: OutputStream, bytes: &[u8]);
}

/// A command for a shell.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExecRequest {
    /// The shell that runs it; opened when it does not exist yet. Directory, variables and
    /// functions of earlier commands are still there.
    pub shell: SpriteSessionId,
    /// Bash source, any bytes but NUL.
    pub script: String,
    /// After this the process group is killed.
    pub timeout: Duration,
}

/// How a command ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exit {
    /// By itself, with this code.
    Code(i32),
    /// By this signal.
    Signal(i32),
    /// By us, because its time was up.
    TimedOut,
}

/// The outcome of a command.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ExecOutcome {
    /// How it ended.
    pub exit: Exit,
    /// Whether the shell's state (directory, variables) was lost with it.
    pub shell_reset: bool,
}

/// What kind of thing a directory holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EntryKind {
    /// A regular file.
    File,
    /// A directory.
    Directory,
    /// A symbolic link.
    Symlink,
    /// Anything else.
    Other,
}

/// One entry of a directory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DirectoryEntry {
    /// The name inside the directory.
    pub name: String,
    /// What it is.
    pub kind: EntryKind,
    /// Size in bytes, of a file.
    pub bytes: u64,
    /// Its permission bits.
    pub mode: u32,
    /// When its content last changed.
    pub modified_at: Timestamp,
}

/// A search through file contents.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GrepRequest {
    /// A regular expression (Rust syntax).
    pub pattern: String,
    /// Where to start; a file or a directory.
    pub path: String,
    /// Only files whose path below `path` matches this glob.
    pub glob: Option<String>,
    /// Whether case is ignored.
    pub ignore_case: bool,
    /// The most matches to return.
    pub limit: usize,
}

/// One line that matched.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GrepMatch {
    /// The file.
    pub path: String,
    /// From 1.
    pub line: u64,
    /// The line without its end, cut to a sensible length, invalid UTF-8 replaced.
    pub text: String,
}

/// Paths or matches, and whether the limit cut them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found<T> {
    /// What was found, in path order.
    pub items: Vec<T>,
    /// Whether there was more.
    pub truncated: bool,
}

/// What a server can say of its sandboxes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SandboxReport {
    /// Where sprites are.
    pub backend: SandboxBackend,
    /// What the next better tier, or a limit that cannot be enforced, lacks on this host, in words
    /// for a person.
    pub missing: Vec<String>,
}

/// Where sprites are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SandboxBackend {
    /// On this machine, walled off so well.
    Local(SandboxTier),
    /// At a service that speaks the Sprites API, at this address.
    Sprites(String),
}

/// One agent's computer. Relative paths start at the home directory; every path is resolved
/// inside the sandbox, so none leads out of it.
#[async_trait]
pub trait Sandbox: Send + Sync {
    /// Runs a command in a kept shell. Dropping the future kills the command's process group.
    async fn exec(
        &self,
        request: ExecRequest,
        output: &dyn OutputSink,
    ) -> Result<ExecOutcome, SandboxError>;

    /// Ends a shell and everything it started. Ending one that is not there is fine.
    async fn close_shell(&self, shell: SpriteSessionId) -> Result<(), SandboxError>;

    /// The bytes of a file, unchanged. `limit` guards memory: a larger file is refused with its size.
    async fn read_file(&self, path: &str, limit: u64) -> Result<Bytes, SandboxError>;

    /// Writes a file whole, unchanged, by way of a temporary file beside it; makes parent directories.
    async fn write_file(&self, path: &str, content: Bytes) -> Result<(), SandboxError>;

    /// What a directory holds, sorted by name.
    async fn list_directory(&self, path: &str) -> Result<Vec<DirectoryEntry>, SandboxError>;

    /// Makes a directory and its parents; one that is there already is fine.
    async fn create_directory(&self, path: &str) -> Result<(), SandboxError>;

    /// Paths below `root` that match a glob; `.gitignore` is honoured, hidden files are included.
    async fn glob(
        &self,
        root: &str,
        pattern: &str,
        limit: usize,
    ) -> Result<Found<String>, SandboxError>;

    /// Lines that match; the same files as [`Sandbox::glob`] sees, binary files left out.
    async fn grep(&self, request: GrepRequest) -> Result<Found<GrepMatch>, SandboxError>;
}

/// All there is to a sprite. Whoever uses it wakes it; whoever only looks does not.
pub trait Sprite: Sandbox + Processes + Files + Checkpoints + Network + Services {}

impl<T: Sandbox + Processes + Files + Checkpoints + Network + Services> Sprite for T {}

/// What a sprite does now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SpriteStatus {
    /// Nothing runs; the next use starts it.
    Cold,
    /// It is awake and has nothing to do.
    Warm,
    /// Something runs in it.
    Running,
}

/// How a sprite is, as far as the backend can say without waking it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SpriteReport {
    /// Whether it was ever provisioned.
    pub provisioned: bool,
    /// What it does.
    pub status: SpriteStatus,
    /// Bytes its files take on disk, where the backend says so.
    pub disk_bytes: Option<u64>,
    /// The most they may take.
    pub disk_limit: Option<u64>,
    /// Open shells.
    pub shells: Vec<SpriteSessionId>,
}

/// Where sprites live.
#[async_trait]
pub trait SandboxHost: Send + Sync {
    /// What this host offers.
    fn report(&self) -> SandboxReport;

    /// The sprite, provisioned and woken when needed; cheap when it is awake.
    async fn open(&self, sprite: SpriteKey) -> Result<Arc<dyn Sandbox>, SandboxError>;

    /// All of a sprite. Provisions and wakes nothing by itself.
    fn sprite(&self, sprite: SpriteKey) -> Arc<dyn Sprite>;

    /// How the sprite is; does not wake or provision it.
    async fn inspect(&self, sprite: SpriteKey) -> Result<SpriteReport, SandboxError>;

    /// Ends the sprite and removes all of it, checkpoints included, for good. One that is not
    /// there is fine.
    async fn destroy(&self, sprite: SpriteKey) -> Result<(), SandboxError>;

    /// Stops every sprite; files stay.
    async fn shutdown(&self);
}
