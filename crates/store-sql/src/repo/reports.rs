//! Sums over many rows, one statement each. What they are told apart by, and what is left out of them, is decided by
//! the database; nothing here loads rows to count them.

mod costs;
mod days;

use crate::{
    entity::{agent, approval, budget, effect, job, lane, lane_entry, work_item},
    error::db_error,
    hidden,
    query::{is, is_any},
    repo::jobs::UNFINISHED,
    tx::SqlTx,
};
use async_trait::async_trait;
use domain::{
    Timestamp,
    access::Hidden,
    approval::ApprovalStatus,
    budget::{BudgetScope, Micros, day_start},
    effect::EffectStatus,
    id::{AgentId, TenantId},
    job::JobStatus,
    queue::EntryStatus,
    work::WorkItemStatus,
};
use ports::store::{
    AgentStanding, CostFilter, CostRow, DayOutcome, DayWait, LedgerRepository as _, Needs,
    ReportRepository, StoreError,
};
use sea_orm::{
    ColumnTrait, Condition, EntityTrait, FromQueryResult, JoinType, QueryFilter, QueryOrder,
    QuerySelect, RelationDef, Select,
    prelude::DateTimeUtc,
    sea_query::{Alias, Expr, ExprTrait, Order, Query, SubQueryStatement},
};
use std::collections::HashMap;
use uuid::Uuid;

const ENTITY: &str = "report";

pub(crate) struct SqlReports<'t>(pub(crate) &'t SqlTx);

#[async_trait]
impl ReportRepository for SqlReports<'_> {
    async fn needs(
        &self,
        tenant: TenantId,
        hidden: &Hidden,
        since: Timestamp,
    ) -> Result<Needs, StoreError> {
        let effects = self.effects(tenant, hidden).await?;
        let of = |status: EffectStatus| effects.get(status.as_str()).copied().unwrap_or(0);
        let approvals = approval::Entity::find()
            .filter(approval::Column::TenantId.eq(tenant.as_uuid()))
            .filter(is(
                approval::Column::Status,
                ApprovalStatus::Pending.as_str(),
            ))
            .filter(hidden::approvals(hidden));
        let failed = jobs(tenant, hidden)
            .filter(is(job::Column::Status, JobStatus::Failed.as_str()))
            .filter(job::Column::FinishedAt.gte(since))
            .filter(Expr::exists(later_attempts()).not());
        Ok(Needs {
            approvals: self.count(approvals, approval::Column::Id).await?,
            failed_jobs: self.count(failed, job::Column::Id).await?,
            dead_letters: of(EffectStatus::Failed),
            unknown_effects: of(EffectStatus::Unknown),
            pending_effects: of(EffectStatus::Pending),
        })
    }

    async fn agents(
        &self,
        tenant: TenantId,
        hidden: &Hidden,
        now: Timestamp,
    ) -> Result<Vec<AgentStanding>, StoreError> {
        let today = day_start(now);
        let rows = self.standings(tenant).await?;
        let jobs = self.unfinished(tenant, hidden).await?;
        let lanes = self.queues(tenant, hidden).await?;
        let jobs = |agent: Uuid, status: JobStatus| {
            let key = (agent, status.as_str().to_owned());
            jobs.get(&key).copied().unwrap_or(0)
        };
        let mut agents = Vec::with_capacity(rows.len());
        for (row, own) in rows {
            let agent = row.id;
            let id = AgentId::from_uuid(agent);
            if hidden.agents.contains(&id) {
                continue;
            }
            let (queued, oldest) = lanes.get(&agent).copied().unwrap_or_default();
            agents.push(AgentStanding {
                id,
                name: row.name,
                enabled: row.enabled,
                budget: own.limit()?,
                spent_today: spent_since(&own, today),
                running: jobs(agent, JobStatus::Running),
                waiting: jobs(agent, JobStatus::Waiting),
                queued,
                oldest_queued_at: oldest,
                last_active_at: row.last_active_at,
            });
        }
        Ok(agents)
    }

    async fn spent_today(&self, tenant: TenantId, now: Timestamp) -> Result<Micros, StoreError> {
        let ledger = crate::repo::ledger::SqlLedger(self.0);
        let budget = ledger.find_budget(tenant, BudgetScope::Tenant).await?;
        Ok(budget
            .filter(|budget| budget.period_start >= day_start(now))
            .map_or(Micros::ZERO, |budget| budget.spent))
    }

    async fn costs(
        &self,
        tenant: TenantId,
        filter: &CostFilter,
    ) -> Result<Vec<CostRow>, StoreError> {
        costs::add_up(self.0, tenant, filter).await
    }

    async fn outcomes(
        &self,
        tenant: TenantId,
        hidden: &Hidden,
        (from, to): (Timestamp, Timestamp),
    ) -> Result<Vec<DayOutcome>, StoreError> {
        days::outcomes(
            self.0,
            jobs(tenant, hidden)
                .filter(job::Column::FinishedAt.gte(from))
                .filter(job::Column::FinishedAt.lt(to)),
        )
        .await
    }

    async fn waits(
        &self,
        tenant: TenantId,
        hidden: &Hidden,
        (from, to): (Timestamp, Timestamp),
    ) -> Result<Vec<DayWait>, StoreError> {
        use work_item::Column;
        let answered = work_item::Entity::find()
            .filter(Column::TenantId.eq(tenant.as_uuid()))
            .filter(is(Column::Status, WorkItemStatus::Replied.as_str()))
            .filter(Column::ClosedAt.gte(from))
            .filter(Column::ClosedAt.lt(to))
            .filter(hidden::items(hidden));
        days::waits(self.0, answered).await
    }
}

