//! Lanes; `ready_at` is set while there is something to claim.

use domain::{
    id::{AgentId, ConversationId, LaneId, TenantId, WorkerId},
    queue::{Fence, Lane},
};
use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "lanes")]
pub(crate) struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub(crate) id: Uuid,
    pub(crate) tenant_id: Uuid,
    pub(crate) conversation_id: Uuid,
    pub(crate) agent_id: Uuid,
    pub(crate) lease_worker: Option<Uuid>,
    pub(crate) fence: i64,
    pub(crate) ready_at: Option<DateTimeUtc>,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub(crate) enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

impl From<Model> for Lane {
    fn from(row: Model) -> Self {
        Self {
            id: LaneId::from_uuid(row.id),
            tenant_id: TenantId::from_uuid(row.tenant_id),
            conversation_id: ConversationId::from_uuid(row.conversation_id),
            agent_id: AgentId::from_uuid(row.agent_id),
            lease: row.lease_worker.map(WorkerId::from_uuid),
            fence: Fence(row.fence),
        }
    }
}
