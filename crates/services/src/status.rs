//! What is configured, for the front page and for whoever looks for a fault. What is described without a caller says
//! nothing that a stranger may not know: no names, no counts, no addresses.

use crate::{Context, Error, Platform};
use domain::{
    Timestamp,
    access::{Area, Right},
    model::ModelRef,
};
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

/// Which kind of database there is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DatabaseKind {
    /// One file, for one process.
    Sqlite,
    /// A server, for any number of processes.
    Postgres,
}

/// What a server is made of.
#[derive(Clone, Copy, Debug)]
pub struct Deployment {
    /// Where rows are.
    pub database: DatabaseKind,
    /// Whether processes tell each other the news over Redis.
    pub redis: bool,
    /// How many encryption keys it holds; more than one only during a rotation.
    pub encryption_keys: usize,
    /// When this process started.
    pub started_at: Timestamp,
}

/// What administrators see of the server.
#[derive(Clone, Debug)]
pub struct About {
    /// What is configured.
    pub status: Status,
    /// Where the world reaches it.
    pub public_url: Option<String>,
    /// What it is made of.
    pub deployment: Deployment,
}

/// The server, for those who look after it.
pub fn about(context: &Context) -> Result<About, Error> {
    context.authorise(Area::Settings, Right::Read)?;
    let platform = &context.platform;
    Ok(About {
        status: describe(platform),
        public_url: platform.settings.public_url.clone(),
        deployment: platform.settings.deployment,
    })
}
