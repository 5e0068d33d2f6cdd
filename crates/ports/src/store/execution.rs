//! Lanes, jobs and the shells they use.

use super::StoreError;
use async_trait::async_trait;
use domain::{
    Timestamp,
    access::Hidden,
    budget::Limit,
    id::{
        AgentId, BackgroundProcessId, ConversationId, JobId, LaneEntryId, LaneId, SpriteSessionId,
        TenantId, WorkItemId,
    },
    job::{Job, JobStatus},
    page::{Page, PageRequest},
    queue::{EntryStatus, Fence, Lane, LaneEntry},
    sprite::{BackgroundProcess, SpriteSession, SpriteSessionStatus},
    work::WorkItem,
};

/// A work item that waits in a lane.
#[derive(Clone, Debug, PartialEq)]
pub struct QueuedItem {
    /// Its place in the queue.
    pub entry: LaneEntry,
    /// The item.
    pub item: WorkItem,
}

/// Lanes and their entries; lanes are made by ingest and claimed through `LeaseStore`.
#[async_trait]
pub trait LaneRepository: Send + Sync {
    /// One lane; nobody claims or releases it until the transaction ends.
    async fn lock(&self, tenant: TenantId, id: LaneId) -> Result<Option<Lane>, StoreError>;
    /// What waits, oldest first, at most `limit`.
    async fn queued(
        &self,
        tenant: TenantId,
        id: LaneId,
        limit: u32,
    ) -> Result<Vec<QueuedItem>, StoreError>;
    /// The job at the head of the lane: the one that is queued, running or waiting.
    async fn head(&self, tenant: TenantId, id: LaneId) -> Result<Option<Job>, StoreError>;
    /// The lane's entry of a work item.
    async fn entry(
        &self,
        tenant: TenantId,
        id: LaneId,
        item: WorkItemId,
    ) -> Result<Option<LaneEntry>, StoreError>;
    /// Moves an entry.
    async fn set_entry(
        &self,
        tenant: TenantId,
        entry: LaneEntryId,
        status: EntryStatus,
        job: Option<JobId>,
    ) -> Result<(), StoreError>;
    /// Marks all running and absorbed entries of a job done and returns their work items.
    async fn finish_entries(
        &self,
        tenant: TenantId,
        job: JobId,
    ) -> Result<Vec<WorkItemId>, StoreError>;
    /// The work items a job has run or absorbed, oldest first.
    async fn items_of(&self, tenant: TenantId, job: JobId) -> Result<Vec<WorkItemId>, StoreError>;
    /// Makes the lane ready to be claimed.
    async fn make_ready(
        &self,
        tenant: TenantId,
        id: LaneId,
        now: Timestamp,
    ) -> Result<(), StoreError>;
    /// Gives the lease up; the lane is ready again at once when its job is queued or running still,
    /// or when entries are queued and no job of it waits. Does nothing when the fence is old.
    async fn release(
        &self,
        tenant: TenantId,
        id: LaneId,
        fence: Fence,
        now: Timestamp,
    ) -> Result<(), StoreError>;
}

/// Which jobs to list; every field narrows.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct JobFilter {
    /// Of this agent.
    pub agent_id: Option<AgentId>,
    /// For this item.
    pub work_item_id: Option<WorkItemId>,
    /// In this conversation.
    pub conversation_id: Option<ConversationId>,
    /// Standing so.
    pub status: Option<JobStatus>,
    /// Not kept from the reader.
    pub hidden: Hidden,
}

/// Jobs of a tenant.
#[async_trait]
pub trait JobRepository: Send + Sync {
    /// Writes a new job with its own budget; `Conflict` when the attempt exists.
    async fn insert(&self, job: &Job, budget: Limit) -> Result<(), StoreError>;
    /// One job.
    async fn find(&self, tenant: TenantId, id: JobId) -> Result<Option<Job>, StoreError>;
    /// Newest first.
    async fn list(
        &self,
        tenant: TenantId,
        filter: &JobFilter,
        page: PageRequest,
    ) -> Result<Page<Job>, StoreError>;
    /// Writes status, failure, usage, cost and times; never `cancel_requested_at`.
    async fn update(&self, job: &Job) -> Result<(), StoreError>;
    /// Asks a job to stop; false when it is final or absent.
    async fn request_cancel(
        &self,
        tenant: TenantId,
        id: JobId,
        now: Timestamp,
    ) -> Result<bool, StoreError>;
    /// Counts that a job is resumed while its last message is `seq`, and says how often it now was: 1
    /// after every message.
    async fn resumed(&self, tenant: TenantId, id: JobId, seq: i64) -> Result<u32, StoreError>;
    /// The highest attempt of an agent at an item; 0 when there is none.
    async fn last_attempt(
        &self,
        tenant: TenantId,
        item: WorkItemId,
        agent: AgentId,
    ) -> Result<i32, StoreError>;
    /// Final jobs of a lane that began before `before`, newest first: the agent's memory of the thread.
    async fn finished_in_lane(
        &self,
        tenant: TenantId,
        lane: LaneId,
        before: JobId,
        limit: u32,
    ) -> Result<Vec<Job>, StoreError>;
}

/// Commands that outlive their job.
#[async_trait]
pub trait BackgroundProcessRepository: Send + Sync {
    /// Writes a new one.
    async fn insert(&self, process: &BackgroundProcess) -> Result<(), StoreError>;
    /// Writes how it stands now.
    async fn update(&self, process: &BackgroundProcess) -> Result<(), StoreError>;
    /// One of them.
    async fn find(
        &self,
        tenant: TenantId,
        id: BackgroundProcessId,
    ) -> Result<Option<BackgroundProcess>, StoreError>;
    /// Those of an agent, newest first, at most `limit`; `conversation` narrows.
    async fn of_agent(
        &self,
        tenant: TenantId,
        agent: AgentId,
        conversation: Option<ConversationId>,
        limit: u32,
    ) -> Result<Vec<BackgroundProcess>, StoreError>;
}

/// Shells in sprites.
#[async_trait]
pub trait SpriteSessionRepository: Send + Sync {
    /// Writes a new one.
    async fn insert(&self, session: &SpriteSession) -> Result<(), StoreError>;
    /// The shell of a job that is open.
    async fn open_of_job(
        &self,
        tenant: TenantId,
        job: JobId,
    ) -> Result<Option<SpriteSession>, StoreError>;
    /// The shells of an agent, newest first, at most `limit`.
    async fn of_agent(
        &self,
        tenant: TenantId,
        agent: AgentId,
        limit: u32,
    ) -> Result<Vec<SpriteSession>, StoreError>;
    /// Shells of all agents, newest first; `status` narrows.
    async fn list(
        &self,
        tenant: TenantId,
        status: Option<SpriteSessionStatus>,
        page: PageRequest,
    ) -> Result<Page<SpriteSession>, StoreError>;
    /// Open shells that nobody will use again, oldest first, at most `limit`: their job is final, or no
    /// process holds its lane, and whoever takes it up opens a shell of its own. Of this instance, or of a
    /// process that is gone; how those of another stand only that one knows.
    async fn orphaned(
        &self,
        tenant: TenantId,
        instance: &str,
        limit: u32,
    ) -> Result<Vec<SpriteSession>, StoreError>;
    /// Ends one.
    async fn close(
        &self,
        tenant: TenantId,
        id: SpriteSessionId,
        status: SpriteSessionStatus,
        now: Timestamp,
    ) -> Result<(), StoreError>;
}
