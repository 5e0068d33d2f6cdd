//! Questions to people, by tenant.

use crate::{
    entity::approval::{self, Column, Entity, Model},
    error::db_error,
    hidden,
    query::{insert, is, narrow, page},
    tx::SqlTx,
};
use async_trait::async_trait;
use domain::{
    approval::{Approval, ApprovalStatus},
    id::{AgentId, ApprovalId, EffectId, JobId, TenantId},
    page::{Page, PageRequest},
};
use ports::store::{ApprovalFilter, ApprovalRepository, StoreError};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QueryOrder, Select, sea_query::Expr};

const ENTITY: &str = "approval";

pub(crate) struct SqlApprovals<'t>(pub(crate) &'t SqlTx);

#[async_trait]
impl ApprovalRepository for SqlApprovals<'_> {
    async fn insert(&self, approval: &Approval) -> Result<(), StoreError> {
        insert(&self.0.conn, Model::try_from(approval)?)
            .await
            .map_err(db_error(ENTITY))?;
        Ok(())
    }

    async fn find(&self, tenant: TenantId, id: ApprovalId) -> Result<Option<Approval>, StoreError> {
        let one = of(tenant).filter(Column::Id.eq(id.as_uuid()));
        Ok(self.all(one).await?.pop())
    }

    async fn list(
        &self,
        tenant: TenantId,
        filter: &ApprovalFilter,
        request: PageRequest,
    ) -> Result<Page<Approval>, StoreError> {
        let mut select = of(tenant);
        select = narrow(
            select,
            Column::AgentId,
            filter.agent_id.map(AgentId::as_uuid),
        );
        select = narrow(select, Column::JobId, filter.job_id.map(JobId::as_uuid));
        if let Some(status) = filter.status {
            select = select.filter(is(Column::Status, status.as_str()));
        }
        select = select.filter(hidden::approvals(&filter.hidden));
        let approvals = self.all(page(select, Column::Id, request)).await?;
        Ok(Page::from_overfetch(approvals, request.limit, |a| {
            a.id.as_uuid()
        }))
    }

    async fn pending_of_job(
        &self,
        tenant: TenantId,
        job: JobId,
    ) -> Result<Vec<Approval>, StoreError> {
        let pending = pending(tenant)
            .filter(Column::JobId.eq(job.as_uuid()))
            .order_by_asc(Column::Id);
        self.all(pending).await
    }

    async fn pending_of_effect(
        &self,
        tenant: TenantId,
        effect: EffectId,
    ) -> Result<Option<Approval>, StoreError> {
        let one = pending(tenant).filter(Column::EffectId.eq(effect.as_uuid()));
        Ok(self.all(one).await?.pop())
    }

    async fn settle(&self, approval: &Approval) -> Result<bool, StoreError> {
        let by = approval::decider(approval.decided_by.as_ref())?;
        let settled = Entity::update_many()
            .col_expr(Column::Status, Expr::value(approval.status.as_str()))
            .col_expr(Column::DecidedAt, Expr::value(approval.decided_at))
            .col_expr(Column::DecidedBy, Expr::value(by))
            .col_expr(Column::Note, Expr::value(approval.note.as_deref()))
            .filter(Column::Id.eq(approval.id.as_uuid()))
            .filter(Column::TenantId.eq(approval.tenant_id.as_uuid()))
            .filter(is(Column::Status, ApprovalStatus::Pending.as_str()))
            .exec(&self.0.conn)
            .await
            .map_err(db_error(ENTITY))?;
        Ok(settled.rows_affected > 0)
    }
}

impl SqlApprovals<'_> {
    async fn all(&self, select: Select<Entity>) -> Result<Vec<Approval>, StoreError> {
        let rows = select.all(&self.0.conn).await.map_err(db_error(ENTITY))?;
        rows.into_iter().map(Approval::try_from).collect()
    }
}

fn of(tenant: TenantId) -> Select<Entity> {
    Entity::find().filter(Column::TenantId.eq(tenant.as_uuid()))
}

fn pending(tenant: TenantId) -> Select<Entity> {
    of(tenant).filter(is(Column::Status, ApprovalStatus::Pending.as_str()))
}
