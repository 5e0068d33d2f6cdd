//! The sandbox of an agent, the shells inside it and what it may reach.

mod background;
mod network;

pub use background::{BackgroundProcess, BackgroundStatus};
pub use network::{BadRule, NetworkAction, NetworkPolicy, NetworkRule};

use crate::{
    Timestamp,
    id::{AgentId, JobId, SpriteSessionId, TenantId},
    text::words,
};

/// Which sprite: one per agent, for as long as the agent exists.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct SpriteKey {
    /// The tenant it belongs to.
    pub tenant_id: TenantId,
    /// The agent whose computer it is.
    pub agent_id: AgentId,
}

words!(
    /// How well a local sprite is walled off, weakest first.
    SandboxTier {
        /// Not at all: a plain process under the server's own rights.
        Plain = "plain",
        /// Landlock and seccomp.
        Landlock = "landlock",
        /// Namespaces of its own (bubblewrap), Landlock and seccomp inside.
        Namespaces = "namespaces",
    }
);

words!(
    /// Where a shell stands.
    SpriteSessionStatus {
        /// Commands may use it.
        Open = "open",
        /// It ended with its job.
        Closed = "closed",
        /// The server or the sandbox ended under it.
        Lost = "lost",
    }
);

/// A shell inside a sprite that keeps its directory and environment for the length of a job.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SpriteSession {
    /// Its id.
    pub id: SpriteSessionId,
    /// The tenant it belongs to.
    pub tenant_id: TenantId,
    /// The agent whose sprite it is in.
    pub agent_id: AgentId,
    /// The job it serves; a job has at most one.
    pub job_id: JobId,
    /// The server process whose machine it runs on, by what stays the same over its restarts; absent when that
    /// process is gone.
    pub instance: Option<String>,
    /// Where it stands.
    pub status: SpriteSessionStatus,
    /// When it was opened.
    pub created_at: Timestamp,
    /// When it ended.
    pub closed_at: Option<Timestamp>,
}
