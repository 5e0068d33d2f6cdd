//! Threads; no thread is stored as an empty one, so that it is unique too.

use crate::error::word;
use domain::{
    channel::Place,
    conversation::Conversation,
    id::{ConversationId, IntegrationId, TenantId},
};
use ports::store::StoreError;
use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "conversations")]
pub(crate) struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub(crate) id: Uuid,
    pub(crate) tenant_id: Uuid,
    pub(crate) integration_id: Uuid,
    pub(crate) channel: String,
    pub(crate) thread: String,
    pub(crate) chat: String,
    pub(crate) title: Option<String>,
    pub(crate) created_at: DateTimeUtc,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub(crate) enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

impl TryFrom<Model> for Conversation {
    type Error = StoreError;

    fn try_from(row: Model) -> Result<Self, StoreError> {
        Ok(Self {
            id: ConversationId::from_uuid(row.id),
            tenant_id: TenantId::from_uuid(row.tenant_id),
            integration_id: IntegrationId::from_uuid(row.integration_id),
            place: Place {
                channel: row.channel,
                thread: Some(row.thread).filter(|thread| !thread.is_empty()),
            },
            chat: word("conversation", "chat", &row.chat)?,
            title: row.title,
            created_at: row.created_at,
        })
    }
}
