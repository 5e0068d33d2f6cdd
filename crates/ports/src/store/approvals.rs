//! Questions to people, and who people are on their channels.

use super::StoreError;
use async_trait::async_trait;
use domain::{
    Timestamp,
    access::Hidden,
    approval::{Approval, ApprovalStatus},
    id::{AgentId, ApprovalId, EffectId, IdentityId, JobId, TenantId, UserId},
    identity::{Identity, LinkCode},
    page::{Page, PageRequest},
};

/// Which approvals to list; every field narrows.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ApprovalFilter {
    /// Standing so.
    pub status: Option<ApprovalStatus>,
    /// Asked for by this agent.
    pub agent_id: Option<AgentId>,
    /// Asked for in this job.
    pub job_id: Option<JobId>,
    /// Not of agents and integrations that are kept for others.
    pub hidden: Hidden,
}

/// Approvals of a tenant; those that are overdue are found through `SystemStore`.
#[async_trait]
pub trait ApprovalRepository: Send + Sync {
    /// Writes a new one.
    async fn insert(&self, approval: &Approval) -> Result<(), StoreError>;
    /// One approval.
    async fn find(&self, tenant: TenantId, id: ApprovalId) -> Result<Option<Approval>, StoreError>;
    /// Newest first.
    async fn list(
        &self,
        tenant: TenantId,
        filter: &ApprovalFilter,
        page: PageRequest,
    ) -> Result<Page<Approval>, StoreError>;
    /// The pending ones of a job, oldest first.
    async fn pending_of_job(
        &self,
        tenant: TenantId,
        job: JobId,
    ) -> Result<Vec<Approval>, StoreError>;
    /// The pending one that holds an effect.
    async fn pending_of_effect(
        &self,
        tenant: TenantId,
        effect: EffectId,
    ) -> Result<Option<Approval>, StoreError>;
    /// Writes how it became final; false when it was final already.
    async fn settle(&self, approval: &Approval) -> Result<bool, StoreError>;
}

/// People on channels and the users they are. Senders nobody linked are written by ingest and are not seen here.
#[async_trait]
pub trait IdentityRepository: Send + Sync {
    /// The linked identity of a sender.
    async fn find(
        &self,
        tenant: TenantId,
        provider: &str,
        external_id: &str,
    ) -> Result<Option<Identity>, StoreError>;
    /// The identities of a user, oldest first.
    async fn of_user(&self, tenant: TenantId, user: UserId) -> Result<Vec<Identity>, StoreError>;
    /// Says that a sender is a user; who it was before it is no more.
    async fn link(&self, identity: &Identity) -> Result<(), StoreError>;
    /// Makes an identity of a user a guest again; false when there is none.
    async fn unlink(
        &self,
        tenant: TenantId,
        user: UserId,
        id: IdentityId,
    ) -> Result<bool, StoreError>;
    /// Writes the code of a user, in place of one that they had.
    async fn put_code(&self, code: &LinkCode) -> Result<(), StoreError>;
    /// Whose code this is, if it still works; it works no more.
    async fn take_code(
        &self,
        tenant: TenantId,
        hash: &str,
        now: Timestamp,
    ) -> Result<Option<UserId>, StoreError>;
}
