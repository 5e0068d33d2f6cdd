//! Messages and tool calls.

use super::StoreError;
use async_trait::async_trait;
use domain::{
    id::{JobId, TenantId},
    message::{Message, ToolCall},
};

/// The transcripts of a tenant's jobs. Append-only: no message is ever changed.
#[async_trait]
pub trait TranscriptRepository: Send + Sync {
    /// Appends messages; their sequence numbers are the caller's and must not exist (`Conflict`).
    async fn append(&self, messages: &[Message]) -> Result<(), StoreError>;
    /// Messages after a sequence number, in order, at most `limit`.
    async fn list(
        &self,
        tenant: TenantId,
        job: JobId,
        after: i64,
        limit: u32,
    ) -> Result<Vec<Message>, StoreError>;
    /// Whole transcripts of several jobs, ordered by job, then sequence.
    async fn of_jobs(&self, tenant: TenantId, jobs: &[JobId]) -> Result<Vec<Message>, StoreError>;
    /// Writes new tool calls.
    async fn insert_tool_calls(&self, calls: &[ToolCall]) -> Result<(), StoreError>;
    /// Writes status, result, detail and end of a tool call.
    async fn finish_tool_call(&self, call: &ToolCall) -> Result<(), StoreError>;
    /// The tool calls of a job, in order.
    async fn tool_calls(&self, tenant: TenantId, job: JobId) -> Result<Vec<ToolCall>, StoreError>;
}
