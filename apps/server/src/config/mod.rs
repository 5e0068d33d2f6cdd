//! The server's configuration: the environment, and a TOML file with the same names. This is the only
//! place that reads either; everybody else gets a plain settings struct.

mod budgets;
mod database;
mod models;
mod retention;
mod sandboxes;
mod server;
mod source;

pub use budgets::BudgetsConfig;
pub use database::Database;
pub use models::ModelsConfig;
pub use sandboxes::{SandboxesConfig, SpritesConfig};
pub use server::ServerConfig;
pub use source::{ConfigError, Source};

use std::path::Path;

/// Everything that can be configured from outside.
pub struct Config {
    /// Listening, data and secrets.
    pub server: ServerConfig,
    /// Model providers.
    pub models: ModelsConfig,
    /// What may be spent.
    pub budgets: BudgetsConfig,
    /// How long what jobs leave behind is kept.
    pub retention: domain::retention::Retention,
    /// Where agents' computers are.
    pub sandboxes: SandboxesConfig,
    /// The log filter.
    pub rust_log: String,
    /// The collector that traces go to; without it there are none.
    pub otlp_endpoint: Option<String>,
}

impl Config {
    /// Reads the environment and, if one is named, the file.
    pub fn load(file: Option<&Path>) -> Result<Self, ConfigError> {
        Self::from_source(&Source::load(file)?)
    }

    /// Reads what a source holds.
    pub fn from_source(source: &Source) -> Result<Self, ConfigError> {
        Ok(Self {
            server: ServerConfig::from_source(source)?,
            models: ModelsConfig::from_source(source)?,
            budgets: BudgetsConfig::from_source(source)?,
            retention: retention::from_source(source)?,
            sandboxes: SandboxesConfig::from_source(source)?,
            rust_log: source
                .get("RUST_LOG")
                .unwrap_or("info,sea_orm_migration=warn")
                .to_owned(),
            otlp_endpoint: server::base_url(source, "OTEL_EXPORTER_OTLP_ENDPOINT")?,
        })
    }
}
