//! Agents on the wire.

use super::{
    Field,
    approval::Approvers,
    words::{ReplyPolicy, Steering},
};
use chrono::{DateTime, Utc};
use domain::{
    agent::Agent,
    budget::{Limit, Micros},
    guard,
    id::IntegrationId,
};
use serde::{Deserialize, Serialize};
use services::agents;
use utoipa::{IntoParams, ToSchema};
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
    /// What becomes of messages that arrive while it works; `steer` when absent.
    steering: Option<Steering>,
    /// Where it stops to go along with a loop; absent ones have their default.
    loop_limits: Option<UpdateLoopLimits>,
    /// What it may spend in a UTC day, in millionths of a US dollar. Absent: the server's default;
    /// null: unlimited, on purpose.
    #[serde(default)]
    #[schema(value_type = Option<i64>, minimum = 0, example = 5_000_000)]
    budget_micros_per_day: Field<i64>,
    /// The tools it may use, by name; absent or null: all there are.
    #[schema(example = json!(["read_file", "grep"]))]
    tools: Option<Vec<String>>,
    /// Who may answer what it asks; members and above when absent.
    approvers: Option<Approvers>,
}

/// How to delete an agent.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(crate) struct DeleteAgent {
    /// What becomes of its sprite; needed when it has one.
    #[param(inline)]
    pub(crate) sprite: Option<SpriteFate>,
}

/// What becomes of a sprite.
#[derive(Clone, Copy, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum SpriteFate {
    /// Its files stay.
    Keep,
    /// It goes for good, checkpoints included.
    Destroy,
}

impl From<SpriteFate> for agents::SpriteFate {
    fn from(fate: SpriteFate) -> Self {
        match fate {
            SpriteFate::Keep => Self::Keep,
            SpriteFate::Destroy => Self::Destroy,
        }
    }
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
    /// What becomes of messages that arrive while it works.
    steering: Option<Steering>,
    /// Where it stops to go along with a loop; absent ones stay.
    loop_limits: Option<UpdateLoopLimits>,
    /// What it may spend in a UTC day, in millionths of a US dollar; null: unlimited.
    #[serde(default)]
    #[schema(value_type = Option<i64>, minimum = 0)]
    budget_micros_per_day: Field<i64>,
    /// The tools it may use, by name; null: all there are.
    #[serde(default)]
    #[schema(value_type = Option<Vec<String>>)]
    tools: Field<Vec<String>>,
    /// Who may answer what it asks.
    approvers: Option<Approvers>,
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
    steering: Steering,
    loop_limits: LoopLimits,
    /// What it may spend in a UTC day, in millionths of a US dollar; null: unlimited.
    #[schema(required, example = 5_000_000)]
    budget_micros_per_day: Option<i64>,
    /// The tools it may use, by name; null: all there are.
    #[schema(required)]
    tools: Option<Vec<String>>,
    approvers: Approvers,
    created_at: DateTime<Utc>,
    updated_at: DateTime<Utc>,
    /// When it was deleted; its history stays readable.
    #[schema(required)]
    archived_at: Option<DateTime<Utc>>,
}

/// Where an agent stops to go along with a loop. An item that a limit keeps it from is passed with a
/// reason that names the limit.
#[derive(Serialize, ToSchema)]
pub(crate) struct LoopLimits {
    /// How many messages of bots in a row, since a person last spoke in the conversation, it acts on.
    #[schema(minimum = 0, maximum = 100, example = 3)]
    relay_depth: u32,
    /// How many messages of one bot in one conversation it takes within the window.
    #[schema(minimum = 1, maximum = 500, example = 20)]
    bot_window_items: u32,
    /// How long that window is, in seconds.
    #[schema(minimum = 1, maximum = 3_600, example = 60)]
    bot_window_seconds: u32,
    /// How long a bot that overfills the window is then passed over, in seconds.
    #[schema(minimum = 0, maximum = 3_600, example = 60)]
    bot_cooldown_seconds: u32,
    /// How often in a row a job may use the same tool with the same arguments and the same result
    /// before it fails.
    #[schema(minimum = 2, maximum = 100, example = 5)]
    identical_calls: u32,
    /// After how many same answers in a row to bots it answers them no more until a person speaks.
    #[schema(minimum = 1, maximum = 12, example = 3)]
    identical_answers: u32,
    /// How often a job that gets no further is resumed after its process died before it fails.
    #[schema(minimum = 1, maximum = 100, example = 3)]
    resumes: u32,
}

/// The loop limits that are to change.
#[derive(Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct UpdateLoopLimits {
    /// How many messages of bots in a row it acts on.
    #[schema(minimum = 0, maximum = 100)]
    relay_depth: Option<u32>,
    /// How many messages of one bot in one conversation it takes within the window.
    #[schema(minimum = 1, maximum = 500)]
    bot_window_items: Option<u32>,
    /// How long that window is, in seconds.
    #[schema(minimum = 1, maximum = 3_600)]
    bot_window_seconds: Option<u32>,
    /// How long a bot that overfills the window is then passed over, in seconds.
    #[schema(minimum = 0, maximum = 3_600)]
    bot_cooldown_seconds: Option<u32>,
    /// How often in a row a job may do the same before it fails.
    #[schema(minimum = 2, maximum = 100)]
    identical_calls: Option<u32>,
    /// After how many same answers in a row to bots it answers them no more.
    #[schema(minimum = 1, maximum = 12)]
    identical_answers: Option<u32>,
    /// How often a job that gets no further is resumed before it fails.
    #[schema(minimum = 1, maximum = 100)]
    resumes: Option<u32>,
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
            steering: body.steering.map(|word| word.0),
            loop_limits: body.loop_limits.unwrap_or_default().into(),
            budget: body.budget_micros_per_day.given(limit),
            tools: body.tools,
            approvers: body.approvers.map(Into::into),
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
            steering: body.steering.map(|word| word.0),
            loop_limits: body.loop_limits.unwrap_or_default().into(),
            budget: body.budget_micros_per_day.given(limit),
            tools: body.tools.given(|tools| tools),
            approvers: body.approvers.map(Into::into),
        }
    }
}

impl From<UpdateLoopLimits> for agents::UpdateLoopLimits {
    fn from(body: UpdateLoopLimits) -> Self {
        Self {
            relay_depth: body.relay_depth,
            bot_window_items: body.bot_window_items,
            bot_window_seconds: body.bot_window_seconds,
            bot_cooldown_seconds: body.bot_cooldown_seconds,
            identical_calls: body.identical_calls,
            identical_answers: body.identical_answers,
            resumes: body.resumes,
        }
    }
}

impl From<guard::LoopLimits> for LoopLimits {
    fn from(limits: guard::LoopLimits) -> Self {
        Self {
            relay_depth: limits.relay_depth,
            bot_window_items: limits.bot_window_items,
            bot_window_seconds: limits.bot_window_seconds,
            bot_cooldown_seconds: limits.bot_cooldown_seconds,
            identical_calls: limits.identical_calls,
            identical_answers: limits.identical_answers,
            resumes: limits.resumes,
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
            steering: Steering(agent.steering),
            loop_limits: agent.loop_limits.into(),
            budget_micros_per_day: match agent.daily_budget {
                Limit::Unlimited => None,
                Limit::Of(amount) => Some(amount.0),
            },
            tools: agent.tools,
            approvers: agent.approvers.into(),
            created_at: agent.created_at,
            updated_at: agent.updated_at,
            archived_at: agent.archived_at,
        }
    }
}

fn limit(micros: Option<i64>) -> Limit {
    micros.map_or(Limit::Unlimited, |micros| Limit::Of(Micros(micros)))
}
