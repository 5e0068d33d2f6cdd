//! Approvals and identities on the wire.

use super::words::{ApprovalKind, ApprovalStatus, Role};
use chrono::{DateTime, Utc};
use domain::{
    approval,
    id::{AgentId, EffectId, JobId, ToolCallId, UserId},
    identity::Identity,
};
use ports::store::ApprovalFilter;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use services::{approvals::Shown, events, identities::NewCode};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

/// Which approvals to list; every field narrows.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct ApprovalQuery {
    /// Standing so.
    status: Option<ApprovalStatus>,
    /// Asked for by this agent.
    #[param(value_type = Option<Uuid>)]
    agent_id: Option<AgentId>,
    /// Asked for in this job.
    #[param(value_type = Option<Uuid>)]
    job_id: Option<JobId>,
}

/// An answer to an approval.
#[derive(Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct CreateDecision {
    /// What to say with it; the agent reads it.
    #[schema(max_length = 2000)]
    pub(crate) note: Option<String>,
}

/// A question to people that holds a reply or a job.
#[derive(Serialize, ToSchema)]
pub(crate) struct ApprovalView {
    id: Uuid,
    kind: ApprovalKind,
    status: ApprovalStatus,
    agent_id: Uuid,
    job_id: Uuid,
    work_item_id: Uuid,
    conversation_id: Uuid,
    /// The reply that is held.
    #[schema(required)]
    effect_id: Option<Uuid>,
    /// The tool call that waits.
    #[schema(required)]
    tool_call_id: Option<Uuid>,
    question: String,
    /// What would be done.
    #[schema(value_type = Object)]
    action: Value,
    /// SHA-256 of what would be done, by whom and where: an answer counts for exactly this.
    digest: String,
    approvers: Approvers,
    /// Whose message led to it; they do not decide on it.
    #[schema(required)]
    requested_by: Option<RequesterView>,
    requested_at: DateTime<Utc>,
    /// From here on it counts as denied.
    expires_at: DateTime<Utc>,
    #[schema(required)]
    decided_at: Option<DateTime<Utc>>,
    #[schema(required)]
    decided_by: Option<DeciderView>,
    /// What was said with the answer.
    #[schema(required)]
    note: Option<String>,
    /// Whether the caller may decide on it now.
    may_decide: bool,
}

/// Who may decide.
#[derive(Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Approvers {
    /// The lowest role that may.
    min_role: Role,
    /// Users who may with a lower role.
    user_ids: Vec<Uuid>,
}

impl From<approval::Approvers> for Approvers {
    fn from(approvers: approval::Approvers) -> Self {
        Self {
            min_role: Role(approvers.min_role),
            user_ids: approvers
                .user_ids
                .into_iter()
                .map(UserId::as_uuid)
                .collect(),
        }
    }
}

impl From<Approvers> for approval::Approvers {
    fn from(body: Approvers) -> Self {
        Self {
            min_role: body.min_role.0,
            user_ids: body.user_ids.into_iter().map(UserId::from_uuid).collect(),
        }
    }
}

/// Whose message led to an approval.
#[derive(Serialize, ToSchema)]
struct RequesterView {
    /// `user`, `token` or `guest`.
    kind: &'static str,
    #[schema(required)]
    id: Option<String>,
    #[schema(required)]
    name: Option<String>,
}

/// Who decided.
#[derive(Serialize, ToSchema)]
struct DeciderView {
    #[schema(required)]
    id: Option<Uuid>,
    name: String,
}

/// An account on a channel that is linked to the caller.
#[derive(Serialize, ToSchema)]
pub(crate) struct IdentityView {
    id: Uuid,
    /// The type of channel.
    #[schema(example = "telegram")]
    provider: String,
    /// The account's id there.
    external_id: String,
    #[schema(required)]
    name: Option<String>,
    /// Since when it is linked.
    created_at: DateTime<Utc>,
}

/// A code that links an account, shown once.
#[derive(Serialize, ToSchema)]
pub(crate) struct LinkCodeView {
    /// Say `/link` and this to the bot, alone.
    code: String,
    expires_at: DateTime<Utc>,
}

impl From<ApprovalQuery> for ApprovalFilter {
    fn from(query: ApprovalQuery) -> Self {
        Self {
            status: query.status.map(|word| word.0),
            agent_id: query.agent_id,
            job_id: query.job_id,
            ..Self::default()
        }
    }
}

impl From<Shown> for ApprovalView {
    fn from(shown: Shown) -> Self {
        let Shown {
            approval,
            may_decide,
        } = shown;
        let requested_by = events::requested_by(&approval).map(|by| RequesterView {
            kind: by.kind,
            id: by.id,
            name: Some(by.name.to_owned()),
        });
        Self {
            id: approval.id.as_uuid(),
            kind: ApprovalKind(approval.kind),
            status: ApprovalStatus(approval.status),
            agent_id: approval.agent_id.as_uuid(),
            job_id: approval.job_id.as_uuid(),
            work_item_id: approval.work_item_id.as_uuid(),
            conversation_id: approval.conversation_id.as_uuid(),
            effect_id: approval.effect_id.map(EffectId::as_uuid),
            tool_call_id: approval.tool_call_id.map(ToolCallId::as_uuid),
            question: approval.question,
            action: approval.action,
            digest: approval.digest,
            approvers: approval.approvers.into(),
            requested_by,
            requested_at: approval.requested_at,
            expires_at: approval.expires_at,
            decided_at: approval.decided_at,
            decided_by: approval.decided_by.map(|by| DeciderView {
                id: by.id,
                name: by.name,
            }),
            note: approval.note,
            may_decide,
        }
    }
}

impl From<Identity> for IdentityView {
    fn from(identity: Identity) -> Self {
        Self {
            id: identity.id.as_uuid(),
            provider: identity.provider,
            external_id: identity.external_id,
            name: Some(identity.name).filter(|name| !name.is_empty()),
            created_at: identity.linked_at,
        }
    }
}

impl From<NewCode> for LinkCodeView {
    fn from(code: NewCode) -> Self {
        Self {
            code: code.code.expose().to_owned(),
            expires_at: code.expires_at,
        }
    }
}
