//! Money: one row per budget, changed by the same statement that reads it wherever possible.
//!
//! Day budgets start anew lazily: whoever touches one first on a new day clears what was spent. What
//! is reserved stays, for those calls are still under way.

use crate::{
    entity::{
        budget::{self, Column, limit_columns, scope_id},
        model_call,
    },
    error::db_error,
    query::{insert, is},
    tx::SqlTx,
};
use async_trait::async_trait;
use domain::{
    Timestamp,
    budget::{Budget, BudgetScope, Limit, Micros, Period, Reservation, day_start},
    id::{AgentId, JobId, TenantId, WorkItemId},
    model::{ModelCall, ModelCallPurpose, ModelCallStatus},
};
use ports::store::{LedgerRepository, StoreError};
use sea_orm::{
    ColumnTrait, Condition, EntityTrait, IntoActiveModel, QueryFilter, QueryOrder, QuerySelect,
    QueryTrait, UpdateMany,
    sea_query::{CaseStatement, Expr, ExprTrait, OnConflict},
};

const CALL: &str = "model call";
const BUDGET: &str = "budget";

pub(crate) struct SqlLedger<'t>(pub(crate) &'t SqlTx);

#[async_trait]
impl LedgerRepository for SqlLedger<'_> {
    async fn reserve(&self, call: &ModelCall, agent: AgentId) -> Result<Reservation, StoreError> {
        let today = day_start(call.started_at);
        let scopes = payers(call, agent);
        let budgets = budget::Entity::find()
            .filter(paid_by(call.tenant_id, &scopes))
            .order_by_asc(Column::Id)
            .lock_exclusive()
            .all(&self.0.conn)
            .await
            .map_err(db_error(BUDGET))?
            .into_iter()
            .map(Budget::try_from)
            .collect::<Result<Vec<_>, _>>()?;
        let verdict = judge(&budgets, &scopes, call.reserved, today);
        if verdict != Reservation::Granted {
            return Ok(verdict);
        }
        roll_over(call.tenant_id, &scopes, today)
            .col_expr(
                Column::ReservedMicros,
                Expr::col(Column::ReservedMicros).add(call.reserved.0),
            )
            .col_expr(Column::SpentMicros, spent_since(today))
            .exec(&self.0.conn)
            .await
            .map_err(db_error(BUDGET))?;
        insert(&self.0.conn, model_call::Model::from((call, agent)))
            .await
            .map_err(db_error(CALL))?;
        Ok(Reservation::Granted)
    }

    async fn settle(&self, call: &ModelCall, agent: AgentId) -> Result<(), StoreError> {
        use model_call::Column as Call;
        let settled = model_call::Entity::update_many()
            .col_expr(Call::Status, Expr::value(call.status.as_str()))
            .col_expr(Call::CostMicros, Expr::value(call.cost.0))
            .col_expr(Call::InputTokens, Expr::value(call.usage.input))
            .col_expr(Call::OutputTokens, Expr::value(call.usage.output))
            .col_expr(Call::CacheReadTokens, Expr::value(call.usage.cache_read))
            .col_expr(Call::CacheWriteTokens, Expr::value(call.usage.cache_write))
            .col_expr(Call::Outcome, Expr::value(call.outcome.as_deref()))
            .col_expr(Call::FinishedAt, Expr::value(call.finished_at))
            .filter(Call::Id.eq(call.id.as_uuid()))
            .filter(Call::TenantId.eq(call.tenant_id.as_uuid()))
            .filter(Call::Status.eq(ModelCallStatus::Reserved.as_str()))
            .exec_with_returning(&self.0.conn)
            .await
            .map_err(db_error(CALL))?;
        let Some(row) = settled.into_iter().next() else {
            return Ok(());
        };
        let today = day_start(call.finished_at.unwrap_or(call.started_at));
        let payers = payers(call, agent);
        // In the order in which `reserve` locks them.
        let locked = budget::Entity::find()
            .filter(paid_by(call.tenant_id, &payers))
            .select_only()
            .column(Column::Id)
            .order_by_asc(Column::Id)
            .lock_exclusive()
            .into_query();
        roll_over(call.tenant_id, &payers, today)
            .filter(Column::Id.in_subquery(locked))
            .col_expr(
                Column::ReservedMicros,
                Expr::col(Column::ReservedMicros).sub(row.reserved_micros),
            )
            .col_expr(Column::SpentMicros, spent_since(today).add(call.cost.0))
            .exec(&self.0.conn)
            .await
            .map_err(db_error(BUDGET))?;
        Ok(())
    }

    async fn calls(&self, tenant: TenantId, job: JobId) -> Result<Vec<ModelCall>, StoreError> {
        model_call::Entity::find()
            .filter(model_call::Column::JobId.eq(job.as_uuid()))
            .filter(model_call::Column::TenantId.eq(tenant.as_uuid()))
            .order_by_asc(model_call::Column::Id)
            .all(&self.0.conn)
            .await
            .map_err(db_error(CALL))?
            .into_iter()
            .map(ModelCall::try_from)
            .collect()
    }

    async fn triage_calls(
        &self,
        tenant: TenantId,
        item: WorkItemId,
    ) -> Result<Vec<(AgentId, ModelCall)>, StoreError> {
        use model_call::Column as Call;
        model_call::Entity::find()
            .filter(Call::WorkItemId.eq(item.as_uuid()))
            .filter(Call::TenantId.eq(tenant.as_uuid()))
            .filter(is(Call::Purpose, ModelCallPurpose::Triage.as_str()))
            .order_by_asc(Call::Id)
            .all(&self.0.conn)
            .await
            .map_err(db_error(CALL))?
            .into_iter()
            .map(|row| Ok((AgentId::from_uuid(row.agent_id), row.try_into()?)))
            .collect()
    }

    async fn set_budget(
        &self,
        tenant: TenantId,
        scope: BudgetScope,
        period: Period,
        limit: Limit,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        set_limit(self.0, tenant, scope, (period, limit), now).await
    }

    async fn find_budget(
        &self,
        tenant: TenantId,
        scope: BudgetScope,
    ) -> Result<Option<Budget>, StoreError> {
        budget::Entity::find()
            .filter(Column::ScopeId.eq(scope_id(tenant, scope)))
            .filter(Column::Scope.eq(scope.as_str()))
            .filter(Column::TenantId.eq(tenant.as_uuid()))
            .all(&self.0.conn)
            .await
            .map_err(db_error(BUDGET))?
            .pop()
            .map(Budget::try_from)
            .transpose()
    }
}

