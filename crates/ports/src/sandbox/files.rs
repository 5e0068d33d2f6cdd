//! The files of a sprite, beyond what tools need of [`super::Sandbox`].

use super::{DirectoryEntry, SandboxError};
use async_trait::async_trait;

/// Files and directories as commands of the sprite see them. Relative paths start at home; a path
/// that leads out of the sandbox leads nowhere.
#[async_trait]
pub trait Files: Send + Sync {
    /// What is at a path; a link is itself.
    async fn stat(&self, path: &str) -> Result<DirectoryEntry, SandboxError>;

    /// Removes a file, a link or an empty directory; `recursive` one with all in it.
    async fn remove(&self, path: &str, recursive: bool) -> Result<(), SandboxError>;

    /// Renames; what is at `to` is replaced as rename(2) does. Parents of `to` are made.
    async fn rename(&self, from: &str, to: &str) -> Result<(), SandboxError>;

    /// Copies a file, or with `recursive` a directory, links as links. Parents of `to` are made.
    async fn copy(&self, from: &str, to: &str, recursive: bool) -> Result<(), SandboxError>;

    /// Changes the permission bits.
    async fn chmod(&self, path: &str, mode: u32, recursive: bool) -> Result<(), SandboxError>;
}
