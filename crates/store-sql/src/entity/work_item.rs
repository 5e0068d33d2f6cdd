//! Work items; `text` is the message in lower case, for searching, `bot` the sender when it is one.

use crate::error::{json, word};
use domain::{
    id::{ConversationId, InboundEventId, IntegrationId, TenantId, WorkItemId},
    work::WorkItem,
};
use ports::store::StoreError;
use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "work_items")]
pub(crate) struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub(crate) id: Uuid,
    pub(crate) tenant_id: Uuid,
    pub(crate) integration_id: Uuid,
    pub(crate) conversation_id: Uuid,
    pub(crate) inbound_event_id: Uuid,
    #[sea_orm(column_type = "JsonBinary")]
    pub(crate) message: Json,
    pub(crate) text: String,
    #[sea_orm(column_type = "JsonBinary")]
    pub(crate) assigned: Json,
    pub(crate) status: String,
    pub(crate) reason: Option<String>,
    pub(crate) created_at: DateTimeUtc,
    pub(crate) closed_at: Option<DateTimeUtc>,
    pub(crate) bot: Option<String>,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub(crate) enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

impl TryFrom<Model> for WorkItem {
    type Error = StoreError;

    fn try_from(row: Model) -> Result<Self, StoreError> {
        Ok(Self {
            id: WorkItemId::from_uuid(row.id),
            tenant_id: TenantId::from_uuid(row.tenant_id),
            integration_id: IntegrationId::from_uuid(row.integration_id),
            conversation_id: ConversationId::from_uuid(row.conversation_id),
            inbound_event_id: InboundEventId::from_uuid(row.inbound_event_id),
            message: json("work item", "message", row.message)?,
            assigned: json("work item", "assigned", row.assigned)?,
            status: word("work item", "status", &row.status)?,
            reason: row.reason,
            created_at: row.created_at,
            closed_at: row.closed_at,
        })
    }
}