/// Sets the limit of a scope; makes the budget when there is none.
pub(crate) async fn set_limit(
    tx: &SqlTx,
    tenant: TenantId,
    scope: BudgetScope,
    (period, limit): (Period, Limit),
    now: Timestamp,
) -> Result<(), StoreError> {
    let (unlimited, limit_micros) = limit_columns(limit);
    let row = budget::Model {
        id: tx.ids.next(),
        tenant_id: tenant.as_uuid(),
        scope: scope.as_str().to_owned(),
        scope_id: scope_id(tenant, scope),
        period: period.as_str().to_owned(),
        unlimited,
        limit_micros,
        spent_micros: 0,
        reserved_micros: 0,
        period_start: match period {
            Period::Day => day_start(now),
            Period::Total => now,
        },
    };
    budget::Entity::insert(row.into_active_model())
        .on_conflict(
            OnConflict::columns([Column::ScopeId, Column::Scope])
                .update_columns([Column::Period, Column::Unlimited, Column::LimitMicros])
                .action_and_where(
                    Expr::col((budget::Entity, Column::TenantId)).eq(tenant.as_uuid()),
                )
                .to_owned(),
        )
        .exec_without_returning(&tx.conn)
        .await
        .map_err(db_error(BUDGET))?;
    Ok(())
}

/// Every scope that pays for a call, in the order in which an exhausted one is named.
fn payers(call: &ModelCall, agent: AgentId) -> Vec<BudgetScope> {
    let mut scopes = vec![BudgetScope::Tenant, BudgetScope::Agent(agent)];
    scopes.extend(call.job_id.map(BudgetScope::Job));
    scopes
}

fn judge(
    budgets: &[Budget],
    scopes: &[BudgetScope],
    cost: Micros,
    today: Timestamp,
) -> Reservation {
    let mut verdict = Reservation::Granted;
    for scope in scopes {
        let Some(budget) = budgets.iter().find(|budget| budget.scope == *scope) else {
            return Reservation::Refused {
                scope: scope.as_str(),
                limit: Micros::ZERO,
                spent: Micros::ZERO,
            };
        };
        let mut budget = budget.clone();
        if budget.period == Period::Day && budget.period_start < today {
            budget.spent = Micros::ZERO;
        }
        match budget.judge(cost) {
            Reservation::Granted => {}
            Reservation::Busy => verdict = Reservation::Busy,
            refused @ Reservation::Refused { .. } => return refused,
        }
    }
    verdict
}

fn paid_by(tenant: TenantId, scopes: &[BudgetScope]) -> Condition {
    let mut any = Condition::any();
    for scope in scopes {
        any = any.add(
            Condition::all()
                .add(Column::ScopeId.eq(scope_id(tenant, *scope)))
                .add(Column::Scope.eq(scope.as_str())),
        );
    }
    Condition::all()
        .add(Column::TenantId.eq(tenant.as_uuid()))
        .add(any)
}

/// An update of these budgets that moves day budgets into today.
fn roll_over(
    tenant: TenantId,
    scopes: &[BudgetScope],
    today: Timestamp,
) -> UpdateMany<budget::Entity> {
    let start = CaseStatement::new()
        .case(is_over(today), today)
        .finally(Expr::col(Column::PeriodStart));
    budget::Entity::update_many()
        .col_expr(Column::PeriodStart, start.into())
        .filter(paid_by(tenant, scopes))
}

/// What was spent in the period that `today` lies in.
fn spent_since(today: Timestamp) -> Expr {
    CaseStatement::new()
        .case(is_over(today), 0_i64)
        .finally(Expr::col(Column::SpentMicros))
        .into()
}

fn is_over(today: Timestamp) -> Expr {
    Expr::col(Column::Period)
        .eq(Period::Day.as_str())
        .and(Expr::col(Column::PeriodStart).lt(today))
}
