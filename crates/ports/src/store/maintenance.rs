//! Keeping the database small: what may be forgotten, and space given back. Only the runtime uses it, and
//! only the process that holds the lease for it.

use super::StoreError;
use async_trait::async_trait;
use domain::Timestamp;

/// What can be forgotten while the rows that say what happened and what it cost stay.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Prunable {
    /// Event rows of final jobs; the position counters stay, so that numbers are never given twice.
    Events,
    /// What tools answered in final jobs: results and details of tool calls and the same texts in messages.
    /// The text that takes their place is in [`Prune::marker`].
    ToolOutput,
    /// Messages and tool calls of final jobs.
    Transcripts,
    /// Answers kept for repeated requests.
    IdempotencyKeys,
}

/// One batch of forgetting.
#[derive(Clone, Copy, Debug)]
pub struct Prune<'a> {
    /// What goes.
    pub what: Prunable,
    /// Of jobs that finished, or keys that were made, before this instant.
    pub before: Timestamp,
    /// Rows that one transaction changes, at most.
    pub rows: u32,
    /// What stands where a tool's answer was.
    pub marker: &'a str,
}

/// What a batch did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Pruned {
    /// Rows that were changed or deleted.
    pub rows: u64,
    /// Whether there may be more to do.
    pub more: bool,
}

/// What a look after the files found.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tidied {
    /// The size of the database, where it is known.
    pub database_bytes: Option<u64>,
    /// The size of its log of changes not yet moved into it, where there is one.
    pub wal_bytes: Option<u64>,
    /// Whether there is more space to give back: call again after a pause.
    pub more: bool,
}

/// Work that keeps a database small. Every call is short and leaves room for others in between.
#[async_trait]
pub trait Maintenance: Send + Sync {
    /// Forgets a little; done so often that nothing more is left, everything asked for is gone. Rows of jobs
    /// that are not final are never touched. Asking again after a crash goes on where it was.
    async fn prune(&self, prune: Prune<'_>) -> Result<Pruned, StoreError>;
    /// Gives a little unused space back to the system. Databases that do so themselves do nothing here.
    async fn tidy(&self) -> Result<Tidied, StoreError>;
}
