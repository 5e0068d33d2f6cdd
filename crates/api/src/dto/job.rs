//! Jobs on the wire.

use super::{effect::EffectView, message::UsageView, words::JobStatus};
use chrono::{DateTime, Utc};
use domain::{
    access::Hidden,
    id::{AgentId, ConversationId, JobId, WorkItemId},
    job::{Job, JobFailure},
};
use ports::store::JobFilter;
use serde::{Deserialize, Serialize};
use services::jobs::{self, JobDetail};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

/// Which jobs to list; every field narrows.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct JobQuery {
    /// Of this agent.
    #[param(value_type = Option<Uuid>)]
    agent_id: Option<AgentId>,
    /// For this work item.
    #[param(value_type = Option<Uuid>)]
    work_item_id: Option<WorkItemId>,
    /// In this conversation.
    #[param(value_type = Option<Uuid>)]
    conversation_id: Option<ConversationId>,
    /// Standing so.
    status: Option<JobStatus>,
}

/// Where a retry begins.
#[derive(Clone, Copy, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum RetryFrom {
    /// With the message that came in.
    Start,
    /// With the transcript up to the last turn that was complete.
    LastTurn,
}

/// How to try again.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct RetryJob {
    from: RetryFrom,
    /// Answer a second time where an answer was, or may have been, sent.
    #[serde(default)]
    reply_again: bool,
}

/// One agent's attempt at a work item.
#[derive(Serialize, ToSchema)]
pub(crate) struct JobView {
    id: Uuid,
    work_item_id: Uuid,
    agent_id: Uuid,
    conversation_id: Uuid,
    status: JobStatus,
    /// Why it failed.
    #[schema(required)]
    failure: Option<FailureView>,
    #[schema(example = "demo/scripted")]
    model: String,
    /// 1 for the first.
    attempt: i32,
    /// The job it is another attempt of.
    #[schema(required)]
    retry_of: Option<Uuid>,
    /// The job that spawned it.
    #[schema(required)]
    parent_id: Option<Uuid>,
    /// The first job of its family.
    root_id: Uuid,
    /// The sum of its model calls.
    usage: UsageView,
    /// What they cost, in millionths of a US dollar.
    cost_micros: i64,
    /// When somebody asked it to stop.
    #[schema(required)]
    cancel_requested_at: Option<DateTime<Utc>>,
    created_at: DateTime<Utc>,
    #[schema(required)]
    started_at: Option<DateTime<Utc>>,
    #[schema(required)]
    finished_at: Option<DateTime<Utc>>,
}

/// Why a job failed.
#[derive(Serialize, ToSchema)]
pub(crate) struct FailureView {
    /// Stable, for programs.
    #[schema(example = "budget_exhausted")]
    code: String,
    /// What failed, why, and the way out.
    message: String,
}

/// A job with what it led to.
#[derive(Serialize, ToSchema)]
pub(crate) struct JobDetailView {
    #[serde(flatten)]
    job: JobView,
    /// How many tools it used.
    tool_call_count: usize,
    /// How often it asked a model.
    model_call_count: usize,
    /// Its changes to the outside world, oldest first.
    effects: Vec<EffectView>,
}

impl From<JobQuery> for JobFilter {
    fn from(query: JobQuery) -> Self {
        Self {
            agent_id: query.agent_id,
            work_item_id: query.work_item_id,
            conversation_id: query.conversation_id,
            status: query.status.map(|word| word.0),
            hidden: Hidden::default(),
        }
    }
}

impl From<RetryJob> for jobs::RetryJob {
    fn from(body: RetryJob) -> Self {
        Self {
            from: match body.from {
                RetryFrom::Start => jobs::RetryFrom::Start,
                RetryFrom::LastTurn => jobs::RetryFrom::LastTurn,
            },
            reply_again: body.reply_again,
        }
    }
}

impl From<Job> for JobView {
    fn from(job: Job) -> Self {
        Self {
            id: job.id.as_uuid(),
            work_item_id: job.work_item_id.as_uuid(),
            agent_id: job.agent_id.as_uuid(),
            conversation_id: job.conversation_id.as_uuid(),
            status: JobStatus(job.status),
            failure: job.failure.map(Into::into),
            model: job.model.into(),
            attempt: job.attempt,
            retry_of: job.retry_of.map(JobId::as_uuid),
            parent_id: job.parent_id.map(JobId::as_uuid),
            root_id: job.root_id.as_uuid(),
            usage: job.usage.into(),
            cost_micros: job.cost.0,
            cancel_requested_at: job.cancel_requested_at,
            created_at: job.created_at,
            started_at: job.started_at,
            finished_at: job.finished_at,
        }
    }
}

impl From<JobFailure> for FailureView {
    fn from(failure: JobFailure) -> Self {
        Self {
            code: failure.code,
            message: failure.message,
        }
    }
}

impl From<JobDetail> for JobDetailView {
    fn from(detail: JobDetail) -> Self {
        Self {
            job: detail.job.into(),
            tool_call_count: detail.tool_calls,
            model_call_count: detail.model_calls,
            effects: detail.effects.into_iter().map(Into::into).collect(),
        }
    }
}
