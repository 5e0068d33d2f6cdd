//! The files of a sprite, through its supervisor, so that every path is resolved where commands resolve it.

use crate::{
    computer::LocalComputer,
    link::unexpected,
    protocol::{Change, Reply, Request},
};
use async_trait::async_trait;
use ports::sandbox::{DirectoryEntry, Files, SandboxError};

#[async_trait]
impl Files for LocalComputer {
    async fn stat(&self, path: &str) -> Result<DirectoryEntry, SandboxError> {
        let path = path.to_owned();
        match self.awake().await?.ask(Request::Stat { path }).await? {
            Reply::Entry(entry) => Ok(entry.into()),
            other => Err(unexpected(&other)),
        }
    }

    async fn remove(&self, path: &str, recursive: bool) -> Result<(), SandboxError> {
        let path = path.to_owned();
        self.change(Change::Remove { path, recursive }).await
    }

    async fn rename(&self, from: &str, to: &str) -> Result<(), SandboxError> {
        let (from, to) = (from.to_owned(), to.to_owned());
        self.change(Change::Rename { from, to }).await
    }

    async fn copy(&self, from: &str, to: &str, recursive: bool) -> Result<(), SandboxError> {
        self.awake().await?.disk.admit(0)?;
        let (from, to) = (from.to_owned(), to.to_owned());
        let copy = Change::Copy {
            from,
            to,
            recursive,
        };
        self.change(copy).await
    }

    async fn chmod(&self, path: &str, mode: u32, recursive: bool) -> Result<(), SandboxError> {
        let path = path.to_owned();
        let chmod = Change::Chmod {
            path,
            mode,
            recursive,
        };
        self.change(chmod).await
    }
}

impl LocalComputer {
    async fn change(&self, change: Change) -> Result<(), SandboxError> {
        self.awake().await?.tell(Request::Change(change)).await
    }
}
