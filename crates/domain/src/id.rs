//! The registry of identifiers. Each is a UUID v7 in a type of its own, so that mixing two
//! kinds does not compile. They are made by the `Ids` port alone.

use serde::{Deserialize, Serialize};
use uuid::Uuid;

macro_rules! id {
    ($($(#[$doc:meta])* $name:ident),* $(,)?) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(Uuid);

        impl $name {
            /// Gives a raw UUID its meaning.
            pub const fn from_uuid(id: Uuid) -> Self {
                Self(id)
            }

            /// The raw UUID, for columns and wire formats.
            pub const fn as_uuid(self) -> Uuid {
                self.0
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                self.0.fmt(f)
            }
        }

        impl std::str::FromStr for $name {
            type Err = uuid::Error;

            fn from_str(text: &str) -> Result<Self, uuid::Error> {
                text.parse().map(Self)
            }
        }
    )*};
}

id!(
    /// Identifies an [`crate::agent::Agent`].
    AgentId,
    /// Identifies an [`crate::approval::Approval`].
    ApprovalId,
    /// Identifies a [`crate::sprite::BackgroundProcess`].
    BackgroundProcessId,
    /// Identifies one row of the spending limits.
    BudgetId,
    /// Identifies a [`crate::conversation::Conversation`].
    ConversationId,
    /// Identifies a [`crate::work::Decision`].
    DecisionId,
    /// Identifies an [`crate::effect::Effect`].
    EffectId,
    /// Identifies a known sender on a channel.
    IdentityId,
    /// Identifies an [`crate::work::InboundEvent`].
    InboundEventId,
    /// Identifies an [`crate::integration::Integration`].
    IntegrationId,
    /// Identifies a [`crate::job::Job`].
    JobId,
    /// Identifies a [`crate::queue::LaneEntry`].
    LaneEntryId,
    /// Identifies a [`crate::queue::Lane`].
    LaneId,
    /// Identifies a [`crate::message::Message`].
    MessageId,
    /// Identifies a [`crate::model::ModelCall`].
    ModelCallId,
    /// Identifies a [`crate::provider::Provider`].
    ProviderId,
    /// Identifies a [`crate::sprite::SpriteSession`].
    SpriteSessionId,
    /// Identifies a tenant: the isolation boundary of everything.
    TenantId,
    /// Identifies an [`crate::access::ApiToken`].
    TokenId,
    /// Identifies a [`crate::message::ToolCall`] row (the model's own call id is a string beside it).
    ToolCallId,
    /// Identifies a [`crate::login::User`].
    UserId,
    /// Identifies a [`crate::login::UserLink`].
    UserLinkId,
    /// Identifies a [`crate::login::UserSession`].
    UserSessionId,
    /// Identifies a [`crate::work::WorkItem`].
    WorkItemId,
    /// Identifies one running server process.
    WorkerId,
);
