//! Files that came with the messages of a job, fetched from the channel when a tool asks.

use crate::job::Run;
use async_trait::async_trait;
use bytes::Bytes;
use domain::{channel::Attachment, message::Content};
use ports::tool::AttachmentAccess;

/// The largest file that is fetched: what the Bot API itself allows.
const LIMIT: u64 = 20 * 1024 * 1024;

/// The attachments of one job.
pub(crate) struct Attachments<'a> {
    pub(crate) run: &'a Run,
}

#[async_trait]
impl AttachmentAccess for Attachments<'_> {
    async fn fetch(&self, reference: &str) -> Result<Bytes, String> {
        let attachment = self
            .find(reference)
            .ok_or_else(|| format!("no message of this job has an attachment `{reference}`"))?;
        let integration = self
            .run
            .scene
            .integration
            .as_ref()
            .ok_or_else(|| "the integration it came through was deleted".to_owned())?;
        let engine = &self.run.engine;
        let channel = engine
            .platform
            .channels
            .connect(integration)
            .map_err(|error| error.to_string())?;
        let fetched = channel.download(attachment, LIMIT).await;
        fetched.map_err(|error| engine.redactor.redact(&error.to_string()).into_owned())
    }
}

impl Attachments<'_> {
    /// Only files the job was really sent: a reference the model made up opens nothing.
    fn find(&self, reference: &str) -> Option<&Attachment> {
        let parts = self
            .run
            .transcript
            .iter()
            .flat_map(|message| &message.parts);
        parts
            .filter_map(|part| file(&part.content))
            .find(|file| file.provider_ref == reference)
    }
}

fn file(content: &Content) -> Option<&Attachment> {
    match content {
        Content::File { attachment } => Some(attachment),
        Content::Text { .. }
        | Content::Thinking { .. }
        | Content::ToolCall { .. }
        | Content::ToolResult { .. } => None,
    }
}
