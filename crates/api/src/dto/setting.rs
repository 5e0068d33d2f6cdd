//! What is set for the whole server, and what it is, on the wire.

use super::{sprite::SandboxBackend, words::SandboxTier};
use chrono::{DateTime, Utc};
use domain::retention::{Kept, Retention};
use ports::{
    inference::ToolSpec,
    sandbox::{self, SandboxReport},
};
use serde::{Deserialize, Serialize};
use services::status::{self, About};
use std::num::NonZeroU32;
use utoipa::ToSchema;

/// How long what jobs leave behind is kept after they ended, in days; null: for good. All three are needed.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[expect(
    clippy::struct_field_names,
    reason = "a number of days says so, as the variables do that set the same"
)]
pub(crate) struct UpdateRetention {
    /// What tools answered.
    #[serde(deserialize_with = "Option::deserialize")]
    #[schema(required, value_type = Option<u32>, minimum = 1, maximum = 36_500, example = 90)]
    tool_output_days: Option<NonZeroU32>,
    /// Events that clients replay.
    #[serde(deserialize_with = "Option::deserialize")]
    #[schema(required, value_type = Option<u32>, minimum = 1, maximum = 36_500, example = 30)]
    event_days: Option<NonZeroU32>,
    /// Messages and tool calls.
    #[serde(deserialize_with = "Option::deserialize")]
    #[schema(required, value_type = Option<u32>, minimum = 1, maximum = 36_500)]
    transcript_days: Option<NonZeroU32>,
}

/// How long what jobs leave behind is kept after they ended, in days; null: for good.
#[derive(Serialize, ToSchema)]
#[expect(
    clippy::struct_field_names,
    reason = "a number of days says so, as the variables do that set the same"
)]
pub(crate) struct RetentionView {
    /// What tools answered.
    #[schema(required, example = 90)]
    tool_output_days: Option<u32>,
    /// Events that clients replay.
    #[schema(required, example = 30)]
    event_days: Option<u32>,
    /// Messages and tool calls.
    #[schema(required)]
    transcript_days: Option<u32>,
}

/// The tools agents can be allowed.
#[derive(Serialize, ToSchema)]
pub(crate) struct ToolsView {
    /// By name.
    items: Vec<ToolView>,
}

/// Something an agent can do.
#[derive(Serialize, ToSchema)]
pub(crate) struct ToolView {
    #[schema(example = "bash")]
    name: String,
    /// What the model is told of it.
    description: String,
    /// Whether it changes nothing.
    read_only: bool,
}

/// Which kind of database there is.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum DatabaseKind {
    /// One file.
    Sqlite,
    /// A server.
    Postgres,
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

/// The server.
#[derive(Serialize, ToSchema)]
pub(crate) struct AboutView {
    version: String,
    database: DatabaseKind,
    /// Whether processes tell each other the news over Redis.
    redis: bool,
    /// Where the world reaches it.
    #[schema(required)]
    public_url: Option<String>,
    /// The model of agents that name none.
    default_model: String,
    started_at: DateTime<Utc>,
    sandbox: SandboxView,
    /// How many encryption keys it holds; more than one only while they are rotated.
    encryption_keys: usize,
}

impl From<UpdateRetention> for Retention {
    fn from(body: UpdateRetention) -> Self {
        Self {
            tool_output: body.tool_output_days.into(),
            events: body.event_days.into(),
            transcripts: body.transcript_days.into(),
        }
    }
}

impl From<Retention> for RetentionView {
    fn from(retention: Retention) -> Self {
        let days = |kept: Kept| kept.days().map(NonZeroU32::get);
        Self {
            tool_output_days: days(retention.tool_output),
            event_days: days(retention.events),
            transcript_days: days(retention.transcripts),
        }
    }
}

impl From<&[ToolSpec]> for ToolsView {
    fn from(tools: &[ToolSpec]) -> Self {
        let view = |tool: &ToolSpec| ToolView {
            name: tool.name.to_owned(),
            description: tool.description.to_owned(),
            read_only: tool.read_only,
        };
        Self {
            items: tools.iter().map(view).collect(),
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

impl From<About> for AboutView {
    fn from(about: About) -> Self {
        Self {
            version: about.status.version.to_owned(),
            database: match about.deployment.database {
                status::DatabaseKind::Sqlite => DatabaseKind::Sqlite,
                status::DatabaseKind::Postgres => DatabaseKind::Postgres,
            },
            redis: about.deployment.redis,
            public_url: about.public_url,
            default_model: about.status.default_model.to_string(),
            started_at: about.deployment.started_at,
            sandbox: about.status.sandbox.into(),
            encryption_keys: about.deployment.encryption_keys,
        }
    }
}
