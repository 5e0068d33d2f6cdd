//! Conversations and what they show. Ingest makes most of them; people begin one with an agent.

mod entries;

use crate::{
    entity::{conversation, integration, lane, work_item},
    error::{backend, db_error, word},
    hidden,
    query::{insert, narrow},
    tx::SqlTx,
};
use async_trait::async_trait;
use domain::{
    Timestamp,
    access::Hidden,
    conversation::Conversation,
    id::{AgentId, ConversationId, IntegrationId, TenantId},
    page::{Page, PageRequest},
    work::WorkItem,
};
use ports::store::{
    Answered, Before, ConversationFilter, ConversationRepository, ListedConversation, Passed,
    StoreError,
};
use sea_orm::{
    ColumnTrait, Condition, EntityTrait, QueryFilter, QuerySelect, Select,
    sea_query::{Alias, Expr, ExprTrait, Query, SelectStatement},
};
use std::{cmp::Reverse, collections::HashMap};
use uuid::Uuid;

const ENTITY: &str = "conversation";

pub(crate) struct SqlConversations<'t>(pub(crate) &'t SqlTx);

#[async_trait]
impl ConversationRepository for SqlConversations<'_> {
    async fn insert(&self, conversation: &Conversation) -> Result<(), StoreError> {
        insert(&self.0.conn, conversation::Model::from(conversation))
            .await
            .map_err(db_error(ENTITY))?;
        Ok(())
    }

    async fn list(
        &self,
        tenant: TenantId,
        filter: &ConversationFilter,
        request: PageRequest,
    ) -> Result<Page<ListedConversation>, StoreError> {
        let mut places = self.active(tenant, filter, request).await?;
        places.extend(self.silent(tenant, filter, request).await?);
        places.sort_unstable_by_key(|place| Reverse(place.1));
        places.truncate(usize::try_from(request.limit).unwrap_or(usize::MAX) + 1);
        let page = Page::from_overfetch(places, request.limit, |place| place.1);
        let next = page.next;
        let items = self.shown(tenant, page.items).await?;
        Ok(Page { items, next })
    }

    async fn items(
        &self,
        tenant: TenantId,
        id: ConversationId,
        hidden: &Hidden,
        before: Option<Before>,
        limit: u32,
    ) -> Result<Vec<WorkItem>, StoreError> {
        entries::items(self.0, (tenant, id), hidden, before, limit).await
    }

    async fn answers(
        &self,
        tenant: TenantId,
        id: ConversationId,
        hidden: &Hidden,
        before: Option<Before>,
        limit: u32,
    ) -> Result<Vec<Answered>, StoreError> {
        entries::answers(self.0, (tenant, id), hidden, before, limit).await
    }

    async fn passes(
        &self,
        tenant: TenantId,
        id: ConversationId,
        hidden: &Hidden,
        before: Option<Before>,
        limit: u32,
    ) -> Result<Vec<Passed>, StoreError> {
        entries::passes(self.0, (tenant, id), hidden, before, limit).await
    }

    async fn find(
        &self,
        tenant: TenantId,
        id: ConversationId,
    ) -> Result<Option<Conversation>, StoreError> {
        of(tenant)
            .filter(conversation::Column::Id.eq(id.as_uuid()))
            .all(&self.0.conn)
            .await
            .map_err(db_error(ENTITY))?
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
        let seen = of(tenant)
            .filter(conversation::Column::Id.eq(id.as_uuid()))
            .filter(hidden::conversations(hidden))
            .all(&self.0.conn)
            .await
            .map_err(db_error(ENTITY))?;
        Ok(seen.is_empty())
    }
}

/// A conversation, its place in the list, and when something last happened in it.
type Listed = (Uuid, Uuid, Timestamp);

