//! Sprites on the wire.

use super::words::{BackgroundStatus, NetworkAction, SandboxTier, SpriteSessionStatus};
use crate::problem::ApiError;
use chrono::{DateTime, Utc};
use domain::sprite::{self, BackgroundProcess, NetworkPolicy, NetworkRule, SpriteSession};
use ports::sandbox;
use serde::{Deserialize, Serialize};
use services::sprites::SpriteDetail;
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

/// An agent's sandbox computer.
#[derive(Serialize, ToSchema)]
pub(crate) struct SpriteView {
    backend: SandboxBackend,
    /// How well it is walled off; null where that is not ours to say.
    #[schema(required)]
    tier: Option<SandboxTier>,
    /// What the next better tier, or a limit that cannot be enforced, lacks on this host.
    missing: Vec<String>,
    /// Whether it was ever used.
    provisioned: bool,
    status: SpriteStatus,
    /// Bytes its files take on disk; null where the backend does not say.
    #[schema(required)]
    disk_bytes: Option<u64>,
    /// The most they may take; null where the backend does not say.
    #[schema(required)]
    disk_limit_bytes: Option<u64>,
    network_policy: NetworkPolicyView,
    /// Its latest shells, newest first.
    sessions: Vec<SpriteSessionView>,
    /// Commands that were left running, newest first.
    processes: Vec<ProcessView>,
    /// The states it can go back to, newest first.
    checkpoints: Vec<CheckpointView>,
    /// What starts with it.
    services: Vec<ServiceView>,
}

/// Where sprites are.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum SandboxBackend {
    /// On the server's machine.
    Local,
    /// At a service that speaks the Sprites API.
    Sprites,
}

/// What a sprite does now: nothing runs and the next use starts it, it is awake with nothing to do, or
/// something runs in it.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum SpriteStatus {
    Cold,
    Warm,
    Running,
}

/// What a sprite may reach. Private addresses and the metadata services of clouds never are, whatever
/// the rules say.
#[derive(Serialize, ToSchema)]
pub(crate) struct NetworkPolicyView {
    /// The rule that names a host most closely decides; of two that do equally, the one that denies.
    rules: Vec<NetworkRuleView>,
    /// What holds for a host that no rule names.
    otherwise: NetworkAction,
}

/// What a sprite is to reach from now on.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct UpdateNetworkPolicy {
    /// The rule that names a host most closely decides; of two that do equally, the one that denies.
    #[serde(default)]
    rules: Vec<NetworkRuleView>,
    /// What holds for a host that no rule names; `deny` when absent.
    #[serde(default = "denied")]
    otherwise: NetworkAction,
}

/// One rule of a network policy.
#[derive(Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NetworkRuleView {
    /// `example.com` is that host alone, `*.example.com` every host below it, `*` every host.
    #[schema(example = "*.example.com")]
    domain: String,
    action: NetworkAction,
}

/// A checkpoint to make.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct CreateCheckpoint {
    /// Why; at most 500 characters.
    pub(crate) comment: Option<String>,
}

/// A state of a sprite's files that can be gone back to.
#[derive(Serialize, ToSchema)]
pub(crate) struct CheckpointView {
    id: String,
    #[schema(required)]
    comment: Option<String>,
    /// Whether it was made by itself, before files were put back.
    automatic: bool,
    /// Bytes it takes on disk; null where the backend does not say.
    #[schema(required)]
    bytes: Option<u64>,
    created_at: DateTime<Utc>,
}

/// A command that an agent left running.
#[derive(Serialize, ToSchema)]
pub(crate) struct ProcessView {
    id: Uuid,
    conversation_id: Uuid,
    /// The job that started it.
    job_id: Uuid,
    command: String,
    status: BackgroundStatus,
    #[schema(required)]
    exit_code: Option<i32>,
    created_at: DateTime<Utc>,
    /// When its end was seen.
    #[schema(required)]
    ended_at: Option<DateTime<Utc>>,
}

/// A background process and the last of its output.
#[derive(Serialize, ToSchema)]
pub(crate) struct ProcessOutput {
    process: ProcessView,
    /// The end of what it put out, both streams as they came; at most 64 KiB.
    output: String,
}

/// A process that is defined once and starts with the sprite.
#[derive(Serialize, ToSchema)]
pub(crate) struct ServiceView {
    name: String,
    command: Vec<String>,
    status: ServiceStatus,
    /// Why it does not run.
    #[schema(required)]
    error: Option<String>,
    restarts: u32,
}

/// Where a service stands.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum ServiceStatus {
    Stopped,
    Starting,
    Running,
    Stopping,
    Failed,
}

/// Which shells to list.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct SpriteSessionQuery {
    /// Standing so.
    pub(crate) status: Option<SpriteSessionStatus>,
}

/// What a cleanup did.
#[derive(Serialize, ToSchema)]
pub(crate) struct SpriteCleanup {
    /// How many shells it ended.
    closed: usize,
    /// These shells, oldest first: `closed` where one still ran, `lost` where it was gone before.
    sessions: Vec<SpriteSessionView>,
}

