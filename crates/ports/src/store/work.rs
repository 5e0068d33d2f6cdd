//! What came in, and what was decided about it.

use super::StoreError;
use crate::ingest::{Accept, Accepted};
use async_trait::async_trait;
use domain::{
    Timestamp,
    access::Hidden,
    id::{AgentId, ConversationId, IntegrationId, TenantId, WorkItemId},
    page::{Page, PageRequest},
    work::{Decision, LaneOutcome, WorkItem, WorkItemStatus},
};

/// Which work items to list; every field narrows.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct WorkFilter {
    /// Came in there.
    pub integration_id: Option<IntegrationId>,
    /// Sits in a lane of this agent.
    pub agent_id: Option<AgentId>,
    /// Belongs to this conversation.
    pub conversation_id: Option<ConversationId>,
    /// Stands so.
    pub status: Option<WorkItemStatus>,
    /// Its text contains this, without regard to case.
    pub text: Option<String>,
    /// Not kept from the reader.
    pub hidden: Hidden,
}

/// Work items and decisions of a tenant; items are made by ingest.
#[async_trait]
pub trait WorkRepository: Send + Sync {
    /// Takes deliveries of the transaction's tenant in, as [`super::Store::ingest`] does, for a caller that has more to
    /// write with them.
    async fn ingest(&self, batch: &[Accept], now: Timestamp) -> Result<Vec<Accepted>, StoreError>;
    /// One work item.
    async fn find(&self, tenant: TenantId, id: WorkItemId) -> Result<Option<WorkItem>, StoreError>;
    /// Whether an item is kept from somebody: it came in at a hidden integration, or only hidden agents have it.
    async fn is_hidden(
        &self,
        tenant: TenantId,
        id: WorkItemId,
        hidden: &Hidden,
    ) -> Result<bool, StoreError>;
    /// Newest first.
    async fn list(
        &self,
        tenant: TenantId,
        filter: &WorkFilter,
        page: PageRequest,
    ) -> Result<Page<WorkItem>, StoreError>;
    /// How every lane that holds the item stands.
    async fn lanes(&self, tenant: TenantId, id: WorkItemId)
    -> Result<Vec<LaneOutcome>, StoreError>;
    /// Works out the status from those lanes (see [`domain::work::outcome`]), writes it and returns
    /// it; reopens an item whose retry has begun. The reason is what the calling lane has to say, so
    /// it counts only where it explains the whole: an item that passed gets it, one that failed gets it
    /// unless the lane that failed says why itself (without one it keeps the reason it has), one that is
    /// open or replied has none.
    async fn settle(
        &self,
        tenant: TenantId,
        id: WorkItemId,
        reason: Option<&str>,
        now: Timestamp,
    ) -> Result<WorkItemStatus, StoreError>;
    /// Who wrote the newest items of an item's conversation, from that item back, at most `limit`: true for
    /// a bot.
    async fn bots(
        &self,
        tenant: TenantId,
        item: &WorkItem,
        limit: u32,
    ) -> Result<Vec<bool>, StoreError>;
    /// When the items of an item's sender, a bot, came into its conversation, from that item back to
    /// `since`, at most `limit`.
    async fn bot_arrivals(
        &self,
        tenant: TenantId,
        item: &WorkItem,
        since: Timestamp,
        limit: u32,
    ) -> Result<Vec<Timestamp>, StoreError>;
    /// Writes a decision; an agent decides once per item, so a second one is a `Conflict`.
    async fn insert_decision(&self, decision: &Decision) -> Result<(), StoreError>;
    /// Decisions about an item, oldest first.
    async fn decisions(
        &self,
        tenant: TenantId,
        id: WorkItemId,
    ) -> Result<Vec<Decision>, StoreError>;
}
