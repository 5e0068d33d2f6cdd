//! What people configure: agents and integrations, and the conversations these lead to.

use super::StoreError;
use async_trait::async_trait;
use domain::{
    Timestamp,
    access::Hidden,
    agent::Agent,
    channel::ChannelType,
    conversation::Conversation,
    effect::Effect,
    id::{AgentId, ConversationId, IntegrationId, TenantId},
    integration::{Health, Integration},
    job::Job,
    message::Message,
    page::{Page, PageRequest},
    work::WorkItem,
};
use uuid::Uuid;

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
    /// The built-in integration of the web app and the API.
    async fn built_in(&self, tenant: TenantId) -> Result<Option<Integration>, StoreError>;
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

/// Which conversations to list; every field narrows.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ConversationFilter {
    /// At this integration.
    pub integration_id: Option<IntegrationId>,
    /// In which this agent works.
    pub agent_id: Option<AgentId>,
    /// Only this one.
    pub id: Option<ConversationId>,
    /// Not kept from the reader.
    pub hidden: Hidden,
}

/// A conversation as a list shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListedConversation {
    /// The conversation.
    pub conversation: Conversation,
    /// What its integration is called.
    pub integration_name: String,
    /// Of which type that is.
    pub channel: ChannelType,
    /// Its place in the list: the newest item, or the conversation itself when there is none.
    pub newest: Uuid,
    /// When something last came in, or it began.
    pub last_activity_at: Timestamp,
}

/// What a conversation shows of a job that is over.
#[derive(Clone, Debug, PartialEq)]
pub struct Answered {
    /// The job.
    pub job: Job,
    /// Its last words, where it has any.
    pub message: Option<Message>,
    /// Its reply on the channel, where it owes one.
    pub reply: Option<Effect>,
}

/// What a conversation shows of an item on which nobody acted.
#[derive(Clone, Debug, PartialEq)]
pub struct Passed {
    /// The item.
    pub item: WorkItem,
    /// The agent that left it alone, when there is one only.
    pub agent_id: Option<AgentId>,
}

/// Where rows that are ordered by an instant and an id go on, newest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Before {
    /// The instant.
    pub at: Timestamp,
    /// The id, among rows of the same instant.
    pub id: Uuid,
    /// Whether that very row is still to come.
    pub inclusive: bool,
}

/// Conversations of a tenant; most are made by ingest.
#[async_trait]
pub trait ConversationRepository: Send + Sync {
    /// Writes one that somebody begins with an agent; `Conflict` when the place is taken.
    async fn insert(&self, conversation: &Conversation) -> Result<(), StoreError>;
    /// Newest activity first.
    async fn list(
        &self,
        tenant: TenantId,
        filter: &ConversationFilter,
        page: PageRequest,
    ) -> Result<Page<ListedConversation>, StoreError>;
    /// What came in and is not for hidden agents only, by when it came in, newest first, at most `limit`.
    async fn items(
        &self,
        tenant: TenantId,
        id: ConversationId,
        hidden: &Hidden,
        before: Option<Before>,
        limit: u32,
    ) -> Result<Vec<WorkItem>, StoreError>;
    /// Jobs of agents that are not hidden, by when they ended, newest first, at most `limit`.
    async fn answers(
        &self,
        tenant: TenantId,
        id: ConversationId,
        hidden: &Hidden,
        before: Option<Before>,
        limit: u32,
    ) -> Result<Vec<Answered>, StoreError>;
    /// Such items on which nobody acted, by when that was known, newest first, at most `limit`.
    async fn passes(
        &self,
        tenant: TenantId,
        id: ConversationId,
        hidden: &Hidden,
        before: Option<Before>,
        limit: u32,
    ) -> Result<Vec<Passed>, StoreError>;
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
