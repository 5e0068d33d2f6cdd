//! A thread on an integration.

use crate::{
    Timestamp,
    channel::{ChatKind, Place},
    id::{AgentId, ConversationId, IntegrationId, TenantId},
};

/// One thread on one integration; its key is (integration, channel, thread).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Conversation {
    /// Its id.
    pub id: ConversationId,
    /// The tenant it belongs to.
    pub tenant_id: TenantId,
    /// The integration it takes place on.
    pub integration_id: IntegrationId,
    /// Where on that integration.
    pub place: Place,
    /// One person or several.
    pub chat: ChatKind,
    /// The vendor's title of the place.
    pub title: Option<String>,
    /// The only agent it is with, when somebody began it with one.
    pub agent_id: Option<AgentId>,
    /// When it was first seen.
    pub created_at: Timestamp,
}
