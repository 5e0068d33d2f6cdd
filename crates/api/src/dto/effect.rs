//! Effects on the wire.

use super::words::{DeadReason, EffectStatus};
use chrono::{DateTime, Utc};
use domain::{
    access::Hidden,
    effect::{Effect, EffectAction},
    id::{AgentId, IntegrationId, JobId, WorkItemId},
};
use ports::store::EffectFilter;
use serde::{Deserialize, Serialize};
use services::effects;
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

/// Which effects to list; every field narrows.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct EffectQuery {
    /// Of this job.
    #[param(value_type = Option<Uuid>)]
    job_id: Option<JobId>,
    /// Of the jobs for this work item.
    #[param(value_type = Option<Uuid>)]
    work_item_id: Option<WorkItemId>,
    /// Of this agent's jobs.
    #[param(value_type = Option<Uuid>)]
    agent_id: Option<AgentId>,
    /// Through this integration.
    #[param(value_type = Option<Uuid>)]
    integration_id: Option<IntegrationId>,
    /// Standing so.
    status: Option<EffectStatus>,
}

/// What a person found out about an effect that is `unknown`.
#[derive(Clone, Copy, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Resolve {
    /// It did not arrive: send it again.
    Resend,
    /// It arrived.
    MarkSent,
}

/// How to release an effect.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ReleaseEffect {
    /// Needed for an effect that is `unknown`, and only there.
    pub(crate) resolve: Option<Resolve>,
}

/// One change to the outside world.
#[derive(Serialize, ToSchema)]
pub(crate) struct EffectView {
    id: Uuid,
    job_id: Uuid,
    /// Which of the job's effects it is; unique per job.
    #[schema(example = "reply")]
    slot: String,
    integration_id: Uuid,
    conversation_id: Uuid,
    action: ActionView,
    status: EffectStatus,
    /// Why it failed for good.
    #[schema(required)]
    dead_reason: Option<DeadReason>,
    /// The last error, for people.
    #[schema(required)]
    detail: Option<String>,
    /// How often sending was begun.
    attempts: i32,
    next_attempt_at: DateTime<Utc>,
    /// After this instant it is of no use and is not sent any more.
    expires_at: DateTime<Utc>,
    /// The vendor's ids of what was sent.
    #[schema(required)]
    provider_reference: Option<String>,
    created_at: DateTime<Utc>,
    #[schema(required)]
    settled_at: Option<DateTime<Utc>>,
}

/// What an effect does.
#[derive(Serialize, ToSchema)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub(crate) enum ActionView {
    /// The answer, or a notice that there will be none.
    Reply {
        markdown: String,
        /// The vendor's id of the message it answers.
        #[schema(required)]
        reply_to: Option<String>,
    },
    /// A mark on the person's message.
    Receipt { message_id: String },
    /// The one progress message of a job.
    Progress {
        markdown: String,
        /// The vendor's id of the message to edit; null for the first.
        #[schema(required)]
        edit: Option<String>,
    },
    /// A question with buttons, or its edit once it is answered.
    Question {
        markdown: String,
        /// What the buttons read.
        choices: Vec<String>,
        /// The vendor's id of the message to edit; null for the first.
        #[schema(required)]
        edit: Option<String>,
    },
}

impl From<EffectQuery> for EffectFilter {
    fn from(query: EffectQuery) -> Self {
        Self {
            job_id: query.job_id,
            work_item_id: query.work_item_id,
            agent_id: query.agent_id,
            integration_id: query.integration_id,
            status: query.status.map(|word| word.0),
            hidden: Hidden::default(),
        }
    }
}

impl From<Resolve> for effects::Resolve {
    fn from(resolve: Resolve) -> Self {
        match resolve {
            Resolve::Resend => Self::Resend,
            Resolve::MarkSent => Self::MarkSent,
        }
    }
}

impl From<Effect> for EffectView {
    fn from(effect: Effect) -> Self {
        Self {
            id: effect.id.as_uuid(),
            job_id: effect.job_id.as_uuid(),
            slot: effect.slot,
            integration_id: effect.integration_id.as_uuid(),
            conversation_id: effect.conversation_id.as_uuid(),
            action: effect.action.into(),
            status: EffectStatus(effect.status),
            dead_reason: effect.dead_reason.map(DeadReason),
            detail: effect.detail,
            attempts: effect.attempts,
            next_attempt_at: effect.next_attempt_at,
            expires_at: effect.expires_at,
            provider_reference: effect.provider_reference,
            created_at: effect.created_at,
            settled_at: effect.settled_at,
        }
    }
}

impl From<EffectAction> for ActionView {
    fn from(action: EffectAction) -> Self {
        match action {
            EffectAction::Reply { markdown, reply_to } => Self::Reply { markdown, reply_to },
            EffectAction::Receipt { message_id } => Self::Receipt { message_id },
            EffectAction::Progress { markdown, edit } => Self::Progress { markdown, edit },
            EffectAction::Question {
                markdown,
                choices,
                edit,
            } => Self::Question {
                markdown,
                choices: choices.into_iter().map(|choice| choice.label).collect(),
                edit,
            },
        }
    }
}