/// A shell inside a sprite.
#[derive(Serialize, ToSchema)]
pub(crate) struct SpriteSessionView {
    id: Uuid,
    agent_id: Uuid,
    job_id: Uuid,
    status: SpriteSessionStatus,
    created_at: DateTime<Utc>,
    #[schema(required)]
    closed_at: Option<DateTime<Utc>>,
}

const fn denied() -> NetworkAction {
    NetworkAction(sprite::NetworkAction::Deny)
}

impl From<SpriteDetail> for SpriteView {
    fn from(detail: SpriteDetail) -> Self {
        let (backend, tier) = match detail.host.backend {
            sandbox::SandboxBackend::Local(tier) => (SandboxBackend::Local, Some(tier)),
            sandbox::SandboxBackend::Sprites(_) => (SandboxBackend::Sprites, None),
        };
        Self {
            backend,
            tier: tier.map(SandboxTier),
            missing: detail.host.missing,
            provisioned: detail.sprite.provisioned,
            status: match detail.sprite.status {
                sandbox::SpriteStatus::Cold => SpriteStatus::Cold,
                sandbox::SpriteStatus::Warm => SpriteStatus::Warm,
                sandbox::SpriteStatus::Running => SpriteStatus::Running,
            },
            disk_bytes: detail.sprite.disk_bytes,
            disk_limit_bytes: detail.sprite.disk_limit,
            network_policy: detail.network_policy.into(),
            sessions: detail.sessions.into_iter().map(Into::into).collect(),
            processes: detail.processes.into_iter().map(Into::into).collect(),
            checkpoints: detail.checkpoints.into_iter().map(Into::into).collect(),
            services: detail.services.into_iter().map(Into::into).collect(),
        }
    }
}

impl From<NetworkPolicy> for NetworkPolicyView {
    fn from(policy: NetworkPolicy) -> Self {
        let view = |rule: NetworkRule| NetworkRuleView {
            domain: rule.domain,
            action: NetworkAction(rule.action),
        };
        Self {
            rules: policy.rules.into_iter().map(view).collect(),
            otherwise: NetworkAction(policy.otherwise),
        }
    }
}

impl TryFrom<UpdateNetworkPolicy> for NetworkPolicy {
    type Error = ApiError;

    fn try_from(view: UpdateNetworkPolicy) -> Result<Self, ApiError> {
        const RULES: usize = 500;
        if view.rules.len() > RULES {
            return Err(ApiError::field("rules", format!("at most {RULES} rules")));
        }
        let rule = |(at, rule): (usize, NetworkRuleView)| {
            NetworkRule::new(&rule.domain, rule.action.0)
                .map_err(|error| ApiError::field(format!("rules.{at}.domain"), error.to_string()))
        };
        let rules = view.rules.into_iter().enumerate().map(rule);
        Ok(Self {
            rules: rules.collect::<Result<_, _>>()?,
            otherwise: view.otherwise.0,
        })
    }
}

impl From<sandbox::Checkpoint> for CheckpointView {
    fn from(checkpoint: sandbox::Checkpoint) -> Self {
        Self {
            id: checkpoint.id,
            comment: checkpoint.comment,
            automatic: checkpoint.automatic,
            bytes: checkpoint.bytes,
            created_at: checkpoint.created_at,
        }
    }
}

impl From<BackgroundProcess> for ProcessView {
    fn from(process: BackgroundProcess) -> Self {
        Self {
            id: process.id.as_uuid(),
            conversation_id: process.conversation_id.as_uuid(),
            job_id: process.job_id.as_uuid(),
            command: process.command,
            status: BackgroundStatus(process.status),
            exit_code: process.exit_code,
            created_at: process.created_at,
            ended_at: process.ended_at,
        }
    }
}

impl From<(BackgroundProcess, String)> for ProcessOutput {
    fn from((process, output): (BackgroundProcess, String)) -> Self {
        Self {
            process: process.into(),
            output,
        }
    }
}

impl From<sandbox::ServiceReport> for ServiceView {
    fn from(service: sandbox::ServiceReport) -> Self {
        Self {
            name: service.definition.name,
            command: service.definition.command,
            status: match service.status {
                sandbox::ServiceStatus::Stopped => ServiceStatus::Stopped,
                sandbox::ServiceStatus::Starting => ServiceStatus::Starting,
                sandbox::ServiceStatus::Running => ServiceStatus::Running,
                sandbox::ServiceStatus::Stopping => ServiceStatus::Stopping,
                sandbox::ServiceStatus::Failed => ServiceStatus::Failed,
            },
            error: service.error,
            restarts: service.restarts,
        }
    }
}

impl From<Vec<SpriteSession>> for SpriteCleanup {
    fn from(sessions: Vec<SpriteSession>) -> Self {
        Self {
            closed: sessions.len(),
            sessions: sessions.into_iter().map(Into::into).collect(),
        }
    }
}

impl From<SpriteSession> for SpriteSessionView {
    fn from(session: SpriteSession) -> Self {
        Self {
            id: session.id.as_uuid(),
            agent_id: session.agent_id.as_uuid(),
            job_id: session.job_id.as_uuid(),
            status: SpriteSessionStatus(session.status),
            created_at: session.created_at,
            closed_at: session.closed_at,
        }
    }
}
