//! Sprites on the wire.

use super::words::{SandboxTier, SpriteSessionStatus};
use chrono::{DateTime, Utc};
use domain::sprite::SpriteSession;
use serde::{Deserialize, Serialize};
use services::sprites::SpriteDetail;
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

/// An agent's sandbox computer.
#[derive(Serialize, ToSchema)]
pub(crate) struct SpriteView {
    /// Whether it was ever used.
    provisioned: bool,
    /// Whether it runs now.
    awake: bool,
    /// Bytes its home takes on disk.
    disk_bytes: u64,
    tier: SandboxTier,
    /// What the next better tier lacks on this host.
    missing: Vec<String>,
    /// Its latest shells, newest first.
    sessions: Vec<SpriteSessionView>,
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

impl From<SpriteDetail> for SpriteView {
    fn from(detail: SpriteDetail) -> Self {
        Self {
            provisioned: detail.sprite.provisioned,
            awake: detail.sprite.awake,
            disk_bytes: detail.sprite.disk_bytes,
            tier: SandboxTier(detail.host.tier),
            missing: detail.host.missing,
            sessions: detail.sessions.into_iter().map(Into::into).collect(),
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
