//! `nitejar doctor`: looks at everything a start depends on and says what to do. Changes nothing.

use super::say;
use crate::{
    bootstrap::{self, KeyCheck},
    cli::Failure,
    config::{Config, Database},
    wire,
};
use anyhow::Context;
use domain::{id::TenantId, integration::Health, page::PageRequest, secret::Redactor};
use ports::{
    cipher::Cipher, clock::Clock, inference::Models, sandbox::SandboxBackend, store::Store,
};
use serde::Serialize;
use std::{
    fs::{self, Permissions},
    os::unix::fs::PermissionsExt,
    path::Path,
    sync::Arc,
};
use tempfile::TempDir;

#[derive(Serialize)]
struct Check {
    name: &'static str,
    status: Status,
    detail: String,
}

#[derive(Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
enum Status {
    Ok,
    Warning,
    Failed,
}

/// Checks and reports; fails when a check failed.
pub async fn run(config: Config, json: bool) -> Result<(), Failure> {
    let mut checks = vec![models(&config), sandbox(&config).await];
    checks.extend(database(&config).await);
    let ok = checks.iter().all(|check| check.status != Status::Failed);
    if json {
        say(serde_json::json!({ "ok": ok, "checks": checks }))?;
    } else {
        for check in &checks {
            let mark = match check.status {
                Status::Ok => "ok  ",
                Status::Warning => "warn",
                Status::Failed => "FAIL",
            };
            say(format!("{mark}  {:<12} {}", check.name, check.detail))?;
        }
    }
    if ok {
        Ok(())
    } else {
        Err(anyhow::anyhow!("at least one check failed").into())
    }
}

fn models(config: &Config) -> Check {
    let clock: Arc<dyn Clock> = Arc::new(crate::system::SystemClock);
    let catalog = wire::http_client()
        .map_err(Failure::from)
        .and_then(|client| wire::models(config, &client, &clock));
    match catalog {
        Ok(catalog) => {
            let demo = catalog.default_model().provider() == "demo";
            let hint = if demo {
                "; set ANTHROPIC_API_KEY or OPENAI_API_KEY for a real model"
            } else {
                ""
            };
            let providers = catalog.providers().join(", ");
            Check {
                name: "models",
                status: if demo { Status::Warning } else { Status::Ok },
                detail: format!(
                    "agents think with {} by default; providers: {providers}{hint}",
                    catalog.default_model()
                ),
            }
        }
        Err(error) => failed("models", &error),
    }
}

async fn sandbox(config: &Config) -> Check {
    let folder = match like_data_dir(config) {
        Ok(folder) => folder,
        Err(error) => return failed("sandbox", &error.into()),
    };
    match wire::sandboxes(config, folder.path().join("sprites")).await {
        Ok(host) => {
            let report = host.report();
            host.shutdown().await;
            let missing = if report.missing.is_empty() {
                String::new()
            } else {
                format!("; missing on this host: {}", report.missing.join("; "))
            };
            let place = match report.backend {
                SandboxBackend::Local(tier) => format!("on this machine, tier {tier}"),
                SandboxBackend::Sprites(url) => format!("at {url}"),
            };
            Check {
                name: "sandbox",
                status: Status::Ok,
                detail: format!("{place}{missing}"),
            }
        }
        Err(error) => failed("sandbox", &error),
    }
}

/// A temporary place to try sandboxes in. Like the data directory it lets others pass or not, for on
/// that depends whether sprites can have users of their own.
fn like_data_dir(config: &Config) -> anyhow::Result<TempDir> {
    let passable =
        |path: &Path| fs::metadata(path).is_ok_and(|found| found.permissions().mode() & 0o001 != 0);
    let open =
        fs::canonicalize(&config.server.data_dir).is_ok_and(|real| real.ancestors().all(passable));
    tempfile::Builder::new()
        .permissions(Permissions::from_mode(if open { 0o711 } else { 0o700 }))
        .tempdir()
        .context("a temporary directory cannot be made")
}

async fn database(config: &Config) -> Vec<Check> {
    let path = config.server.database.to_string();
    // An empty file is what a start begins with; opening it would write to it.
    if let Database::Sqlite(file) = &config.server.database
        && !fs::metadata(file).is_ok_and(|file| file.len() > 0)
    {
        let detail = format!("{path} does not exist yet; the first start makes it");
        return vec![Check {
            name: "database",
            status: Status::Warning,
            detail,
        }];
    }
    let key_file = wire::key_file(config);
    if config.server.encryption_key.is_none() && !key_file.exists() {
        let detail = format!(
            "{path} exists, but neither ENCRYPTION_KEY nor {} does; restore that file, or set ENCRYPTION_KEY to the key",
            key_file.display()
        );
        return vec![Check {
            name: "encryption",
            status: Status::Failed,
            detail,
        }];
    }
    match look(config).await {
        Ok(found) => {
            let detail = format!("{path}, at this version's schema");
            let mut checks = vec![Check {
                name: "database",
                status: Status::Ok,
                detail,
            }];
            checks.extend(found);
            checks
        }
        Err(error) => vec![failed("database", &error)],
    }
}

/// Opens the database as it is; a schema of another version is a finding, not something to mend here.
async fn look(config: &Config) -> Result<Vec<Check>, Failure> {
    let foundation = wire::open(config, Arc::new(Redactor::default())).await?;
    let ready = foundation.store.ready().await;
    ready.context(
        "the schema is not this version's; the next start, or `nitejar migrate`, brings it there",
    )?;
    let found = findings(&foundation).await;
    foundation.store.close().await;
    Ok(found?)
}

async fn findings(foundation: &wire::Foundation) -> anyhow::Result<Vec<Check>> {
    let store = foundation.store.as_ref();
    let now = foundation.clock.now();
    let tenant = store.ensure_tenant(bootstrap::TENANT, now).await?.id;
    let mut checks = vec![key(store, foundation.cipher.as_ref(), tenant).await?];
    checks.extend(integrations(store, tenant).await?);
    Ok(checks)
}

async fn key(store: &dyn Store, cipher: &dyn Cipher, tenant: TenantId) -> anyhow::Result<Check> {
    let (status, detail) = match bootstrap::check_key(store, cipher, tenant).await? {
        KeyCheck::Fits => (Status::Ok, "the key fits the database".to_owned()),
        KeyCheck::Unproven => (Status::Ok, "nothing is encrypted yet".to_owned()),
        KeyCheck::Wrong(problem) => (
            Status::Failed,
            format!("the key {problem}; restore the key file, or set ENCRYPTION_KEY to the key"),
        ),
    };
    Ok(Check {
        name: "encryption",
        status,
        detail,
    })
}

async fn integrations(store: &dyn Store, tenant: TenantId) -> anyhow::Result<Vec<Check>> {
    let page = store
        .read(tenant)
        .await?
        .integrations()
        .list(tenant, PageRequest::first(100))
        .await?;
    let checks = page.items.into_iter().map(|integration| Check {
        name: "integration",
        status: match integration.health {
            Health::Ok | Health::Unknown => Status::Ok,
            Health::Degraded | Health::Failed => Status::Warning,
        },
        detail: format!(
            "{} ({}): {} {}",
            integration.name,
            integration.channel,
            integration.health,
            integration.health_detail.unwrap_or_default()
        ),
    });
    Ok(checks.collect())
}

fn failed(name: &'static str, error: &Failure) -> Check {
    Check {
        name,
        status: Status::Failed,
        detail: error.to_string(),
    }
}