#[derive(FromQueryResult)]
struct Standing {
    id: Uuid,
    name: String,
    enabled: bool,
    last_active_at: Option<DateTimeUtc>,
}

impl SqlReports<'_> {
    async fn count<E: EntityTrait>(
        &self,
        select: Select<E>,
        id: impl ColumnTrait,
    ) -> Result<i64, StoreError> {
        let counts: Vec<i64> = select
            .select_only()
            .column_as(id.count(), "number")
            .into_tuple()
            .all(&self.0.conn)
            .await
            .map_err(db_error(ENTITY))?;
        Ok(counts.first().copied().unwrap_or(0))
    }

    /// How many effects stand so that somebody, or the next worker, has to do something.
    async fn effects(
        &self,
        tenant: TenantId,
        hidden: &Hidden,
    ) -> Result<HashMap<String, i64>, StoreError> {
        use effect::Column;
        const OPEN: [&str; 3] = [
            EffectStatus::Pending.as_str(),
            EffectStatus::Unknown.as_str(),
            EffectStatus::Failed.as_str(),
        ];
        let counts: Vec<(String, i64)> = effect::Entity::find()
            .filter(Column::TenantId.eq(tenant.as_uuid()))
            .filter(is_any(Column::Status, &OPEN))
            .filter(hidden::effects(hidden))
            .select_only()
            .column(Column::Status)
            .column_as(Column::Id.count(), "number")
            .group_by(Column::Status)
            .into_tuple()
            .all(&self.0.conn)
            .await
            .map_err(db_error(ENTITY))?;
        Ok(counts.into_iter().collect())
    }

    /// Agents with their daily budget, and when the newest job of each last changed.
    async fn standings(
        &self,
        tenant: TenantId,
    ) -> Result<Vec<(Standing, budget::Model)>, StoreError> {
        use agent::Column;
        let own: RelationDef = agent::Entity::belongs_to(budget::Entity)
            .from(Column::Id)
            .to(budget::Column::ScopeId)
            .into();
        let live = Condition::all()
            .add(Column::TenantId.eq(tenant.as_uuid()))
            .add(Column::ArchivedAt.is_null());
        let rows = agent::Entity::find()
            .filter(live.clone())
            .select_only()
            .columns([Column::Id, Column::Name, Column::Enabled])
            .expr_as(last_change(tenant), "last_active_at")
            .order_by_asc(Column::NameKey)
            .into_model::<Standing>()
            .all(&self.0.conn)
            .await
            .map_err(db_error(ENTITY))?;
        let mut budgets: HashMap<Uuid, budget::Model> = budget::Entity::find()
            .join_rev(JoinType::InnerJoin, own)
            .filter(live)
            .all(&self.0.conn)
            .await
            .map_err(db_error(ENTITY))?
            .into_iter()
            .map(|budget| (budget.scope_id, budget))
            .collect();
        // Each has one: it is made with the agent.
        Ok(rows
            .into_iter()
            .filter_map(|row| budgets.remove(&row.id).map(|budget| (row, budget)))
            .collect())
    }

    async fn unfinished(
        &self,
        tenant: TenantId,
        hidden: &Hidden,
    ) -> Result<HashMap<(Uuid, String), i64>, StoreError> {
        use job::Column;
        let counts: Vec<(Uuid, String, i64)> = jobs(tenant, hidden)
            .filter(is_any(Column::Status, &UNFINISHED))
            .select_only()
            .columns([Column::AgentId, Column::Status])
            .column_as(Column::Id.count(), "number")
            // The other way round, SQLite would go through every job of the tenant, agent by agent.
            .group_by(Column::Status)
            .group_by(Column::AgentId)
            .into_tuple()
            .all(&self.0.conn)
            .await
            .map_err(db_error(ENTITY))?;
        Ok(counts
            .into_iter()
            .map(|(agent, status, number)| ((agent, status), number))
            .collect())
    }

    /// What waits in the lanes of each agent, and since when.
    async fn queues(
        &self,
        tenant: TenantId,
        hidden: &Hidden,
    ) -> Result<HashMap<Uuid, (i64, Option<Timestamp>)>, StoreError> {
        use lane_entry::Column;
        // By the lane's agent: by the entry's own, SQLite would go through every entry, agent by agent.
        let lane: RelationDef = lane_entry::Entity::belongs_to(lane::Entity)
            .from(Column::LaneId)
            .to(lane::Column::Id)
            .into();
        let rows: Vec<(Uuid, i64, Option<Timestamp>)> = lane_entry::Entity::find()
            .join(JoinType::InnerJoin, lane)
            .filter(Column::TenantId.eq(tenant.as_uuid()))
            .filter(is(Column::Status, EntryStatus::Queued.as_str()))
            .filter(hidden::waiting(hidden))
            .select_only()
            .column(lane::Column::AgentId)
            .column_as(Column::Id.count(), "number")
            .column_as(Column::CreatedAt.min(), "oldest")
            .group_by(lane::Column::AgentId)
            .into_tuple()
            .all(&self.0.conn)
            .await
            .map_err(db_error(ENTITY))?;
        Ok(rows
            .into_iter()
            .map(|(agent, number, oldest)| (agent, (number, oldest)))
            .collect())
    }
}

