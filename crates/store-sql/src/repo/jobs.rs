//! Jobs, each with its own budget row.

use crate::{
    entity::job,
    error::{corrupt, db_error},
    hidden,
    query::{insert, is, is_any, narrow, page},
    repo::ledger,
    tx::SqlTx,
};
use async_trait::async_trait;
use domain::{
    Timestamp,
    budget::{BudgetScope, Limit, Period},
    id::{AgentId, ConversationId, JobId, LaneId, TenantId, WorkItemId},
    job::{Job, JobStatus},
    page::{Page, PageRequest},
};
use ports::store::{JobFilter, JobRepository, StoreError};
use sea_orm::{
    ColumnTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect, Select, UpdateMany,
    sea_query::{CaseStatement, Expr, ExprTrait},
};

const ENTITY: &str = "job";

/// What a job may still come back from.
pub(crate) const UNFINISHED: [&str; 3] = [
    JobStatus::Queued.as_str(),
    JobStatus::Running.as_str(),
    JobStatus::Waiting.as_str(),
];

/// What a job never comes back from.
const FINAL: [&str; 3] = [
    JobStatus::Completed.as_str(),
    JobStatus::Failed.as_str(),
    JobStatus::Cancelled.as_str(),
];

pub(crate) struct SqlJobs<'t>(pub(crate) &'t SqlTx);

