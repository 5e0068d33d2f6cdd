//! Lanes: the queue of one (conversation, agent), and the rules of leases and retries.

use crate::{
    Timestamp,
    id::{AgentId, ConversationId, JobId, LaneEntryId, LaneId, TenantId, WorkItemId, WorkerId},
    text::words,
};
use std::time::Duration;

/// How often a process says that it is alive.
pub const HEARTBEAT_EVERY: Duration = Duration::from_secs(2);
/// A process silent for this long has lost its leases.
pub const HEARTBEAT_EXPIRY: Duration = Duration::from_secs(7);
/// How often lost wake-ups and expired leases are looked for.
pub const SWEEP_EVERY: Duration = Duration::from_secs(1);

/// Grows with every claim of a lane; a write that carries an older one is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Fence(pub i64);

/// The queue of one agent in one conversation. At most one of its jobs runs at a time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lane {
    /// Its id.
    pub id: LaneId,
    /// The tenant it belongs to.
    pub tenant_id: TenantId,
    /// The thread.
    pub conversation_id: ConversationId,
    /// The agent.
    pub agent_id: AgentId,
    /// The process that works on it.
    pub lease: Option<WorkerId>,
    /// The number of the current, or last, claim.
    pub fence: Fence,
}

words!(
    /// What becomes of messages that arrive while an agent works in the same conversation.
    Steering {
        /// The running job takes them over at its next turn.
        Steer = "steer",
        /// Each waits and gets a job of its own.
        Queue = "queue",
        /// They wait, and what waits then becomes one job.
        Merge = "merge",
    }
);

impl Steering {
    /// The most items that wait which a job takes over now: before it first asked the model, or at a
    /// later turn. The rest waits for the next turn, or for the next job.
    pub const fn takes_over(self, begins: bool) -> u32 {
        match (self, begins) {
            (Self::Steer, _) => 20,
            (Self::Merge, true) => 100,
            (Self::Merge, false) | (Self::Queue, _) => 0,
        }
    }
}

words!(
    /// How a work item stands in a lane.
    EntryStatus {
        /// It waits for its turn.
        Queued = "queued",
        /// A job of its own works on it.
        Running = "running",
        /// A running job took it over; that job's answer is its answer.
        Absorbed = "absorbed",
        /// Nothing is left to do.
        Done = "done",
    }
);

/// One work item waiting in a lane.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LaneEntry {
    /// Its id; ids are time-ordered, so this is also its place in the queue.
    pub id: LaneEntryId,
    /// The lane.
    pub lane_id: LaneId,
    /// The work item.
    pub work_item_id: WorkItemId,
    /// How it stands.
    pub status: EntryStatus,
    /// The job that runs or absorbed it.
    pub job_id: Option<JobId>,
    /// When it was put in.
    pub created_at: Timestamp,
}

/// Exponential backoff with a cap. `jitter` in 0..=1 spreads the upper half of the delay, so that
/// many waiters do not return at once; the caller draws it, this stays pure.
pub fn backoff(attempt: u32, first: Duration, cap: Duration, jitter: f64) -> Duration {
    let doubled = first.saturating_mul(2_u32.saturating_pow(attempt.saturating_sub(1).min(20)));
    let full = doubled.min(cap);
    full.mul_f64(0.5 + 0.5 * jitter.clamp(0.0, 1.0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_steering_takes_over_mid_job_and_a_queue_never_does() {
        let takes = |begins: bool| {
            let takes = |steering: &Steering| steering.takes_over(begins) > 0;
            Steering::ALL.iter().map(takes).collect::<Vec<_>>()
        };
        assert_eq!(takes(true), [true, false, true]);
        assert_eq!(takes(false), [true, false, false]);
    }

    #[test]
    fn backoff_doubles_up_to_the_cap_and_jitter_only_shortens() {
        let (first, cap) = (Duration::from_secs(1), Duration::from_mins(1));
        assert_eq!(backoff(1, first, cap, 1.0), Duration::from_secs(1));
        assert_eq!(backoff(4, first, cap, 1.0), Duration::from_secs(8));
        assert_eq!(backoff(4, first, cap, 0.0), Duration::from_secs(4));
        assert_eq!(backoff(u32::MAX, first, cap, 1.0), cap);
    }
}
