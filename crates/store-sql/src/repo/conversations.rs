//! Conversations, read-only: ingest makes them.

use crate::{entity::conversation, error::db_error, hidden, tx::SqlTx};
use async_trait::async_trait;
use domain::{
    access::Hidden,
    conversation::Conversation,
    id::{ConversationId, TenantId},
};
use ports::store::{ConversationRepository, StoreError};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter};

pub(crate) struct SqlConversations<'t>(pub(crate) &'t SqlTx);

#[async_trait]
impl ConversationRepository for SqlConversations<'_> {
    async fn find(
        &self,
        tenant: TenantId,
        id: ConversationId,
    ) -> Result<Option<Conversation>, StoreError> {
        conversation::Entity::find_by_id(id.as_uuid())
            .filter(conversation::Column::TenantId.eq(tenant.as_uuid()))
            .all(&self.0.conn)
            .await
            .map_err(db_error("conversation"))?
            .pop()
            .map(Conversation::try_from)
            .transpose()
    }

    async fn is_hidden(
        &self,
        tenant: TenantId,
        id: ConversationId,
        hidden: &Hidden,
    ) -> Result<bool, StoreError> {
        let seen = conversation::Entity::find_by_id(id.as_uuid())
            .filter(conversation::Column::TenantId.eq(tenant.as_uuid()))
            .filter(hidden::conversations(hidden))
            .all(&self.0.conn)
            .await
            .map_err(db_error("conversation"))?;
        Ok(seen.is_empty())
    }
}