fn jobs(tenant: TenantId, hidden: &Hidden) -> Select<job::Entity> {
    job::Entity::find()
        .filter(job::Column::TenantId.eq(tenant.as_uuid()))
        .filter(hidden::jobs(hidden))
}

fn spent_since(budget: &budget::Model, day: Timestamp) -> Micros {
    if budget.period_start >= day {
        Micros(budget.spent_micros)
    } else {
        Micros::ZERO
    }
}

/// Attempts that came after a job, of the same agent at the same item.
fn later_attempts() -> sea_orm::sea_query::SelectStatement {
    use job::Column;
    let later = Alias::new("later");
    let of = |column: Column| Expr::col((later.clone(), column));
    Query::select()
        .expr(Expr::value(1))
        .from_as(job::Entity, later.clone())
        .and_where(of(Column::WorkItemId).equals((job::Entity, Column::WorkItemId)))
        .and_where(of(Column::AgentId).equals((job::Entity, Column::AgentId)))
        .and_where(of(Column::Attempt).gt(Expr::col((job::Entity, Column::Attempt))))
        .to_owned()
}

/// When the newest job of an agent last changed.
fn last_change(tenant: TenantId) -> Expr {
    use job::Column;
    let of = |column: Column| Expr::col((job::Entity, column));
    let changed =
        of(Column::FinishedAt).if_null(of(Column::StartedAt).if_null(of(Column::CreatedAt)));
    let newest = Query::select()
        .expr(changed)
        .from(job::Entity)
        .and_where(Column::TenantId.eq(tenant.as_uuid()))
        .and_where(of(Column::AgentId).equals((agent::Entity, agent::Column::Id)))
        .order_by((job::Entity, Column::Id), Order::Desc)
        .limit(1)
        .to_owned();
    SubQueryStatement::from(newest).into()
}
