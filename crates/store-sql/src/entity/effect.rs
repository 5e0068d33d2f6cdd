//! Effects; `worker_id` is who is sending.

use crate::error::{json, to_json, word};
use domain::{
    effect::Effect,
    id::{ConversationId, EffectId, IntegrationId, JobId, TenantId},
};
use ports::store::StoreError;
use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "effects")]
pub(crate) struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub(crate) id: Uuid,
    pub(crate) tenant_id: Uuid,
    pub(crate) job_id: Uuid,
    pub(crate) slot: String,
    pub(crate) integration_id: Uuid,
    pub(crate) conversation_id: Uuid,
    pub(crate) kind: String,
    #[sea_orm(column_type = "JsonBinary")]
    pub(crate) action: Json,
    pub(crate) status: String,
    pub(crate) dead_reason: Option<String>,
    pub(crate) detail: Option<String>,
    pub(crate) attempts: i32,
    pub(crate) next_attempt_at: DateTimeUtc,
    pub(crate) expires_at: DateTimeUtc,
    pub(crate) provider_reference: Option<String>,
    pub(crate) worker_id: Option<Uuid>,
    pub(crate) created_at: DateTimeUtc,
    pub(crate) settled_at: Option<DateTimeUtc>,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub(crate) enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

impl TryFrom<&Effect> for Model {
    type Error = StoreError;

    fn try_from(effect: &Effect) -> Result<Self, StoreError> {
        Ok(Self {
            id: effect.id.as_uuid(),
            tenant_id: effect.tenant_id.as_uuid(),
            job_id: effect.job_id.as_uuid(),
            slot: effect.slot.clone(),
            integration_id: effect.integration_id.as_uuid(),
            conversation_id: effect.conversation_id.as_uuid(),
            kind: effect.action.kind().to_owned(),
            action: to_json(&effect.action)?,
            status: effect.status.as_str().to_owned(),
            dead_reason: effect.dead_reason.map(|why| why.as_str().to_owned()),
            detail: effect.detail.clone(),
            attempts: effect.attempts,
            next_attempt_at: effect.next_attempt_at,
            expires_at: effect.expires_at,
            provider_reference: effect.provider_reference.clone(),
            worker_id: None,
            created_at: effect.created_at,
            settled_at: effect.settled_at,
        })
    }
}

impl TryFrom<Model> for Effect {
    type Error = StoreError;

    fn try_from(row: Model) -> Result<Self, StoreError> {
        Ok(Self {
            id: EffectId::from_uuid(row.id),
            tenant_id: TenantId::from_uuid(row.tenant_id),
            job_id: JobId::from_uuid(row.job_id),
            slot: row.slot,
            integration_id: IntegrationId::from_uuid(row.integration_id),
            conversation_id: ConversationId::from_uuid(row.conversation_id),
            action: json("effect", "action", row.action)?,
            status: word("effect", "status", &row.status)?,
            dead_reason: row
                .dead_reason
                .map(|why| word("effect", "dead_reason", &why))
                .transpose()?,
            detail: row.detail,
            attempts: row.attempts,
            next_attempt_at: row.next_attempt_at,
            expires_at: row.expires_at,
            provider_reference: row.provider_reference,
            created_at: row.created_at,
            settled_at: row.settled_at,
        })
    }
}
