//! Effects of a tenant; claiming the due ones is in [`crate::lease`].

use crate::{
    entity::{effect, job},
    error::db_error,
    hidden,
    query::{insert, is, narrow, page},
    tx::SqlTx,
};
use async_trait::async_trait;
use domain::{
    effect::{DeadReason, Effect, EffectStatus},
    id::{AgentId, EffectId, IntegrationId, JobId, TenantId, WorkItemId, WorkerId},
    page::{Page, PageRequest},
};
use ports::store::{EffectFilter, EffectRepository, StoreError};
use sea_orm::{
    ColumnTrait, EntityTrait, QueryFilter, QueryOrder, Select,
    sea_query::{Expr, ExprTrait, Query},
};
use uuid::Uuid;

const ENTITY: &str = "effect";

pub(crate) struct SqlEffects<'t>(pub(crate) &'t SqlTx);

#[async_trait]
impl EffectRepository for SqlEffects<'_> {
    async fn insert(&self, effect: &Effect) -> Result<(), StoreError> {
        insert(&self.0.conn, effect::Model::try_from(effect)?)
            .await
            .map_err(db_error(ENTITY))?;
        if effect.status == EffectStatus::Pending {
            self.0.note(|c| c.effects_ready = true);
        }
        Ok(())
    }

    async fn find(&self, tenant: TenantId, id: EffectId) -> Result<Option<Effect>, StoreError> {
        of(tenant)
            .filter(effect::Column::Id.eq(id.as_uuid()))
            .all(&self.0.conn)
            .await
            .map_err(db_error(ENTITY))?
            .pop()
            .map(Effect::try_from)
            .transpose()
    }

    async fn list(
        &self,
        tenant: TenantId,
        filter: &EffectFilter,
        request: PageRequest,
    ) -> Result<Page<Effect>, StoreError> {
        let mut select = of(tenant);
        select = narrow(
            select,
            effect::Column::JobId,
            filter.job_id.map(JobId::as_uuid),
        );
        select = narrow(
            select,
            effect::Column::IntegrationId,
            filter.integration_id.map(IntegrationId::as_uuid),
        );
        select = of_jobs(select, tenant, filter);
        if let Some(status) = filter.status {
            select = select.filter(is(effect::Column::Status, status.as_str()));
        }
        select = select.filter(hidden::effects(&filter.hidden));
        let effects = self.all(page(select, effect::Column::Id, request)).await?;
        Ok(Page::from_overfetch(effects, request.limit, |e| {
            e.id.as_uuid()
        }))
    }

    async fn of_job(&self, tenant: TenantId, job: JobId) -> Result<Vec<Effect>, StoreError> {
        let select = of(tenant)
            .filter(effect::Column::JobId.eq(job.as_uuid()))
            .order_by_asc(effect::Column::Id);
        self.all(select).await
    }

    async fn update(&self, effect: &Effect, expected: EffectStatus) -> Result<bool, StoreError> {
        let stands = is(effect::Column::Status, expected.as_str());
        self.write(effect, stands).await
    }

    async fn settle(&self, effect: &Effect, worker: WorkerId) -> Result<bool, StoreError> {
        let own = is(effect::Column::Status, EffectStatus::Sending.as_str())
            .and(effect::Column::WorkerId.eq(worker.as_uuid()));
        self.write(effect, own).await
    }
}

impl SqlEffects<'_> {
    /// Writes an effect if its row still stands as the caller believes.
    async fn write(&self, effect: &Effect, stands: Expr) -> Result<bool, StoreError> {
        use effect::Column;
        let mut update = effect::Entity::update_many()
            .col_expr(Column::Status, Expr::value(effect.status.as_str()))
            .col_expr(
                Column::DeadReason,
                Expr::value(effect.dead_reason.map(DeadReason::as_str)),
            )
            .col_expr(Column::Detail, Expr::value(effect.detail.as_deref()))
            .col_expr(Column::Attempts, Expr::value(effect.attempts))
            .col_expr(Column::NextAttemptAt, Expr::value(effect.next_attempt_at))
            .col_expr(Column::ExpiresAt, Expr::value(effect.expires_at))
            .col_expr(
                Column::ProviderReference,
                Expr::value(effect.provider_reference.as_deref()),
            )
            .col_expr(Column::SettledAt, Expr::value(effect.settled_at));
        if effect.status != EffectStatus::Sending {
            update = update.col_expr(Column::WorkerId, Expr::value(None::<Uuid>));
        }
        let updated = update
            .filter(Column::Id.eq(effect.id.as_uuid()))
            .filter(Column::TenantId.eq(effect.tenant_id.as_uuid()))
            .filter(stands)
            .exec(&self.0.conn)
            .await
            .map_err(db_error(ENTITY))?;
        let done = updated.rows_affected > 0;
        // Either this one is due, or it no longer stands in the way of the next one.
        if done && effect.status != EffectStatus::Sending {
            self.0.note(|c| c.effects_ready = true);
        }
        Ok(done)
    }

    async fn all(&self, select: Select<effect::Entity>) -> Result<Vec<Effect>, StoreError> {
        select
            .all(&self.0.conn)
            .await
            .map_err(db_error(ENTITY))?
            .into_iter()
            .map(Effect::try_from)
            .collect()
    }
}

/// Narrows a list to the jobs for an item, or of an agent.
fn of_jobs(
    select: Select<effect::Entity>,
    tenant: TenantId,
    filter: &EffectFilter,
) -> Select<effect::Entity> {
    if filter.work_item_id.is_none() && filter.agent_id.is_none() {
        return select;
    }
    let item = filter.work_item_id.map(WorkItemId::as_uuid);
    let agent = filter.agent_id.map(AgentId::as_uuid);
    let mut jobs = Query::select();
    jobs.column(job::Column::Id).from(job::Entity);
    jobs.and_where(job::Column::TenantId.eq(tenant.as_uuid()));
    for (column, value) in [
        (job::Column::WorkItemId, item),
        (job::Column::AgentId, agent),
    ] {
        if let Some(value) = value {
            jobs.and_where(column.eq(value));
        }
    }
    select.filter(effect::Column::JobId.in_subquery(jobs))
}

fn of(tenant: TenantId) -> Select<effect::Entity> {
    effect::Entity::find().filter(effect::Column::TenantId.eq(tenant.as_uuid()))
}
