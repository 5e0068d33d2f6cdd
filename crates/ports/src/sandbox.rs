//! Sprites: persistent sandbox computers, one per agent.

use async_trait::async_trait;
use bytes::Bytes;
use domain::{
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
    /// How well they are walled off.
    pub tier: SandboxTier,
    /// What the next better tier lacks on this host, in words for a person.
    pub missing: Vec<String>,
}

/// One agent's computer. Relative paths start at the home directory; every path is resolved
/// inside the sandbox, so none leads out of it.
#[async_trait]
pub trait Sandbox: Send + Sync {
    /// The home directory as commands see it.
    fn home(&self) -> &str;

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

/// How a sprite is, as far as the backend can say without waking it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SpriteReport {
    /// Whether it was ever provisioned.
    pub provisioned: bool,
    /// Whether its supervisor runs now.
    pub awake: bool,
    /// Bytes its home takes on disk.
    pub disk_bytes: u64,
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

    /// How the sprite is; does not wake or provision it.
    async fn inspect(&self, sprite: SpriteKey) -> Result<SpriteReport, SandboxError>;

    /// Stops every sprite; files stay.
    async fn shutdown(&self);
}
