//! Chooses who runs the agents' computers.

use super::clients::sprites_client;
use crate::{
    cli::Failure,
    config::{Config, ConfigError},
};
use anyhow::Context;
use domain::sprite::SandboxTier;
use ports::sandbox::SandboxHost;
use sprites::{SpritesHost, SpritesSettings};
use sprites_local::{LocalHost, LocalSettings};
use std::{path::PathBuf, sync::Arc};

/// The hidden first argument that makes this binary the supervisor inside a sandbox.
pub const SUPERVISOR: &str = "__supervisor";

/// Where agents' computers are: at a service when there is a token for one, otherwise on this machine, where
/// a tier below the least that was asked for fails.
pub async fn sandboxes(config: &Config, root: PathBuf) -> Result<Arc<dyn SandboxHost>, Failure> {
    if let Some(service) = &config.sandboxes.sprites {
        let settings = SpritesSettings {
            base_url: service.api_url.clone(),
            token: service.token.clone(),
            http: sprites_client()?,
            accept_open_network: config.sandboxes.min_tier == SandboxTier::Plain,
            timing: sprites::Timing::default(),
        };
        let host = SpritesHost::new(settings).map_err(|error| ConfigError::Invalid {
            name: "SPRITES_API_URL",
            problem: error.to_string(),
        })?;
        return Ok(Arc::new(host));
    }
    let own = std::env::current_exe().context("this program's own path is not known")?;
    let mut settings = LocalSettings::new(root, vec![own.into(), SUPERVISOR.into()]);
    settings.min_tier = config.sandboxes.min_tier;
    settings.quotas = config.sandboxes.quotas.clone();
    let host = LocalHost::start(settings)
        .await
        .map_err(|error| ConfigError::Invalid {
            name: "SANDBOX_MIN_TIER",
            problem: error.to_string(),
        })?;
    Ok(Arc::new(host))
}
