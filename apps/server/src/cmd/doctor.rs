//! `nitejar doctor`: looks at everything a start depends on and says what to do. Changes nothing.

use super::say;
use crate::{cli::Failure, config::Config, wire};
use anyhow::Context;
use domain::{integration::Health, page::PageRequest, secret::Redactor};
use ports::{
    clock::Clock,
    inference::Models,
    sandbox::SandboxHost,
    store::{Store, SystemStore},
};
use serde::Serialize;
use std::sync::Arc;

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
    match wire::sandboxes(config).await {
        Ok(host) => {
            let report = host.report();
            host.shutdown().await;
            let missing = if report.missing.is_empty() {
                String::new()
            } else {
                format!("; a better tier needs: {}", report.missing.join("; "))
            };
            Check {
                name: "sandbox",
                status: Status::Ok,
                detail: format!("tier {}{missing}", report.tier),
            }
        }
        Err(error) => failed("sandbox", &error),
    }
}

async fn database(config: &Config) -> Vec<Check> {
    let path = config.server.database.display().to_string();
    if !config.server.database.exists() {
        let detail = format!("{path} does not exist yet; the first start makes it");
        return vec![Check {
            name: "database",
            status: Status::Warning,
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
    Ok(integrations(&foundation).await?)
}

async fn integrations(foundation: &wire::Foundation) -> anyhow::Result<Vec<Check>> {
    let store = foundation.store.as_ref();
    let tenant = store
        .ensure_tenant("home", foundation.clock.now())
        .await?
        .id;
    let page = store
        .read()
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
