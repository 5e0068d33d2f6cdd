//! What is counted over many rows at once, for people who look at the whole. Nothing here changes anything.

use super::StoreError;
use async_trait::async_trait;
use domain::{
    Timestamp,
    access::Hidden,
    budget::{Limit, Micros},
    id::{AgentId, TenantId},
};

/// How much waits for a person.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Needs {
    /// Questions without an answer.
    pub approvals: i64,
    /// Jobs that failed lately and were not tried again.
    pub failed_jobs: i64,
    /// Effects that failed for good.
    pub dead_letters: i64,
    /// Effects of which nobody knows whether they arrived.
    pub unknown_effects: i64,
    /// Effects that wait for their turn; for nobody, but counted along with the others.
    pub pending_effects: i64,
}

/// How an agent stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AgentStanding {
    /// The agent.
    pub id: AgentId,
    /// What people call it.
    pub name: String,
    /// Whether it takes work.
    pub enabled: bool,
    /// What it may spend in a day.
    pub budget: Limit,
    /// What it spent today.
    pub spent_today: Micros,
    /// Its jobs that run.
    pub running: i64,
    /// Its jobs that wait.
    pub waiting: i64,
    /// What waits in its lanes.
    pub queued: i64,
    /// Since when the first of that waits.
    pub oldest_queued_at: Option<Timestamp>,
    /// When its newest job last changed.
    pub last_active_at: Option<Timestamp>,
}

/// By what costs are told apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CostGroup {
    /// Who asked.
    Agent,
    /// Which model was asked.
    Model,
    /// In which thread.
    Conversation,
    /// By nothing.
    Whole,
}

/// Which model calls to add up: those that are over and began in a span.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CostFilter {
    /// Not before.
    pub from: Timestamp,
    /// Before.
    pub to: Timestamp,
    /// How they are told apart.
    pub group: CostGroup,
    /// Whether also by UTC day.
    pub daily: bool,
    /// Not kept from the reader.
    pub hidden: Hidden,
}

/// The sum of some model calls.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CostRow {
    /// The UTC day, as `2026-11-23`, when told apart by it.
    pub day: Option<String>,
    /// The agent's or conversation's id, or the model, when told apart by it. Of conversations the
    /// hundred dearest of the span are told apart, and the rest is one sum without a key.
    pub key: Option<String>,
    /// What people call that.
    pub label: Option<String>,
    /// How many jobs they were made for.
    pub jobs: i64,
    /// How many they were.
    pub calls: i64,
    /// Tokens read.
    pub input: i64,
    /// Tokens written.
    pub output: i64,
    /// Tokens read from a cache.
    pub cached: i64,
    /// What they cost.
    pub cost: Micros,
}

/// How many jobs ended how on a day.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DayOutcome {
    /// The UTC day, as `2026-11-23`.
    pub day: String,
    /// Jobs that did what they were for.
    pub completed: i64,
    /// Jobs that did not.
    pub failed: i64,
    /// Jobs that somebody stopped.
    pub cancelled: i64,
}

/// How long work items that got their answer on a day had waited for it, in whole seconds; by
/// nearest rank, so each is a wait that somebody had.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DayWait {
    /// The UTC day of the answers, as `2026-11-23`.
    pub day: String,
    /// What half of them did not exceed.
    pub p50: i64,
    /// What all but a twentieth did not exceed.
    pub p95: i64,
}

/// Sums over a tenant, without what is hidden.
#[async_trait]
pub trait ReportRepository: Send + Sync {
    /// What waits for a person; of failed jobs, those since `since`.
    async fn needs(
        &self,
        tenant: TenantId,
        hidden: &Hidden,
        since: Timestamp,
    ) -> Result<Needs, StoreError>;
    /// Every agent that is not archived, in the order of names.
    async fn agents(
        &self,
        tenant: TenantId,
        hidden: &Hidden,
        now: Timestamp,
    ) -> Result<Vec<AgentStanding>, StoreError>;
    /// What the tenant spent today, archived agents included.
    async fn spent_today(&self, tenant: TenantId, now: Timestamp) -> Result<Micros, StoreError>;
    /// Costs, dearest first, by day when daily.
    async fn costs(
        &self,
        tenant: TenantId,
        filter: &CostFilter,
    ) -> Result<Vec<CostRow>, StoreError>;
    /// How jobs ended in a span, by day.
    async fn outcomes(
        &self,
        tenant: TenantId,
        hidden: &Hidden,
        span: (Timestamp, Timestamp),
    ) -> Result<Vec<DayOutcome>, StoreError>;
    /// How long people waited for the answers that they had in a span, by day.
    async fn waits(
        &self,
        tenant: TenantId,
        hidden: &Hidden,
        span: (Timestamp, Timestamp),
    ) -> Result<Vec<DayWait>, StoreError>;
}
