//! `nitejar migrate`: brings the database to this version's schema and stops.

use super::say;
use crate::{cli::Failure, config::Config, wire};
use domain::secret::Redactor;
use std::sync::Arc;

/// Migrates and says so.
pub async fn run(config: Config) -> Result<(), Failure> {
    let database = config.server.database.to_string();
    wire::foundation(&config, Arc::new(Redactor::default())).await?;
    Ok(say(format!(
        "{database} has the schema of version {}",
        env!("CARGO_PKG_VERSION")
    ))?)
}
