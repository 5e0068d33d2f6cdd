//! What cannot know its tenant beforehand. Only `runtime` and the login and webhook paths use it.

use super::StoreError;
use async_trait::async_trait;
use domain::{
    Timestamp,
    access::{ApiToken, Tenant},
    effect::Effect,
    id::{ApprovalId, EffectId, IntegrationId, JobId, LaneId, TenantId, UserId, WorkerId},
    integration::Integration,
    login::{User, UserLink, UserSession},
    queue::Lane,
};
use std::any::Any;

/// Finding the tenant behind a credential or a webhook path.
#[async_trait]
pub trait SystemStore: Send + Sync {
    /// The token with this hash, live or not.
    async fn find_token(&self, hash: &str) -> Result<Option<ApiToken>, StoreError>;
    /// The user of a personal token, unless they were deleted.
    async fn find_user(&self, id: UserId) -> Result<Option<User>, StoreError>;
    /// The login with this hash and whose it is, live or not.
    async fn find_session(&self, hash: &str) -> Result<Option<(UserSession, User)>, StoreError>;
    /// The link with this hash, used or not.
    async fn find_link(&self, hash: &str) -> Result<Option<UserLink>, StoreError>;
    /// The integration behind a webhook path.
    async fn find_integration(&self, id: IntegrationId) -> Result<Option<Integration>, StoreError>;
    /// All enabled integrations of all tenants.
    async fn active_integrations(&self) -> Result<Vec<Integration>, StoreError>;
    /// The oldest tenant; made with its event feed when there is none.
    async fn ensure_tenant(&self, name: &str, now: Timestamp) -> Result<Tenant, StoreError>;
    /// Lets go of the idempotency keys of requests that an earlier process of this instance left without an
    /// answer, and says how many. Only for a start, when the instance has no request under way.
    async fn free_keys(&self, instance: &str) -> Result<u64, StoreError>;
    /// Pending approvals of all tenants whose time is over, at most `limit`.
    async fn overdue_approvals(
        &self,
        now: Timestamp,
        limit: u32,
    ) -> Result<Vec<(TenantId, ApprovalId)>, StoreError>;
}

/// The life of an opened database.
#[async_trait]
pub trait Upkeep: Send + Sync {
    /// Brings the schema up to date; cheap when it is. Of several processes that try, one does it.
    async fn migrate(&self) -> Result<(), StoreError>;
    /// Keeps other processes out until what it returns is dropped: for what only the first start does.
    async fn alone(&self) -> Result<Box<dyn Any + Send>, StoreError>;
    /// Finishes what is queued and lets go of the database. Later writes fail.
    async fn close(&self);
}

/// One running server process.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Worker {
    /// Its id, new at every start.
    pub id: WorkerId,
    /// What stays the same over restarts: a process that starts with it replaces the one before.
    pub instance: String,
    /// When it started.
    pub started_at: Timestamp,
}

/// What a sweep freed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Swept {
    /// Lanes whose worker is gone.
    pub lanes: u64,
    /// Effects whose worker is gone mid-send: idempotent ones became `pending`, others `unknown`
    /// with an event row.
    pub effects: u64,
}

/// Leases: who works on what, and for how long that may be believed.
#[async_trait]
pub trait LeaseStore: Send + Sync {
    /// Announces a process and frees whatever earlier processes of the same instance held.
    async fn register(&self, worker: &Worker) -> Result<Swept, StoreError>;
    /// Says that the process is alive; false when it was swept and has lost its leases.
    async fn heartbeat(&self, worker: WorkerId, now: Timestamp) -> Result<bool, StoreError>;
    /// Says goodbye and frees everything.
    async fn retire(&self, worker: WorkerId, now: Timestamp) -> Result<Swept, StoreError>;
    /// Frees what processes hold whose last heartbeat is before `expired`.
    async fn sweep(&self, expired: Timestamp, now: Timestamp) -> Result<Swept, StoreError>;
    /// Takes at most `limit` ready lanes, longest waiting first, with a new fence each.
    async fn claim_lanes(
        &self,
        worker: WorkerId,
        now: Timestamp,
        limit: u32,
    ) -> Result<Vec<Lane>, StoreError>;
    /// Takes at most `limit` due effects, in order per conversation (none whose predecessor there is
    /// pending or sending), marks them `sending` with one more attempt. Durable.
    async fn claim_effects(
        &self,
        worker: WorkerId,
        now: Timestamp,
        limit: u32,
    ) -> Result<Vec<Effect>, StoreError>;
    /// Frees the lanes that a living process holds without knowing, because the answer to a claim was lost.
    async fn let_go_lanes(
        &self,
        worker: WorkerId,
        known: &[LaneId],
        now: Timestamp,
    ) -> Result<(), StoreError>;
    /// Frees effects likewise; nobody has begun to send them.
    async fn let_go_effects(&self, worker: WorkerId, known: &[EffectId]) -> Result<(), StoreError>;
    /// The running jobs of a process that somebody asked to stop.
    async fn stop_requests(&self, worker: WorkerId) -> Result<Vec<JobId>, StoreError>;
    /// Takes or keeps a lease of which there is only one (a poller, the scheduler); false when a living
    /// process holds it.
    async fn hold(
        &self,
        name: &str,
        worker: WorkerId,
        expired: Timestamp,
    ) -> Result<bool, StoreError>;
}
