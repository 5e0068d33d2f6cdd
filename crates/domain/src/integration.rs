//! One configured instance of a channel type.

use crate::{
    Timestamp,
    channel::ChannelType,
    id::{AgentId, IntegrationId, TenantId},
    text::words,
};

words!(
    /// What is known of the connection to the vendor.
    Health {
        /// Not tried yet.
        Unknown = "unknown",
        /// The last contact worked.
        Ok = "ok",
        /// It works, with a reservation that the detail names.
        Degraded = "degraded",
        /// It does not work; the detail says why and what to do.
        Failed = "failed",
    }
);

/// Which agents see what comes in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Visibility {
    /// Every agent, those made later included.
    AllAgents,
    /// These agents only.
    Agents(Vec<AgentId>),
}

/// Two Telegram bots are two integrations.
#[derive(Clone, Debug, PartialEq)]
pub struct Integration {
    /// Its id; part of its webhook path.
    pub id: IntegrationId,
    /// The tenant it belongs to.
    pub tenant_id: TenantId,
    /// The type of channel.
    pub channel: ChannelType,
    /// Unique per tenant.
    pub name: String,
    /// Settings as JSON; secret fields hold `enc:v1:…` text, never plaintext.
    pub config: serde_json::Value,
    /// Which agents see it.
    pub visibility: Visibility,
    /// Whether it takes messages at all.
    pub enabled: bool,
    /// What is known of the connection.
    pub health: Health,
    /// Why, in words for a person.
    pub health_detail: Option<String>,
    /// Where polling goes on (Telegram: the next update id).
    pub poll_cursor: Option<String>,
    /// When it was made.
    pub created_at: Timestamp,
    /// When its settings were last changed; a connection made before that is stale.
    pub updated_at: Timestamp,
}
