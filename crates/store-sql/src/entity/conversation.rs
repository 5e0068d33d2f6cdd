//! Threads; no thread is stored as an empty one, so that it is unique too.

use crate::error::word;
use domain::{
    channel::Place,
    conversation::Conversation,
    id::{AgentId, ConversationId, IntegrationId, TenantId},
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
    pub(crate) agent_id: Option<Uuid>,
    pub(crate) created_at: DateTimeUtc,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub(crate) enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

impl From<&Conversation> for Model {
    fn from(conversation: &Conversation) -> Self {
        let place = conversation.place.clone();
        Self {
            id: conversation.id.as_uuid(),
            tenant_id: conversation.tenant_id.as_uuid(),
            integration_id: conversation.integration_id.as_uuid(),
            channel: place.channel,
            thread: place.thread.unwrap_or_default(),
            chat: conversation.chat.as_str().to_owned(),
            title: conversation.title.clone(),
            agent_id: conversation.agent_id.map(AgentId::as_uuid),
            created_at: conversation.created_at,
        }
    }
}

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
            agent_id: row.agent_id.map(AgentId::from_uuid),
            created_at: row.created_at,
        })
    }
}
