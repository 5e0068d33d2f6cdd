//! A thread on an integration, and the people known from it.

use crate::{
    Timestamp,
    channel::{ChatKind, Place},
    id::{ConversationId, IdentityId, IntegrationId, TenantId, UserId},
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
    /// When it was first seen.
    pub created_at: Timestamp,
}

/// A sender as a vendor knows them; a guest until somebody links them to a user.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity {
    /// Its id.
    pub id: IdentityId,
    /// The tenant it belongs to.
    pub tenant_id: TenantId,
    /// The channel type that issued the external id.
    pub provider: String,
    /// The vendor's id of the person.
    pub external_id: String,
    /// What the vendor shows of them.
    pub display_name: String,
    /// The user behind it, once known.
    pub user_id: Option<UserId>,
}
