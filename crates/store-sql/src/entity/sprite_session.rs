//! Shells in sprites.

use crate::error::word;
use domain::{
    id::{AgentId, JobId, SpriteSessionId, TenantId},
    sprite::SpriteSession,
};
use ports::store::StoreError;
use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "sprite_sessions")]
pub(crate) struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub(crate) id: Uuid,
    pub(crate) tenant_id: Uuid,
    pub(crate) agent_id: Uuid,
    pub(crate) job_id: Uuid,
    pub(crate) instance: Option<String>,
    pub(crate) status: String,
    pub(crate) created_at: DateTimeUtc,
    pub(crate) closed_at: Option<DateTimeUtc>,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub(crate) enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

impl From<&SpriteSession> for Model {
    fn from(session: &SpriteSession) -> Self {
        Self {
            id: session.id.as_uuid(),
            tenant_id: session.tenant_id.as_uuid(),
            agent_id: session.agent_id.as_uuid(),
            job_id: session.job_id.as_uuid(),
            instance: session.instance.clone(),
            status: session.status.as_str().to_owned(),
            created_at: session.created_at,
            closed_at: session.closed_at,
        }
    }
}

impl TryFrom<Model> for SpriteSession {
    type Error = StoreError;

    fn try_from(row: Model) -> Result<Self, StoreError> {
        Ok(Self {
            id: SpriteSessionId::from_uuid(row.id),
            tenant_id: TenantId::from_uuid(row.tenant_id),
            agent_id: AgentId::from_uuid(row.agent_id),
            job_id: JobId::from_uuid(row.job_id),
            instance: row.instance,
            status: word("sprite session", "status", &row.status)?,
            created_at: row.created_at,
            closed_at: row.closed_at,
        })
    }
}
