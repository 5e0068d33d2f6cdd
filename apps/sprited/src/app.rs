//! What every handler needs, and how a handler gets the sprite its path names.

use crate::{
    answer::Refusal,
    registry::{Record, Registry},
    settings::Settings,
    tokens::Tokens,
};
use axum::{
    extract::{FromRequestParts, RawPathParams},
    http::request::Parts,
};
use domain::sprite::SandboxTier;
use ports::sandbox::{SandboxBackend, SandboxHost as _, Sprite};
use sprites_local::LocalHost;
use std::{net::SocketAddr, sync::Arc};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

/// A server's parts.
pub(crate) struct App {
    pub(crate) host: LocalHost,
    pub(crate) registry: Registry,
    pub(crate) settings: Settings,
    pub(crate) tokens: Tokens,
    /// Where it listens.
    pub(crate) address: SocketAddr,
    /// Work that goes on when its request has ended.
    pub(crate) tasks: TaskTracker,
    pub(crate) stopping: CancellationToken,
}

/// The server, as handlers share it.
pub(crate) type Shared = Arc<App>;

impl App {
    /// How well sprites are walled off.
    pub(crate) fn tier(&self) -> SandboxTier {
        match self.host.report().backend {
            SandboxBackend::Local(tier) => tier,
            // This server has no others.
            SandboxBackend::Sprites(_) => SandboxTier::Plain,
        }
    }

    /// The sprite of a name.
    pub(crate) fn target(self: &Arc<Self>, name: &str) -> Option<Target> {
        let record = self.registry.find(name)?;
        let sprite = self.host.sprite(record.key());
        Some(Target {
            app: Arc::clone(self),
            record,
            sprite,
        })
    }
}

/// The sprite that a path names.
pub(crate) struct Target {
    pub(crate) app: Shared,
    pub(crate) record: Record,
    pub(crate) sprite: Arc<dyn Sprite>,
}

impl Target {
    /// Notes that the sprite is used now, and again when what is given back is dropped.
    pub(crate) fn used(&self) -> Used {
        self.app.registry.touch(&self.record.name);
        Used {
            app: Arc::clone(&self.app),
            name: self.record.name.clone(),
        }
    }
}

/// A use of a sprite that goes on.
pub(crate) struct Used {
    app: Shared,
    name: String,
}

impl Drop for Used {
    fn drop(&mut self) {
        self.app.registry.touch(&self.name);
    }
}

impl FromRequestParts<Shared> for Target {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, app: &Shared) -> Result<Self, Refusal> {
        let params = RawPathParams::from_request_parts(parts, app)
            .await
            .map_err(|error| Refusal::bad(error.to_string()))?;
        let name = params.iter().find(|(key, _)| *key == "name");
        let (_, name) = name.unwrap_or_default();
        app.target(name).ok_or_else(|| no_sprite(name))
    }
}

/// The answer for a sprite that is not there.
pub(crate) fn no_sprite(name: &str) -> Refusal {
    Refusal::missing("sprite not found").with("message", format!("there is no sprite `{name}`"))
}
