//! Spending limits.

use crate::error::{corrupt, word};
use domain::{
    budget::{Budget, BudgetScope, Limit, Micros},
    id::{AgentId, BudgetId, JobId, TenantId},
};
use ports::store::StoreError;
use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "budgets")]
pub(crate) struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub(crate) id: Uuid,
    pub(crate) tenant_id: Uuid,
    pub(crate) scope: String,
    pub(crate) scope_id: Uuid,
    pub(crate) period: String,
    pub(crate) unlimited: bool,
    pub(crate) limit_micros: Option<i64>,
    pub(crate) spent_micros: i64,
    pub(crate) reserved_micros: i64,
    pub(crate) period_start: DateTimeUtc,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub(crate) enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

impl Model {
    /// The limit; its two columns always agree, the table checks that.
    pub(crate) fn limit(&self) -> Result<Limit, StoreError> {
        match (self.unlimited, self.limit_micros) {
            (true, None) => Ok(Limit::Unlimited),
            (false, Some(limit)) => Ok(Limit::Of(Micros(limit))),
            (true, Some(_)) | (false, None) => Err(corrupt(
                "budget",
                "limit_micros",
                "it contradicts `unlimited`".into(),
            )),
        }
    }
}

/// The id a scope is stored under; the tenant's own is the tenant's.
pub(crate) fn scope_id(tenant: TenantId, scope: BudgetScope) -> Uuid {
    match scope {
        BudgetScope::Tenant => tenant.as_uuid(),
        BudgetScope::Agent(agent) => agent.as_uuid(),
        BudgetScope::Job(job) => job.as_uuid(),
    }
}

/// A limit as its two columns.
pub(crate) const fn limit_columns(limit: Limit) -> (bool, Option<i64>) {
    match limit {
        Limit::Unlimited => (true, None),
        Limit::Of(Micros(limit)) => (false, Some(limit)),
    }
}

impl TryFrom<Model> for Budget {
    type Error = StoreError;

    fn try_from(row: Model) -> Result<Self, StoreError> {
        let scope = match row.scope.as_str() {
            "tenant" => BudgetScope::Tenant,
            "agent" => BudgetScope::Agent(AgentId::from_uuid(row.scope_id)),
            "job" => BudgetScope::Job(JobId::from_uuid(row.scope_id)),
            other => {
                return Err(corrupt(
                    "budget",
                    "scope",
                    format!("unknown scope `{other}`").into(),
                ));
            }
        };
        Ok(Self {
            id: BudgetId::from_uuid(row.id),
            tenant_id: TenantId::from_uuid(row.tenant_id),
            scope,
            period: word("budget", "period", &row.period)?,
            limit: row.limit()?,
            spent: Micros(row.spent_micros),
            reserved: Micros(row.reserved_micros),
            period_start: row.period_start,
        })
    }
}
