//! Integrations on the wire. Secrets go in with the settings and never come out.

use super::{
    Field,
    words::{ChannelType, Health},
};
use chrono::{DateTime, Utc};
use domain::{id::AgentId, integration::Visibility};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use services::integrations;
use std::collections::BTreeMap;
use utoipa::ToSchema;
use uuid::Uuid;

/// A new integration.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct CreateIntegration {
    r#type: ChannelType,
    /// Unique, 1 to 64 characters.
    #[schema(example = "Support bot")]
    name: String,
    /// The settings of its type. Telegram: `bot_token`, `mode` (`polling` or `webhook`),
    /// `webhook_secret` (generated when absent), `api_base_url`, `allowed_chat_ids`,
    /// `allow_bots` (false when absent).
    #[schema(value_type = Object, example = json!({"mode": "polling", "bot_token": "<the token from @BotFather>"}))]
    config: Map<String, Value>,
    /// Which agents see it; absent or null: all, those made later included.
    #[schema(value_type = Option<Vec<Uuid>>)]
    agent_ids: Option<Vec<AgentId>>,
    /// Whether it takes messages; true when absent.
    enabled: Option<bool>,
}

/// What is to change; absent fields stay.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct UpdateIntegration {
    /// A new name.
    name: Option<String>,
    /// Settings to merge: null removes one, and has a generated secret made anew.
    #[schema(value_type = Option<Object>)]
    config: Option<Map<String, Value>>,
    /// Which agents see it; null: all.
    #[serde(default)]
    #[schema(value_type = Option<Vec<Uuid>>)]
    agent_ids: Field<Vec<AgentId>>,
    /// Whether it takes messages.
    enabled: Option<bool>,
}

/// An integration.
#[derive(Serialize, ToSchema)]
pub(crate) struct IntegrationView {
    id: Uuid,
    r#type: ChannelType,
    #[schema(example = "Support bot")]
    name: String,
    /// Its settings without secrets.
    #[schema(value_type = Object, example = json!({"mode": "polling"}))]
    config: Map<String, Value>,
    /// Its secret settings, and whether each is set.
    #[schema(example = json!({"bot_token": true, "webhook_secret": true}))]
    secrets: BTreeMap<String, bool>,
    /// Which agents see it; null: all.
    #[schema(required)]
    agent_ids: Option<Vec<Uuid>>,
    enabled: bool,
    health: Health,
    /// Why, for people.
    #[schema(required)]
    health_detail: Option<String>,
    created_at: DateTime<Utc>,
    updated_at: DateTime<Utc>,
}

/// What a test of the connection found.
#[derive(Serialize, ToSchema)]
pub(crate) struct IntegrationTest {
    health: Health,
    /// The account at the vendor.
    #[schema(required, example = "@support_bot")]
    account: Option<String>,
    /// Reservations or the failure, for people.
    #[schema(required)]
    detail: Option<String>,
}

impl From<CreateIntegration> for integrations::CreateIntegration {
    fn from(body: CreateIntegration) -> Self {
        Self {
            channel: body.r#type.0,
            name: body.name,
            config: body.config,
            visibility: visibility(body.agent_ids),
            enabled: body.enabled.unwrap_or(true),
        }
    }
}

impl From<UpdateIntegration> for integrations::UpdateIntegration {
    fn from(body: UpdateIntegration) -> Self {
        Self {
            name: body.name,
            config: body.config,
            visibility: body.agent_ids.given(visibility),
            enabled: body.enabled,
        }
    }
}

impl From<integrations::Shown> for IntegrationView {
    fn from(shown: integrations::Shown) -> Self {
        let row = shown.integration;
        Self {
            id: row.id.as_uuid(),
            r#type: ChannelType(row.channel),
            name: row.name,
            config: shown.config,
            secrets: shown.secrets,
            agent_ids: match row.visibility {
                Visibility::AllAgents => None,
                Visibility::Agents(ids) => Some(ids.into_iter().map(AgentId::as_uuid).collect()),
            },
            enabled: row.enabled,
            health: Health(row.health),
            health_detail: row.health_detail,
            created_at: row.created_at,
            updated_at: row.updated_at,
        }
    }
}

impl From<integrations::Tested> for IntegrationTest {
    fn from(tested: integrations::Tested) -> Self {
        Self {
            health: Health(tested.health),
            account: tested.account,
            detail: tested.detail,
        }
    }
}

fn visibility(agents: Option<Vec<AgentId>>) -> Visibility {
    agents.map_or(Visibility::AllAgents, Visibility::Agents)
}
