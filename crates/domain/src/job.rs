//! One agent's attempt at a work item.

use crate::{
    Timestamp,
    budget::Micros,
    id::{AgentId, ConversationId, JobId, LaneId, TenantId, WorkItemId},
    model::{ModelRef, Usage},
    text::words,
};

words!(
    /// Where a job stands; the last three are final and never reopen.
    JobStatus {
        /// It waits for a worker.
        Queued = "queued",
        /// A worker is on it.
        Running = "running",
        /// It has given up its worker until something happens.
        Waiting = "waiting",
        /// It finished.
        Completed = "completed",
        /// It could not finish; the error says why.
        Failed = "failed",
        /// Somebody stopped it.
        Cancelled = "cancelled",
    }
);

impl JobStatus {
    /// Whether the job can never change again.
    pub const fn is_final(self) -> bool {
        matches!(self, Self::Completed | Self::Failed | Self::Cancelled)
    }
}

/// A change of status that the state machine does not have.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("a {from} job cannot become {to}")]
pub struct IllegalTransition {
    /// Where the job stands.
    pub from: JobStatus,
    /// Where it was asked to go.
    pub to: JobStatus,
}

/// Why a job failed: a stable code for programs and a sentence for people.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JobFailure {
    /// Stable, snake case: `budget_exhausted`, `model_unavailable`, `turn_limit`, …
    pub code: String,
    /// What failed, why, and the way out; free of secrets.
    pub message: String,
}

/// One agent's attempt at a work item, unique by (work item, agent, attempt).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Job {
    /// Its id.
    pub id: JobId,
    /// The tenant it belongs to.
    pub tenant_id: TenantId,
    /// What it works on.
    pub work_item_id: WorkItemId,
    /// Who works.
    pub agent_id: AgentId,
    /// The lane that carries its lease.
    pub lane_id: LaneId,
    /// The thread it answers in.
    pub conversation_id: ConversationId,
    /// 1 for the first; a retry is a new job with the next number.
    pub attempt: i32,
    /// Where it stands.
    pub status: JobStatus,
    /// The model it thinks with, fixed when it was made.
    pub model: ModelRef,
    /// The job that spawned it.
    pub parent_id: Option<JobId>,
    /// The first job of its family; itself when it has no parent.
    pub root_id: JobId,
    /// The job it is another attempt of.
    pub retry_of: Option<JobId>,
    /// Set when somebody asked it to stop; the worker obeys at its next step.
    pub cancel_requested_at: Option<Timestamp>,
    /// Why it failed.
    pub failure: Option<JobFailure>,
    /// The sum of its model calls.
    pub usage: Usage,
    /// What they cost; never unknown.
    pub cost: Micros,
    /// When it was made.
    pub created_at: Timestamp,
    /// When a worker first took it.
    pub started_at: Option<Timestamp>,
    /// When it became final.
    pub finished_at: Option<Timestamp>,
}

impl Job {
    /// A worker takes it, or takes it again after a crash or a wait.
    pub fn start(&mut self, now: Timestamp) -> Result<(), IllegalTransition> {
        self.go(JobStatus::Running, !self.status.is_final())?;
        self.started_at.get_or_insert(now);
        Ok(())
    }

    /// It gives up its worker until something happens.
    pub fn wait(&mut self) -> Result<(), IllegalTransition> {
        self.go(JobStatus::Waiting, self.status == JobStatus::Running)
    }

    /// What it waited for happened; it waits for a worker now.
    pub fn wake(&mut self) -> Result<(), IllegalTransition> {
        self.go(JobStatus::Queued, self.status == JobStatus::Waiting)
    }

    /// It finished.
    pub fn complete(&mut self, now: Timestamp) -> Result<(), IllegalTransition> {
        self.go(JobStatus::Completed, self.status == JobStatus::Running)?;
        self.finished_at = Some(now);
        Ok(())
    }

    /// It could not finish.
    pub fn fail(&mut self, failure: JobFailure, now: Timestamp) -> Result<(), IllegalTransition> {
        self.go(JobStatus::Failed, !self.status.is_final())?;
        self.failure = Some(failure);
        self.finished_at = Some(now);
        Ok(())
    }

    /// Somebody stopped it.
    pub fn cancel(&mut self, now: Timestamp) -> Result<(), IllegalTransition> {
        self.go(JobStatus::Cancelled, !self.status.is_final())?;
        self.finished_at = Some(now);
        Ok(())
    }

    fn go(&mut self, to: JobStatus, legal: bool) -> Result<(), IllegalTransition> {
        if !legal {
            return Err(IllegalTransition {
                from: self.status,
                to,
            });
        }
        self.status = to;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use uuid::Uuid;

    fn job(status: JobStatus) -> Job {
        let id = JobId::from_uuid(Uuid::nil());
        Job {
            id,
            tenant_id: TenantId::from_uuid(Uuid::nil()),
            work_item_id: WorkItemId::from_uuid(Uuid::nil()),
            agent_id: AgentId::from_uuid(Uuid::nil()),
            lane_id: LaneId::from_uuid(Uuid::nil()),
            conversation_id: ConversationId::from_uuid(Uuid::nil()),
            attempt: 1,
            status,
            model: ModelRef::parse("demo/scripted").unwrap(),
            parent_id: None,
            root_id: id,
            retry_of: None,
            cancel_requested_at: None,
            failure: None,
            usage: Usage::default(),
            cost: Micros::ZERO,
            created_at: Timestamp::UNIX_EPOCH,
            started_at: None,
            finished_at: None,
        }
    }

    #[test]
    fn final_jobs_never_reopen() {
        for status in [
            JobStatus::Completed,
            JobStatus::Failed,
            JobStatus::Cancelled,
        ] {
            let now = Timestamp::UNIX_EPOCH;
            assert!(job(status).start(now).is_err());
            assert!(job(status).complete(now).is_err());
            assert!(job(status).cancel(now).is_err());
        }
    }

    #[test]
    fn only_a_running_job_completes() {
        let mut queued = job(JobStatus::Queued);
        assert_eq!(
            queued.complete(Timestamp::UNIX_EPOCH),
            Err(IllegalTransition {
                from: JobStatus::Queued,
                to: JobStatus::Completed
            })
        );
        queued.start(Timestamp::UNIX_EPOCH).unwrap();
        queued.complete(Timestamp::UNIX_EPOCH).unwrap();
        assert_eq!(queued.status, JobStatus::Completed);
    }
}
