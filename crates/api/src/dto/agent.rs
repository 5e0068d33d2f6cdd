//! Agents on the wire.

use super::{Field, words::ReplyPolicy};
use chrono::{DateTime, Utc};
use domain::{
    agent::Agent,
    budget::{Limit, Micros},
    id::IntegrationId,
};
use serde::{Deserialize, Serialize};
use services::agents;
use utoipa::ToSchema;
use uuid::Uuid;

/// A new agent; only the name is needed.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct CreateAgent {
    /// Unique, 1 to 64 characters, without `@`, `/` and `:`.
    #[schema(example = "Ada")]
    name: String,
    /// `provider/model`; the server's default when absent or null.
    #[schema(example = "demo/scripted")]
    model: Option<String>,
    /// What its humans want of it; goes verbatim into every prompt.
    #[schema(example = "You help the support team. Be brief.")]
    instructions: Option<String>,
    /// Whether it sees new work; true when absent.
    enabled: Option<bool>,
    /// What happens to its replies; `auto` when absent.
    reply_policy: Option<ReplyPolicy>,
    /// What it may spend in a UTC day, in millionths of a US dollar. Absent: the server's default;
    /// null: unlimited, on purpose.
    #[serde(default)]
    #[schema(value_type = Option<i64>, minimum = 0, example = 5_000_000)]
    budget_micros_per_day: Field<i64>,
}

/// What is to change; absent fields stay.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct UpdateAgent {
    /// A new name.
    name: Option<String>,
    /// Another model; null: the server's default.
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    model: Field<String>,
    /// New instructions.
    instructions: Option<String>,
    /// Whether it sees new work.
    enabled: Option<bool>,
    /// What happens to its replies.
    reply_policy: Option<ReplyPolicy>,
    /// What it may spend in a UTC day, in millionths of a US dollar; null: unlimited.
    #[serde(default)]
    #[schema(value_type = Option<i64>, minimum = 0)]
    budget_micros_per_day: Field<i64>,
}

/// An agent.
#[derive(Serialize, ToSchema)]
pub(crate) struct AgentView {
    id: Uuid,
    /// Unique among agents that are not deleted.
    #[schema(example = "Ada")]
    name: String,
    /// `provider/model`; null: the server's default.
    #[schema(required)]
    model: Option<String>,
    /// What its humans want of it.
    instructions: String,
    /// Whether it sees new work.
    enabled: bool,
    reply_policy: ReplyPolicy,
    /// What it may spend in a UTC day, in millionths of a US dollar; null: unlimited.
    #[schema(required, example = 5_000_000)]
    budget_micros_per_day: Option<i64>,
    created_at: DateTime<Utc>,
    updated_at: DateTime<Utc>,
    /// When it was deleted; its history stays readable.
    #[schema(required)]
    archived_at: Option<DateTime<Utc>>,
}

/// The integrations that name an agent.
#[derive(Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct AgentIntegrations {
    /// Integrations that all agents see are not among them, and cannot be put there.
    #[schema(value_type = Vec<Uuid>)]
    pub(crate) integration_ids: Vec<IntegrationId>,
}

impl From<CreateAgent> for agents::CreateAgent {
    fn from(body: CreateAgent) -> Self {
        Self {
            name: body.name,
            model: body.model,
            instructions: body.instructions,
            enabled: body.enabled,
            reply_policy: body.reply_policy.map(|word| word.0),
            budget: body.budget_micros_per_day.given(limit),
        }
    }
}

impl From<UpdateAgent> for agents::UpdateAgent {
    fn from(body: UpdateAgent) -> Self {
        Self {
            name: body.name,
            model: body.model.given(|model| model),
            instructions: body.instructions,
            enabled: body.enabled,
            reply_policy: body.reply_policy.map(|word| word.0),
            budget: body.budget_micros_per_day.given(limit),
        }
    }
}

impl From<Agent> for AgentView {
    fn from(agent: Agent) -> Self {
        Self {
            id: agent.id.as_uuid(),
            name: agent.name.into(),
            model: agent.model.map(Into::into),
            instructions: agent.instructions,
            enabled: agent.enabled,
            reply_policy: ReplyPolicy(agent.reply_policy),
            budget_micros_per_day: match agent.daily_budget {
                Limit::Unlimited => None,
                Limit::Of(amount) => Some(amount.0),
            },
            created_at: agent.created_at,
            updated_at: agent.updated_at,
            archived_at: agent.archived_at,
        }
    }
}

fn limit(micros: Option<i64>) -> Limit {
    micros.map_or(Limit::Unlimited, |micros| Limit::Of(Micros(micros)))
}
