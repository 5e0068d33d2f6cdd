//! What people configure: agents and integrations, and the conversations these lead to.

use super::StoreError;
use async_trait::async_trait;
use domain::{
    Timestamp,
    access::Hidden,
    agent::Agent,
    conversation::Conversation,
    id::{AgentId, ConversationId, IntegrationId, TenantId},
    integration::{Health, Integration},
    page::{Page, PageRequest},
};

/// Agents of a tenant. Archived ones are found by id but never listed.
#[async_trait]
pub trait AgentRepository: Send + Sync {
    /// Writes a new agent with its daily budget; `Conflict` when the name is taken.
    async fn insert(&self, agent: &Agent) -> Result<(), StoreError>;
    /// One agent, archived or not.
    async fn find(&self, tenant: TenantId, id: AgentId) -> Result<Option<Agent>, StoreError>;
    /// Newest first, without archived ones.
    async fn list(&self, tenant: TenantId, page: PageRequest) -> Result<Page<Agent>, StoreError>;
    /// All that are enabled and not archived and see the integration, oldest first.
    async fn seeing(
        &self,
        tenant: TenantId,
        integration: IntegrationId,
    ) -> Result<Vec<Agent>, StoreError>;
    /// Writes every field, the daily budget and archiving included; `Conflict` when the name is taken.
    async fn update(&self, agent: &Agent) -> Result<(), StoreError>;
    /// The integrations whose list names this agent (not those that all agents see).
    async fn integrations(
        &self,
        tenant: TenantId,
        id: AgentId,
    ) -> Result<Vec<IntegrationId>, StoreError>;
    /// Replaces that list.
    async fn set_integrations(
        &self,
        tenant: TenantId,
        id: AgentId,
        to: &[IntegrationId],
    ) -> Result<(), StoreError>;
}

/// Integrations of a tenant.
#[async_trait]
pub trait IntegrationRepository: Send + Sync {
    /// Writes a new one with its visibility; `Conflict` when the name is taken.
    async fn insert(&self, integration: &Integration) -> Result<(), StoreError>;
    /// One integration.
    async fn find(
        &self,
        tenant: TenantId,
        id: IntegrationId,
    ) -> Result<Option<Integration>, StoreError>;
    /// Newest first.
    async fn list(
        &self,
        tenant: TenantId,
        page: PageRequest,
    ) -> Result<Page<Integration>, StoreError>;
    /// The built-in integration through which work is handed in over the API.
    async fn manual(&self, tenant: TenantId) -> Result<Option<Integration>, StoreError>;
    /// Writes settings, visibility, enabled and `updated_at`; neither health nor poll cursor.
    async fn update(&self, integration: &Integration) -> Result<(), StoreError>;
    /// Notes what is known of the connection.
    async fn set_health(
        &self,
        tenant: TenantId,
        id: IntegrationId,
        health: Health,
        detail: Option<&str>,
    ) -> Result<(), StoreError>;
    /// Notes where polling goes on.
    async fn set_poll_cursor(
        &self,
        tenant: TenantId,
        id: IntegrationId,
        cursor: &str,
    ) -> Result<(), StoreError>;
    /// Removes it; its work stays readable. False when there is none.
    async fn delete(
        &self,
        tenant: TenantId,
        id: IntegrationId,
        now: Timestamp,
    ) -> Result<bool, StoreError>;
}

/// Conversations of a tenant; they are made by ingest.
#[async_trait]
pub trait ConversationRepository: Send + Sync {
    /// One conversation.
    async fn find(
        &self,
        tenant: TenantId,
        id: ConversationId,
    ) -> Result<Option<Conversation>, StoreError>;
    /// Whether it is kept from somebody: it takes place at a hidden integration, or only hidden agents work in it.
    async fn is_hidden(
        &self,
        tenant: TenantId,
        id: ConversationId,
        hidden: &Hidden,
    ) -> Result<bool, StoreError>;
}
