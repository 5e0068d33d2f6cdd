//! Shells in sprites.

use crate::{
    entity::sprite_session,
    error::db_error,
    query::{insert, is},
    tx::SqlTx,
};
use async_trait::async_trait;
use domain::{
    Timestamp,
    id::{AgentId, JobId, SpriteSessionId, TenantId},
    sprite::{SpriteSession, SpriteSessionStatus},
};
use ports::store::{SpriteSessionRepository, StoreError};
use sea_orm::{
    ColumnTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect, Select, sea_query::Expr,
};

const ENTITY: &str = "sprite session";

pub(crate) struct SqlSpriteSessions<'t>(pub(crate) &'t SqlTx);

#[async_trait]
impl SpriteSessionRepository for SqlSpriteSessions<'_> {
    async fn insert(&self, session: &SpriteSession) -> Result<(), StoreError> {
        insert(&self.0.conn, sprite_session::Model::from(session))
            .await
            .map_err(db_error(ENTITY))?;
        Ok(())
    }

    async fn open_of_job(
        &self,
        tenant: TenantId,
        job: JobId,
    ) -> Result<Option<SpriteSession>, StoreError> {
        of(tenant)
            .filter(sprite_session::Column::JobId.eq(job.as_uuid()))
            .filter(is(
                sprite_session::Column::Status,
                SpriteSessionStatus::Open.as_str(),
            ))
            .all(&self.0.conn)
            .await
            .map_err(db_error(ENTITY))?
            .pop()
            .map(SpriteSession::try_from)
            .transpose()
    }

    async fn of_agent(
        &self,
        tenant: TenantId,
        agent: AgentId,
        limit: u32,
    ) -> Result<Vec<SpriteSession>, StoreError> {
        of(tenant)
            .filter(sprite_session::Column::AgentId.eq(agent.as_uuid()))
            .order_by_desc(sprite_session::Column::Id)
            .limit(u64::from(limit))
            .all(&self.0.conn)
            .await
            .map_err(db_error(ENTITY))?
            .into_iter()
            .map(SpriteSession::try_from)
            .collect()
    }

    async fn close(
        &self,
        tenant: TenantId,
        id: SpriteSessionId,
        status: SpriteSessionStatus,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        use sprite_session::Column;
        // The first end counts: a shell that was closed is not lost later.
        sprite_session::Entity::update_many()
            .col_expr(Column::Status, Expr::value(status.as_str()))
            .col_expr(Column::ClosedAt, Expr::value(now))
            .filter(Column::Id.eq(id.as_uuid()))
            .filter(Column::TenantId.eq(tenant.as_uuid()))
            .filter(is(Column::Status, SpriteSessionStatus::Open.as_str()))
            .exec(&self.0.conn)
            .await
            .map_err(db_error(ENTITY))?;
        Ok(())
    }
}

fn of(tenant: TenantId) -> Select<sprite_session::Entity> {
    sprite_session::Entity::find().filter(sprite_session::Column::TenantId.eq(tenant.as_uuid()))
}
