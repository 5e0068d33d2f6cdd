//! Commands that outlive their job.

use crate::{
    entity::background_process::{Column, Entity, Model},
    error::db_error,
    query::{insert, narrow},
    tx::SqlTx,
};
use async_trait::async_trait;
use domain::{
    id::{AgentId, BackgroundProcessId, ConversationId, TenantId},
    sprite::BackgroundProcess,
};
use ports::store::{BackgroundProcessRepository, StoreError};
use sea_orm::{
    ColumnTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect, Select, sea_query::Expr,
};

const ENTITY: &str = "background process";

pub(crate) struct SqlBackgroundProcesses<'t>(pub(crate) &'t SqlTx);

#[async_trait]
impl BackgroundProcessRepository for SqlBackgroundProcesses<'_> {
    async fn insert(&self, process: &BackgroundProcess) -> Result<(), StoreError> {
        insert(&self.0.conn, Model::from(process))
            .await
            .map_err(db_error(ENTITY))?;
        Ok(())
    }

    async fn update(&self, process: &BackgroundProcess) -> Result<(), StoreError> {
        let row = Model::from(process);
        Entity::update_many()
            .col_expr(Column::Process, Expr::value(row.process))
            .col_expr(Column::Status, Expr::value(row.status))
            .col_expr(Column::ExitCode, Expr::value(row.exit_code))
            .col_expr(Column::Output, Expr::value(row.output))
            .col_expr(Column::EndedAt, Expr::value(row.ended_at))
            .filter(Column::Id.eq(row.id))
            .filter(Column::TenantId.eq(row.tenant_id))
            .exec(&self.0.conn)
            .await
            .map_err(db_error(ENTITY))?;
        Ok(())
    }

    async fn find(
        &self,
        tenant: TenantId,
        id: BackgroundProcessId,
    ) -> Result<Option<BackgroundProcess>, StoreError> {
        let one = of(tenant).filter(Column::Id.eq(id.as_uuid()));
        Ok(self.all(one).await?.pop())
    }

    async fn of_agent(
        &self,
        tenant: TenantId,
        agent: AgentId,
        conversation: Option<ConversationId>,
        limit: u32,
    ) -> Result<Vec<BackgroundProcess>, StoreError> {
        let conversation = conversation.map(ConversationId::as_uuid);
        let newest = of(tenant)
            .filter(Column::AgentId.eq(agent.as_uuid()))
            .order_by_desc(Column::Id)
            .limit(u64::from(limit));
        self.all(narrow(newest, Column::ConversationId, conversation))
            .await
    }
}

impl SqlBackgroundProcesses<'_> {
    async fn all(&self, select: Select<Entity>) -> Result<Vec<BackgroundProcess>, StoreError> {
        let rows = select.all(&self.0.conn).await.map_err(db_error(ENTITY))?;
        rows.into_iter().map(BackgroundProcess::try_from).collect()
    }
}

fn of(tenant: TenantId) -> Select<Entity> {
    Entity::find().filter(Column::TenantId.eq(tenant.as_uuid()))
}
