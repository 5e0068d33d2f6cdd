//! The way in: everything that comes from outside becomes durable here, once.

use crate::store::StoreError;
use async_trait::async_trait;
use domain::{
    channel::InboundMessage,
    id::{AgentId, IntegrationId, TenantId, WorkItemId},
};

/// One delivery to take in.
#[derive(Clone, Debug)]
pub struct Accept {
    /// The tenant of the integration.
    pub tenant_id: TenantId,
    /// Where it came in.
    pub integration_id: IntegrationId,
    /// What came in.
    pub message: InboundMessage,
    /// Agents it is handed to by name; empty = every enabled agent that sees the integration.
    pub assigned: Vec<AgentId>,
    /// Agents that never get it, because whoever sent it does not see them.
    pub except: Vec<AgentId>,
}

/// What became of a delivery.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Accepted {
    /// The work item, made now or by the first delivery of the same event.
    pub work_item_id: WorkItemId,
    /// Whether the event was known already.
    pub duplicate: bool,
}

/// Takes deliveries in. When `accept` returns `Ok`, the delivery survives power loss.
#[cfg_attr(feature = "mock", mockall::automock)]
#[async_trait]
pub trait IngestQueue: Send + Sync {
    /// Takes several at once, in one durable commit; one outcome per delivery, in order.
    async fn accept(&self, batch: Vec<Accept>) -> Result<Vec<Accepted>, StoreError>;
}
