//! What is configured, for the front page and for whoever looks for a fault. Says nothing that a
//! stranger may not know: no names, no counts, no addresses.

use crate::{Error, Platform};
use domain::model::ModelRef;
use ports::sandbox::SandboxReport;

/// What this server is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Status {
    /// The version of the build.
    pub version: &'static str,
    /// Names of the configured model providers, sorted.
    pub providers: Vec<String>,
    /// The model of agents that name none.
    pub default_model: ModelRef,
    /// How well sandboxes are walled off, and what is missing for more.
    pub sandbox: SandboxReport,
    /// Whether vendors can call us; otherwise channels poll.
    pub reachable: bool,
}

/// What is configured.
pub fn describe(platform: &Platform) -> Status {
    Status {
        version: platform.settings.version,
        providers: platform.models.providers(),
        default_model: platform.models.default_model(),
        sandbox: platform.sandboxes.report(),
        reachable: platform.settings.public_url.is_some(),
    }
}

/// Whether the database answers and has the schema this build expects.
pub async fn ready(platform: &Platform) -> Result<(), Error> {
    Ok(platform.store.ready().await?)
}