#[async_trait]
impl JobRepository for SqlJobs<'_> {
    async fn insert(&self, job: &Job, budget: Limit) -> Result<(), StoreError> {
        insert(&self.0.conn, job::Model::from(job))
            .await
            .map_err(db_error(ENTITY))?;
        ledger::set_limit(
            self.0,
            job.tenant_id,
            BudgetScope::Job(job.id),
            (Period::Total, budget),
            job.created_at,
        )
        .await
    }

    async fn find(&self, tenant: TenantId, id: JobId) -> Result<Option<Job>, StoreError> {
        of(tenant)
            .filter(job::Column::Id.eq(id.as_uuid()))
            .all(&self.0.conn)
            .await
            .map_err(db_error(ENTITY))?
            .pop()
            .map(Job::try_from)
            .transpose()
    }

    async fn list(
        &self,
        tenant: TenantId,
        filter: &JobFilter,
        request: PageRequest,
    ) -> Result<Page<Job>, StoreError> {
        let mut select = of(tenant);
        select = narrow(
            select,
            job::Column::AgentId,
            filter.agent_id.map(AgentId::as_uuid),
        );
        select = narrow(
            select,
            job::Column::WorkItemId,
            filter.work_item_id.map(WorkItemId::as_uuid),
        );
        select = narrow(
            select,
            job::Column::ConversationId,
            filter.conversation_id.map(ConversationId::as_uuid),
        );
        if let Some(status) = filter.status {
            select = select.filter(is(job::Column::Status, status.as_str()));
        }
        select = select.filter(hidden::jobs(&filter.hidden));
        let jobs = self.all(page(select, job::Column::Id, request)).await?;
        Ok(Page::from_overfetch(jobs, request.limit, |j| {
            j.id.as_uuid()
        }))
    }

    async fn update(&self, job: &Job) -> Result<(), StoreError> {
        use job::Column;
        let failure = job.failure.as_ref();
        this(job.tenant_id, job.id)
            .col_expr(Column::Status, Expr::value(job.status.as_str()))
            .col_expr(
                Column::FailureCode,
                Expr::value(failure.map(|f| f.code.as_str())),
            )
            .col_expr(
                Column::FailureMessage,
                Expr::value(failure.map(|f| f.message.as_str())),
            )
            .col_expr(Column::InputTokens, Expr::value(job.usage.input))
            .col_expr(Column::OutputTokens, Expr::value(job.usage.output))
            .col_expr(Column::CacheReadTokens, Expr::value(job.usage.cache_read))
            .col_expr(Column::CacheWriteTokens, Expr::value(job.usage.cache_write))
            .col_expr(Column::CostMicros, Expr::value(job.cost.0))
            .col_expr(Column::StartedAt, Expr::value(job.started_at))
            .col_expr(Column::FinishedAt, Expr::value(job.finished_at))
            .exec(&self.0.conn)
            .await
            .map_err(db_error(ENTITY))?;
        Ok(())
    }

    async fn request_cancel(
        &self,
        tenant: TenantId,
        id: JobId,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        let asked = ask_to_stop(now)
            .filter(job::Column::Id.eq(id.as_uuid()))
            .filter(job::Column::TenantId.eq(tenant.as_uuid()))
            .filter(is_any(job::Column::Status, &UNFINISHED))
            .exec(&self.0.conn)
            .await
            .map_err(db_error(ENTITY))?;
        if asked.rows_affected > 0 {
            self.0.note(|c| c.cancelled.push(id));
        }
        Ok(asked.rows_affected > 0)
    }

    async fn resumed(&self, tenant: TenantId, id: JobId, seq: i64) -> Result<u32, StoreError> {
        use job::Column;
        let same = Expr::col(Column::ResumedSeq).eq(seq);
        let times = CaseStatement::new()
            .case(same, Expr::col(Column::Resumes).add(1))
            .finally(1);
        let rows = this(tenant, id)
            .col_expr(Column::Resumes, times.into())
            .col_expr(Column::ResumedSeq, Expr::value(seq))
            .exec_with_returning(&self.0.conn)
            .await
            .map_err(db_error(ENTITY))?;
        let times = rows.first().map_or(0, |row| row.resumes);
        u32::try_from(times).map_err(|error| corrupt(ENTITY, "resumes", error.into()))
    }

    async fn last_attempt(
        &self,
        tenant: TenantId,
        item: WorkItemId,
        agent: AgentId,
    ) -> Result<i32, StoreError> {
        let highest: Option<Option<i32>> = of(tenant)
            .filter(job::Column::WorkItemId.eq(item.as_uuid()))
            .filter(job::Column::AgentId.eq(agent.as_uuid()))
            .select_only()
            .column_as(job::Column::Attempt.max(), "attempt")
            .into_tuple()
            .all(&self.0.conn)
            .await
            .map_err(db_error(ENTITY))?
            .pop();
        Ok(highest.flatten().unwrap_or(0))
    }

    async fn finished_in_lane(
        &self,
        tenant: TenantId,
        lane: LaneId,
        before: JobId,
        limit: u32,
    ) -> Result<Vec<Job>, StoreError> {
        let select = of(tenant)
            .filter(job::Column::LaneId.eq(lane.as_uuid()))
            .filter(job::Column::Id.lt(before.as_uuid()))
            .filter(is_any(job::Column::Status, &FINAL))
            .order_by_desc(job::Column::Id)
            .limit(u64::from(limit));
        self.all(select).await
    }
}

impl SqlJobs<'_> {
    async fn all(&self, select: Select<job::Entity>) -> Result<Vec<Job>, StoreError> {
        select
            .all(&self.0.conn)
            .await
            .map_err(db_error(ENTITY))?
            .into_iter()
            .map(Job::try_from)
            .collect()
    }
}

/// Notes when jobs were asked to stop, for the first time.
pub(crate) fn ask_to_stop(now: Timestamp) -> UpdateMany<job::Entity> {
    let column = job::Column::CancelRequestedAt;
    job::Entity::update_many().col_expr(column, Expr::col(column).if_null(now))
}

fn of(tenant: TenantId) -> Select<job::Entity> {
    job::Entity::find().filter(job::Column::TenantId.eq(tenant.as_uuid()))
}

fn this(tenant: TenantId, id: JobId) -> UpdateMany<job::Entity> {
    job::Entity::update_many()
        .filter(job::Column::Id.eq(id.as_uuid()))
        .filter(job::Column::TenantId.eq(tenant.as_uuid()))
}
