//! Effects and event rows.

use super::StoreError;
use async_trait::async_trait;
use domain::{
    Timestamp,
    access::Hidden,
    effect::{Effect, EffectStatus},
    event::{JobEvent, NewEvent},
    id::{AgentId, EffectId, IntegrationId, JobId, TenantId, WorkItemId, WorkerId},
    page::{Page, PageRequest},
};

/// Which effects to list; every field narrows.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct EffectFilter {
    /// Of this job.
    pub job_id: Option<JobId>,
    /// Of the jobs for this work item.
    pub work_item_id: Option<WorkItemId>,
    /// Of this agent's jobs.
    pub agent_id: Option<AgentId>,
    /// Through this integration.
    pub integration_id: Option<IntegrationId>,
    /// Standing so.
    pub status: Option<EffectStatus>,
    /// Not kept from the reader.
    pub hidden: Hidden,
}

/// Effects of a tenant; due ones are claimed through `LeaseStore`.
#[async_trait]
pub trait EffectRepository: Send + Sync {
    /// Writes a new one; `Conflict` when the job's slot is taken.
    async fn insert(&self, effect: &Effect) -> Result<(), StoreError>;
    /// One effect.
    async fn find(&self, tenant: TenantId, id: EffectId) -> Result<Option<Effect>, StoreError>;
    /// Newest first.
    async fn list(
        &self,
        tenant: TenantId,
        filter: &EffectFilter,
        page: PageRequest,
    ) -> Result<Page<Effect>, StoreError>;
    /// The effects of a job, oldest first.
    async fn of_job(&self, tenant: TenantId, job: JobId) -> Result<Vec<Effect>, StoreError>;
    /// Writes status, reason, detail, attempts, times and reference, if the row still has the
    /// expected status; false when it has not.
    async fn update(&self, effect: &Effect, expected: EffectStatus) -> Result<bool, StoreError>;
    /// The same for what this process was sending; false when the effect is no longer its own.
    async fn settle(&self, effect: &Effect, worker: WorkerId) -> Result<bool, StoreError>;
}

/// Event rows of a tenant.
#[async_trait]
pub trait EventRepository: Send + Sync {
    /// Appends events of a job: gapless `seq` per job, gapless `feed_seq` per tenant in commit order.
    /// They reach the commit listener when the transaction commits.
    async fn append(
        &self,
        tenant: TenantId,
        job: JobId,
        events: Vec<NewEvent>,
        now: Timestamp,
    ) -> Result<(), StoreError>;
    /// A job's events after a sequence number, in order, at most `limit`.
    async fn after(
        &self,
        tenant: TenantId,
        job: JobId,
        seq: i64,
        limit: u32,
    ) -> Result<Vec<JobEvent>, StoreError>;
    /// The tenant's events after a feed sequence number, in order, at most `limit`.
    async fn feed_after(
        &self,
        tenant: TenantId,
        feed_seq: i64,
        limit: u32,
    ) -> Result<Vec<JobEvent>, StoreError>;
    /// The feed sequence number of the newest event; 0 when there is none.
    async fn last_feed_seq(&self, tenant: TenantId) -> Result<i64, StoreError>;
}
