//! Commands that outlive the job that started them.

use crate::{
    Timestamp,
    id::{AgentId, BackgroundProcessId, ConversationId, JobId, TenantId},
    text::words,
};

words!(
    /// Where a background process stands.
    BackgroundStatus {
        /// It runs, as far as is known.
        Running = "running",
        /// It ended by itself.
        Ended = "ended",
        /// Somebody stopped it.
        Stopped = "stopped",
        /// The server or the sprite ended under it.
        Lost = "lost",
    }
);

/// A command that an agent left running in its sprite. It belongs to the agent's conversation, so
/// that later jobs there find it; other conversations do not see it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BackgroundProcess {
    /// Its id.
    pub id: BackgroundProcessId,
    /// The tenant it belongs to.
    pub tenant_id: TenantId,
    /// The agent in whose sprite it runs.
    pub agent_id: AgentId,
    /// The conversation that may look at it and stop it.
    pub conversation_id: ConversationId,
    /// The job that started it.
    pub job_id: JobId,
    /// What the sprite calls it; absent until it was started.
    pub process: Option<String>,
    /// Its bash source.
    pub command: String,
    /// Where it stands.
    pub status: BackgroundStatus,
    /// Its exit code, where it ended with one.
    pub exit_code: Option<i32>,
    /// The last of its output, once it has ended.
    pub output: Option<String>,
    /// When it was started.
    pub created_at: Timestamp,
    /// When its end was seen.
    pub ended_at: Option<Timestamp>,
}
