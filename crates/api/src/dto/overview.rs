//! The overview on the wire.

use super::{
    job::JobView,
    sprite::SandboxBackend,
    words::{ChannelType, Health, SandboxTier},
};
use chrono::{DateTime, TimeDelta, Utc};
use domain::{
    budget::{Limit, Micros},
    integration::Integration,
};
use ports::{
    sandbox::{self, SandboxReport},
    store::{AgentStanding, Needs},
};
use serde::Serialize;
use services::overview::Overview;
use utoipa::ToSchema;
use uuid::Uuid;

/// The whole at a glance.
#[derive(Serialize, ToSchema)]
pub(crate) struct OverviewView {
    needs: NeedsView,
    /// The newest jobs that run, at most 20.
    running: Vec<JobView>,
    agents: Vec<OverviewAgentView>,
    /// What was spent since midnight UTC, in millionths of a US dollar.
    spend_today_micros: i64,
    integrations: Vec<OverviewIntegrationView>,
    sandbox: SandboxView,
    queue: QueueView,
    #[schema(example = "demo/scripted")]
    default_model: String,
    /// Whether the default model is the scripted one that needs no key.
    demo_model: bool,
}

/// How much waits for a person.
#[derive(Serialize, ToSchema)]
pub(crate) struct NeedsView {
    approvals: i64,
    /// Those of the last 24 hours that were not tried again.
    failed_jobs: i64,
    /// Effects that failed for good.
    dead_letters: i64,
    /// Effects of which nobody knows whether they arrived.
    unknown_effects: i64,
}

/// How an agent stands.
#[derive(Serialize, ToSchema)]
pub(crate) struct OverviewAgentView {
    agent_id: Uuid,
    name: String,
    state: AgentState,
    running_jobs: i64,
    queued_items: i64,
    spend_today_micros: i64,
    /// Null: no limit.
    #[schema(required)]
    budget_micros_per_day: Option<i64>,
    #[schema(required)]
    last_active_at: Option<DateTime<Utc>>,
}

/// What an agent does now: a job that waits, waits for a person or for a vendor.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum AgentState {
    Idle,
    Running,
    Waiting,
    Disabled,
}

/// How a connection stands.
#[derive(Serialize, ToSchema)]
pub(crate) struct OverviewIntegrationView {
    id: Uuid,
    name: String,
    r#type: ChannelType,
    enabled: bool,
    health: Health,
    #[schema(required)]
    health_detail: Option<String>,
}

/// How well sandboxes are walled off.
#[derive(Serialize, ToSchema)]
pub(crate) struct SandboxView {
    backend: SandboxBackend,
    /// Null where that is not ours to say.
    #[schema(required)]
    tier: Option<SandboxTier>,
    /// What the next better tier, or a limit that cannot be enforced, lacks on this host.
    missing: Vec<String>,
}

/// What waits for its turn.
#[derive(Serialize, ToSchema)]
pub(crate) struct QueueView {
    queued_items: i64,
    /// For how long the first of them has been waiting.
    #[schema(required)]
    oldest_wait_seconds: Option<i64>,
    pending_effects: i64,
}

impl From<Overview> for OverviewView {
    fn from(overview: Overview) -> Self {
        let wait =
            |since: DateTime<Utc>| (overview.at - since).max(TimeDelta::zero()).num_seconds();
        let queue = QueueView {
            queued_items: overview.queued,
            oldest_wait_seconds: overview.oldest_queued_at.map(wait),
            pending_effects: overview.needs.pending_effects,
        };
        let views = overview.integrations.into_iter();
        Self {
            needs: overview.needs.into(),
            running: overview.running.into_iter().map(Into::into).collect(),
            agents: overview.agents.into_iter().map(Into::into).collect(),
            spend_today_micros: overview.spent_today.0,
            integrations: views.map(Into::into).collect(),
            sandbox: overview.status.sandbox.into(),
            queue,
            demo_model: overview.status.default_model.provider() == "demo",
            default_model: overview.status.default_model.into(),
        }
    }
}

impl From<Needs> for NeedsView {
    fn from(needs: Needs) -> Self {
        Self {
            approvals: needs.approvals,
            failed_jobs: needs.failed_jobs,
            dead_letters: needs.dead_letters,
            unknown_effects: needs.unknown_effects,
        }
    }
}

impl From<AgentStanding> for OverviewAgentView {
    fn from(agent: AgentStanding) -> Self {
        let state = match (agent.enabled, agent.running, agent.waiting) {
            (_, 1.., _) => AgentState::Running,
            (false, ..) => AgentState::Disabled,
            (true, _, 1..) => AgentState::Waiting,
            (true, ..) => AgentState::Idle,
        };
        Self {
            agent_id: agent.id.as_uuid(),
            name: agent.name,
            state,
            running_jobs: agent.running,
            queued_items: agent.queued,
            spend_today_micros: agent.spent_today.0,
            budget_micros_per_day: match agent.budget {
                Limit::Unlimited => None,
                Limit::Of(Micros(limit)) => Some(limit),
            },
            last_active_at: agent.last_active_at,
        }
    }
}

impl From<Integration> for OverviewIntegrationView {
    fn from(integration: Integration) -> Self {
        Self {
            id: integration.id.as_uuid(),
            name: integration.name,
            r#type: ChannelType(integration.channel),
            enabled: integration.enabled,
            health: Health(integration.health),
            health_detail: integration.health_detail,
        }
    }
}

impl From<SandboxReport> for SandboxView {
    fn from(report: SandboxReport) -> Self {
        let (backend, tier) = match report.backend {
            sandbox::SandboxBackend::Local(tier) => (SandboxBackend::Local, Some(tier)),
            sandbox::SandboxBackend::Sprites(_) => (SandboxBackend::Sprites, None),
        };
        Self {
            backend,
            tier: tier.map(SandboxTier),
            missing: report.missing,
        }
    }
}
