//! Shells in sprites.

use crate::{
    entity::{job, lane, sprite_session},
    error::db_error,
    query::{insert, is, is_any, page},
    repo::jobs::UNFINISHED,
    tx::SqlTx,
};
use async_trait::async_trait;
use domain::{
    Timestamp,
    id::{AgentId, JobId, SpriteSessionId, TenantId},
    page::{Page, PageRequest},
    sprite::{SpriteSession, SpriteSessionStatus},
};
use ports::store::{SpriteSessionRepository, StoreError};
use sea_orm::{
    ColumnTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect, Select,
    sea_query::{Expr, ExprTrait, Query, SelectStatement},
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
        let newest = of(tenant)
            .filter(sprite_session::Column::AgentId.eq(agent.as_uuid()))
            .order_by_desc(sprite_session::Column::Id)
            .limit(u64::from(limit));
        self.all(newest).await
    }

    async fn list(
        &self,
        tenant: TenantId,
        status: Option<SpriteSessionStatus>,
        request: PageRequest,
    ) -> Result<Page<SpriteSession>, StoreError> {
        let mut select = of(tenant);
        if let Some(status) = status {
            select = select.filter(is(sprite_session::Column::Status, status.as_str()));
        }
        let rows = self.all(page(select, sprite_session::Column::Id, request));
        Ok(Page::from_overfetch(
            rows.await?,
            request.limit,
            |session| session.id.as_uuid(),
        ))
    }

    async fn orphaned(
        &self,
        tenant: TenantId,
        instance: &str,
        limit: u32,
    ) -> Result<Vec<SpriteSession>, StoreError> {
        let of_instance = sprite_session::Column::Instance
            .eq(instance)
            .or(sprite_session::Column::Instance.is_null());
        let open = is(
            sprite_session::Column::Status,
            SpriteSessionStatus::Open.as_str(),
        );
        self.all(
            of(tenant)
                .filter(open)
                .filter(of_instance)
                .filter(Expr::exists(held()).not())
                .order_by_asc(sprite_session::Column::Id)
                .limit(u64::from(limit)),
        )
        .await
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

impl SqlSpriteSessions<'_> {
    async fn all(
        &self,
        select: Select<sprite_session::Entity>,
    ) -> Result<Vec<SpriteSession>, StoreError> {
        let rows = select.all(&self.0.conn).await.map_err(db_error(ENTITY))?;
        rows.into_iter().map(SpriteSession::try_from).collect()
    }
}

/// A process that is at work on the job of the shell around this.
fn held() -> SelectStatement {
    let job = |column: job::Column| Expr::col((job::Entity, column));
    let lane = (lane::Entity, lane::Column::Id);
    Query::select()
        .expr(Expr::value(1))
        .from(job::Entity)
        .inner_join(lane::Entity, job(job::Column::LaneId).equals(lane))
        .and_where(
            job(job::Column::Id).equals((sprite_session::Entity, sprite_session::Column::JobId)),
        )
        .and_where(is_any(job::Column::Status, &UNFINISHED))
        .and_where(Expr::col((lane::Entity, lane::Column::LeaseWorker)).is_not_null())
        .to_owned()
}

fn of(tenant: TenantId) -> Select<sprite_session::Entity> {
    sprite_session::Entity::find().filter(sprite_session::Column::TenantId.eq(tenant.as_uuid()))
}