impl SqlConversations<'_> {
    /// Conversations by their newest item: the list of items, without those that a newer one follows.
    async fn active(
        &self,
        tenant: TenantId,
        filter: &ConversationFilter,
        request: PageRequest,
    ) -> Result<Vec<Listed>, StoreError> {
        use work_item::Column;
        let mut select = narrow(
            work_item::Entity::find().filter(Column::TenantId.eq(tenant.as_uuid())),
            Column::IntegrationId,
            filter.integration_id.map(IntegrationId::as_uuid),
        );
        select = narrow(
            select,
            Column::ConversationId,
            filter.id.map(ConversationId::as_uuid),
        );
        select = select
            .filter(Expr::exists(newer(tenant)).not())
            .filter(Expr::exists(
                Query::select()
                    .expr(Expr::value(1))
                    .from(conversation::Entity)
                    .and_where(
                        Expr::col((conversation::Entity, conversation::Column::Id))
                            .equals((work_item::Entity, Column::ConversationId)),
                    )
                    .cond_where(worked_in(filter))
                    .cond_where(hidden::conversations(&filter.hidden))
                    .to_owned(),
            ));
        let mut select = crate::query::page(select, Column::Id, request);
        if filter.id.is_some() {
            // Looking for a second one would mean going through all that was said.
            select = select.limit(1);
        }
        select
            .select_only()
            .columns([Column::ConversationId, Column::Id, Column::CreatedAt])
            .into_tuple()
            .all(&self.0.conn)
            .await
            .map_err(db_error(ENTITY))
    }

    /// Conversations that somebody began and in which nobody said anything yet.
    async fn silent(
        &self,
        tenant: TenantId,
        filter: &ConversationFilter,
        request: PageRequest,
    ) -> Result<Vec<Listed>, StoreError> {
        use conversation::Column;
        let said = Query::select()
            .expr(Expr::value(1))
            .from(work_item::Entity)
            .and_where(work_item::Column::TenantId.eq(tenant.as_uuid()))
            .and_where(
                Expr::col((work_item::Entity, work_item::Column::ConversationId))
                    .equals((conversation::Entity, Column::Id)),
            )
            .to_owned();
        let select = narrow(
            of(tenant).filter(Column::AgentId.is_not_null()),
            Column::IntegrationId,
            filter.integration_id.map(IntegrationId::as_uuid),
        );
        let select = narrow(select, Column::Id, filter.id.map(ConversationId::as_uuid))
            .filter(Expr::exists(said).not())
            .filter(begun_with(filter))
            .filter(hidden::conversations(&filter.hidden));
        let rows: Vec<(Uuid, Timestamp)> = crate::query::page(select, Column::Id, request)
            .select_only()
            .columns([Column::Id, Column::CreatedAt])
            .into_tuple()
            .all(&self.0.conn)
            .await
            .map_err(db_error(ENTITY))?;
        Ok(rows.into_iter().map(|(id, at)| (id, id, at)).collect())
    }

    /// The rows of a page, in its order, each with the name of its integration, removed ones included.
    async fn shown(
        &self,
        tenant: TenantId,
        places: Vec<Listed>,
    ) -> Result<Vec<ListedConversation>, StoreError> {
        if places.is_empty() {
            return Ok(Vec::new());
        }
        let ids = places.iter().map(|(id, ..)| *id);
        let rows: Vec<conversation::Model> = of(tenant)
            .filter(conversation::Column::Id.is_in(ids))
            .all(&self.0.conn)
            .await
            .map_err(db_error(ENTITY))?;
        let there = rows.iter().map(|row| row.integration_id);
        let integrations: HashMap<Uuid, integration::Model> = integration::Entity::find()
            .filter(integration::Column::TenantId.eq(tenant.as_uuid()))
            .filter(integration::Column::Id.is_in(there))
            .all(&self.0.conn)
            .await
            .map_err(db_error(ENTITY))?
            .into_iter()
            .map(|row| (row.id, row))
            .collect();
        let mut rows: HashMap<Uuid, conversation::Model> =
            rows.into_iter().map(|row| (row.id, row)).collect();
        let lost = || backend("a conversation was lost within its snapshot");
        places
            .into_iter()
            .map(|(id, newest, last_activity_at)| {
                let row = rows.remove(&id).ok_or_else(lost)?;
                let at = integrations.get(&row.integration_id).ok_or_else(lost)?;
                Ok(ListedConversation {
                    conversation: Conversation::try_from(row)?,
                    integration_name: at.name.clone(),
                    channel: word("integration", "channel", &at.channel)?,
                    newest,
                    last_activity_at,
                })
            })
            .collect()
    }
}

/// Items of the same conversation that came later.
fn newer(tenant: TenantId) -> SelectStatement {
    use work_item::Column;
    let newer = Alias::new("newer");
    let of = |column: Column| Expr::col((newer.clone(), column));
    Query::select()
        .expr(Expr::value(1))
        .from_as(work_item::Entity, newer.clone())
        .and_where(of(Column::TenantId).eq(tenant.as_uuid()))
        .and_where(of(Column::ConversationId).equals((work_item::Entity, Column::ConversationId)))
        .and_where(of(Column::Id).gt(Expr::col((work_item::Entity, Column::Id))))
        .to_owned()
}

/// Conversations in which the agent of the filter works.
fn worked_in(filter: &ConversationFilter) -> Condition {
    let Some(agent) = filter.agent_id else {
        return Condition::all();
    };
    let lane = Query::select()
        .expr(Expr::value(1))
        .from(lane::Entity)
        .and_where(
            Expr::col((lane::Entity, lane::Column::ConversationId))
                .equals((conversation::Entity, conversation::Column::Id)),
        )
        .and_where(lane::Column::AgentId.eq(agent.as_uuid()))
        .to_owned();
    Condition::all().add(Expr::exists(lane))
}

/// Conversations that were begun with the agent of the filter.
fn begun_with(filter: &ConversationFilter) -> Condition {
    let agent = filter.agent_id.map(AgentId::as_uuid);
    agent.map_or_else(Condition::all, |agent| {
        Condition::all().add(conversation::Column::AgentId.eq(agent))
    })
}

fn of(tenant: TenantId) -> Select<conversation::Entity> {
    conversation::Entity::find().filter(conversation::Column::TenantId.eq(tenant.as_uuid()))
}
