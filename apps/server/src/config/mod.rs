//! The server's configuration: the environment, and a TOML file with the same names. This is the only
//! place that reads either; everybody else gets a plain settings struct.

mod budgets;
mod database;
mod models;
mod retention;
mod server;
mod source;

pub use budgets::BudgetsConfig;
pub use database::Database;
pub use models::ModelsConfig;
pub use server::ServerConfig;
pub use source::{ConfigError, Source};

use domain::sprite::SandboxTier;
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
    pub retention: runtime::Retention,
    /// The weakest sandbox tier the server starts with.
    pub sandbox_min_tier: SandboxTier,
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
            sandbox_min_tier: source
                .parse("SANDBOX_MIN_TIER", "namespaces, landlock or plain")?
                .unwrap_or(SandboxTier::Landlock),
            rust_log: source
                .get("RUST_LOG")
                .unwrap_or("info,sea_orm_migration=warn")
                .to_owned(),
            otlp_endpoint: server::base_url(source, "OTEL_EXPORTER_OTLP_ENDPOINT")?,
        })
    }
}
