//! What tools use of a sprite; each thing is done by the module of its name.

use crate::{files, search, sprite::RemoteSprite};
use async_trait::async_trait;
use bytes::Bytes;
use domain::id::SpriteSessionId;
use ports::sandbox::{
    DirectoryEntry, ExecOutcome, ExecRequest, Found, GrepMatch, GrepRequest, OutputSink, Sandbox,
    SandboxError,
};

#[async_trait]
impl Sandbox for RemoteSprite {
    async fn exec(
        &self,
        request: ExecRequest,
        output: &dyn OutputSink,
    ) -> Result<ExecOutcome, SandboxError> {
        self.place().await?.shells.exec(request, output).await
    }

    async fn close_shell(&self, shell: SpriteSessionId) -> Result<(), SandboxError> {
        self.place().await?.shells.close(shell).await;
        Ok(())
    }

    async fn read_file(&self, path: &str, limit: u64) -> Result<Bytes, SandboxError> {
        let place = self.place().await?;
        files::read(&place, path, limit).await
    }

    async fn write_file(&self, path: &str, content: Bytes) -> Result<(), SandboxError> {
        let place = self.place().await?;
        files::write(&place, path, content).await
    }

    async fn list_directory(&self, path: &str) -> Result<Vec<DirectoryEntry>, SandboxError> {
        let place = self.place().await?;
        files::list(&place, path).await
    }

    async fn create_directory(&self, path: &str) -> Result<(), SandboxError> {
        let place = self.place().await?;
        files::make_directory(&place, path).await
    }

    async fn glob(
        &self,
        root: &str,
        pattern: &str,
        limit: usize,
    ) -> Result<Found<String>, SandboxError> {
        let place = self.place().await?;
        search::glob(&place, root, pattern, limit).await
    }

    async fn grep(&self, request: GrepRequest) -> Result<Found<GrepMatch>, SandboxError> {
        let place = self.place().await?;
        search::grep(&place, request).await
    }
}
