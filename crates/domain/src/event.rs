//! Live events: rows first, then published.

use crate::{
    Timestamp,
    id::{JobId, TenantId},
    text::words,
};
use serde::{Deserialize, Serialize};

words!(
    /// What a stored event tells.
    EventKind {
        /// The job changed its status.
        JobStatus = "job.status",
        /// A message was added to the transcript.
        Message = "message",
        /// A tool call began.
        ToolStarted = "tool.started",
        /// A tool call ended.
        ToolFinished = "tool.finished",
        /// An effect was written or changed its status.
        Effect = "effect",
        /// An approval was asked for, or answered.
        Approval = "approval",
        /// A model call settled.
        Usage = "usage",
    }
);

/// An event about to be written.
#[derive(Clone, Debug, PartialEq)]
pub struct NewEvent {
    /// What it tells.
    pub kind: EventKind,
    /// The row it tells about, as JSON.
    pub payload: serde_json::Value,
}

/// An event as the database holds it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct JobEvent {
    /// The tenant it belongs to.
    pub tenant_id: TenantId,
    /// The job it belongs to.
    pub job_id: JobId,
    /// Its place among the job's events, from 1, without gaps.
    pub seq: i64,
    /// Its place among the tenant's events, in commit order, without gaps.
    pub feed_seq: i64,
    /// What it tells.
    pub kind: EventKind,
    /// The row it tells about, as JSON.
    pub payload: serde_json::Value,
    /// When it was written.
    pub created_at: Timestamp,
}
