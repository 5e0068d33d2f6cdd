//! Money: reserved before it is spent.

use super::StoreError;
use async_trait::async_trait;
use domain::{
    Timestamp,
    budget::{Budget, BudgetScope, Limit, Period, Reservation},
    id::{AgentId, JobId, TenantId, WorkItemId},
    model::ModelCall,
};

/// Model calls and budgets of a tenant.
#[async_trait]
pub trait LedgerRepository: Send + Sync {
    /// Checks the call's worst case against the budgets of tenant, agent and, if it has one, job (each judged by
    /// [`Budget::judge`], day budgets starting anew at midnight UTC) and, when all grant it, adds it
    /// to their reserved amounts and writes the call. Otherwise nothing is written. A budget that does
    /// not exist refuses.
    async fn reserve(&self, call: &ModelCall, agent: AgentId) -> Result<Reservation, StoreError>;
    /// Writes outcome, usage and cost of a reserved call and moves its money from reserved to spent.
    /// A call that is settled already is left alone.
    async fn settle(&self, call: &ModelCall, agent: AgentId) -> Result<(), StoreError>;
    /// The model calls of a job, oldest first.
    async fn calls(&self, tenant: TenantId, job: JobId) -> Result<Vec<ModelCall>, StoreError>;
    /// The model calls by which agents decided about an item, with who made each, oldest first. They belong to no
    /// job: most decisions lead to none.
    async fn triage_calls(
        &self,
        tenant: TenantId,
        item: WorkItemId,
    ) -> Result<Vec<(AgentId, ModelCall)>, StoreError>;
    /// Sets a limit; makes the budget when there is none.
    async fn set_budget(
        &self,
        tenant: TenantId,
        scope: BudgetScope,
        period: Period,
        limit: Limit,
        now: Timestamp,
    ) -> Result<(), StoreError>;
    /// The budget of a scope.
    async fn find_budget(
        &self,
        tenant: TenantId,
        scope: BudgetScope,
    ) -> Result<Option<Budget>, StoreError>;
}
