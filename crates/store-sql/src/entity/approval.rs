//! Questions to people.

use crate::error::{json, to_json, word};
use domain::{
    approval::{Approval, Decider},
    id::{
        AgentId, ApprovalId, ConversationId, EffectId, IntegrationId, JobId, TenantId, ToolCallId,
        WorkItemId,
    },
};
use ports::store::StoreError;
use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "approvals")]
pub(crate) struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub(crate) id: Uuid,
    pub(crate) tenant_id: Uuid,
    pub(crate) kind: String,
    pub(crate) status: String,
    pub(crate) agent_id: Uuid,
    pub(crate) job_id: Uuid,
    pub(crate) work_item_id: Uuid,
    pub(crate) conversation_id: Uuid,
    pub(crate) integration_id: Uuid,
    pub(crate) effect_id: Option<Uuid>,
    pub(crate) tool_call_id: Option<Uuid>,
    pub(crate) question: String,
    #[sea_orm(column_type = "JsonBinary")]
    pub(crate) action: Json,
    pub(crate) digest: String,
    #[sea_orm(column_type = "JsonBinary")]
    pub(crate) approvers: Json,
    #[sea_orm(column_type = "JsonBinary")]
    pub(crate) requesters: Json,
    pub(crate) requested_at: DateTimeUtc,
    pub(crate) expires_at: DateTimeUtc,
    pub(crate) decided_at: Option<DateTimeUtc>,
    #[sea_orm(column_type = "JsonBinary", nullable)]
    pub(crate) decided_by: Option<Json>,
    pub(crate) note: Option<String>,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub(crate) enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

/// Who decided, as it is stored.
pub(crate) fn decider(by: Option<&Decider>) -> Result<Option<Json>, StoreError> {
    by.map(to_json).transpose()
}

impl TryFrom<&Approval> for Model {
    type Error = StoreError;

    fn try_from(approval: &Approval) -> Result<Self, StoreError> {
        Ok(Self {
            id: approval.id.as_uuid(),
            tenant_id: approval.tenant_id.as_uuid(),
            kind: approval.kind.as_str().to_owned(),
            status: approval.status.as_str().to_owned(),
            agent_id: approval.agent_id.as_uuid(),
            job_id: approval.job_id.as_uuid(),
            work_item_id: approval.work_item_id.as_uuid(),
            conversation_id: approval.conversation_id.as_uuid(),
            integration_id: approval.integration_id.as_uuid(),
            effect_id: approval.effect_id.map(EffectId::as_uuid),
            tool_call_id: approval.tool_call_id.map(ToolCallId::as_uuid),
            question: approval.question.clone(),
            action: approval.action.clone(),
            digest: approval.digest.clone(),
            approvers: to_json(&approval.approvers)?,
            requesters: to_json(&approval.requesters)?,
            requested_at: approval.requested_at,
            expires_at: approval.expires_at,
            decided_at: approval.decided_at,
            decided_by: decider(approval.decided_by.as_ref())?,
            note: approval.note.clone(),
        })
    }
}

impl TryFrom<Model> for Approval {
    type Error = StoreError;

    fn try_from(row: Model) -> Result<Self, StoreError> {
        const ENTITY: &str = "approval";
        Ok(Self {
            id: ApprovalId::from_uuid(row.id),
            tenant_id: TenantId::from_uuid(row.tenant_id),
            kind: word(ENTITY, "kind", &row.kind)?,
            status: word(ENTITY, "status", &row.status)?,
            agent_id: AgentId::from_uuid(row.agent_id),
            job_id: JobId::from_uuid(row.job_id),
            work_item_id: WorkItemId::from_uuid(row.work_item_id),
            conversation_id: ConversationId::from_uuid(row.conversation_id),
            integration_id: IntegrationId::from_uuid(row.integration_id),
            effect_id: row.effect_id.map(EffectId::from_uuid),
            tool_call_id: row.tool_call_id.map(ToolCallId::from_uuid),
            question: row.question,
            action: row.action,
            digest: row.digest,
            approvers: json(ENTITY, "approvers", row.approvers)?,
            requesters: json(ENTITY, "requesters", row.requesters)?,
            requested_at: row.requested_at,
            expires_at: row.expires_at,
            decided_at: row.decided_at,
            decided_by: row
                .decided_by
                .map(|by| json(ENTITY, "decided_by", by))
                .transpose()?,
            note: row.note,
        })
    }
}
