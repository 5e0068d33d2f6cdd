//! A sprite as its users hold it, awake or not: each use wakes it first. What it consists of is in
//! the modules beside this one; here is only what tools use, passed on to the sprite that is awake.

use crate::{host::Inner, sprite::LocalSprite};
use async_trait::async_trait;
use bytes::Bytes;
use domain::{id::SpriteSessionId, sprite::SpriteKey};
use ports::sandbox::{
    DirectoryEntry, ExecOutcome, ExecRequest, Found, GrepMatch, GrepRequest, OutputSink, Sandbox,
    SandboxError,
};
use std::sync::Arc;

/// One sprite of this machine.
pub(crate) struct LocalComputer {
    pub(crate) inner: Arc<Inner>,
    pub(crate) key: SpriteKey,
}

impl LocalComputer {
    /// The sprite, awake.
    pub(crate) async fn awake(&self) -> Result<Arc<LocalSprite>, SandboxError> {
        self.inner.awake(self.key).await
    }
}

#[async_trait]
impl Sandbox for LocalComputer {
    async fn exec(
        &self,
        request: ExecRequest,
        output: &dyn OutputSink,
    ) -> Result<ExecOutcome, SandboxError> {
        self.awake().await?.exec(request, output).await
    }

    async fn close_shell(&self, shell: SpriteSessionId) -> Result<(), SandboxError> {
        self.awake().await?.close_shell(shell).await
    }

    async fn read_file(&self, path: &str, limit: u64) -> Result<Bytes, SandboxError> {
        self.awake().await?.read_file(path, limit).await
    }

    async fn write_file(&self, path: &str, content: Bytes) -> Result<(), SandboxError> {
        self.awake().await?.write_file(path, content).await
    }

    async fn list_directory(&self, path: &str) -> Result<Vec<DirectoryEntry>, SandboxError> {
        self.awake().await?.list_directory(path).await
    }

    async fn create_directory(&self, path: &str) -> Result<(), SandboxError> {
        self.awake().await?.create_directory(path).await
    }

    async fn glob(
        &self,
        root: &str,
        pattern: &str,
        limit: usize,
    ) -> Result<Found<String>, SandboxError> {
        self.awake().await?.glob(root, pattern, limit).await
    }

    async fn grep(&self, request: GrepRequest) -> Result<Found<GrepMatch>, SandboxError> {
        self.awake().await?.grep(request).await
    }
}
