//! What use cases are given: the adapters of the foundation and of the configuration, and the settings.

use super::{Foundation, sandboxes};
use crate::{
    cli::Failure,
    config::{self, Config, ConfigError},
    secrets::RingSecrets,
    storage,
};
use crypto::{Argon2Credentials, PasswordCost};
use domain::{
    budget::{Limit, Micros},
    id::TenantId,
};
use inference::Catalog;
use oidc::Issuers;
use ports::{clock::Clock, secrets::Secrets};
use runtime::Gatherer;
use services::{
    Platform, PlatformSettings, Providers, SingleSignOn,
    status::{DatabaseKind, Deployment},
};
use std::{net::IpAddr, sync::Arc};
use tokio_util::task::TaskTracker;

/// What an agent may spend in a day when nobody said otherwise.
const AGENT_BUDGET: Limit = Limit::Of(Micros(25_000_000));

/// Puts the platform together for the tenant it is home to.
pub(super) async fn platform(
    config: &Config,
    foundation: &Foundation,
    home_tenant: TenantId,
    port: u16,
    tracker: &TaskTracker,
) -> Result<Platform, Failure> {
    let secrets: Arc<dyn Secrets> = Arc::new(RingSecrets);
    let catalog = Arc::new(models(config, &foundation.client, &foundation.clock)?);
    let (cipher, redactor) = (&foundation.cipher, &foundation.redactor);
    let providers = Providers::new(
        Arc::clone(&catalog) as _,
        Arc::clone(cipher),
        Arc::clone(redactor),
    );
    let issuers = Issuers::new(foundation.client.clone(), Arc::clone(&foundation.clock));
    let sso = SingleSignOn::new(Arc::new(issuers), Arc::clone(cipher), Arc::clone(redactor));
    let tools = tools::standard();
    let mut tools: Vec<_> = tools.iter().map(|tool| tool.spec().clone()).collect();
    tools.sort_by_key(|tool| tool.name);
    let store = &foundation.store;
    let admin_token = config.server.admin_token.as_ref();
    Ok(Platform {
        ingest: Arc::new(Gatherer::start(Arc::clone(store) as _, tracker)),
        system: Arc::clone(store) as _,
        store: Arc::clone(store) as _,
        cipher: Arc::clone(&foundation.cipher),
        clock: Arc::clone(&foundation.clock),
        ids: Arc::clone(&foundation.ids),
        models: catalog,
        providers: Arc::new(providers),
        sso: Arc::new(sso),
        tools,
        sandboxes: sandboxes(config, config.server.data_dir.join("sprites")).await?,
        channels: Arc::clone(&foundation.channels),
        settings: PlatformSettings {
            version: env!("CARGO_PKG_VERSION"),
            home_tenant,
            admin_token_hash: admin_token.map(|token| secrets.hash(token)),
            public_url: config.server.app_base_url.clone(),
            people_url: people_url(config, port),
            default_agent_budget: AGENT_BUDGET,
            job_budget: config.budgets.job,
            instance: storage::instance(config)?,
            retention: config.retention,
            deployment: deployment(config, foundation),
        },
        secrets,
        credentials: Arc::new(Argon2Credentials::new(PasswordCost::default())),
    })
}

fn deployment(config: &Config, foundation: &Foundation) -> Deployment {
    Deployment {
        database: match config.server.database {
            config::Database::Sqlite(_) => DatabaseKind::Sqlite,
            config::Database::Postgres(_) => DatabaseKind::Postgres,
        },
        redis: config.server.redis_url.is_some(),
        encryption_keys: foundation.encryption_keys,
        started_at: foundation.clock.now(),
    }
}

/// Where a person on this machine finds the server, unless it has a public URL. The port is the one that it got,
/// where any was asked for.
pub(crate) fn people_url(config: &Config, port: u16) -> String {
    let server = &config.server;
    if let Some(url) = &server.app_base_url {
        return url.clone();
    }
    let host = match server.host {
        host if host.is_unspecified() => "localhost".to_owned(),
        IpAddr::V6(host) => format!("[{host}]"),
        IpAddr::V4(host) => host.to_string(),
    };
    format!("http://{host}:{port}")
}

/// The models of the configuration.
pub fn models(
    config: &Config,
    client: &reqwest::Client,
    clock: &Arc<dyn Clock>,
) -> Result<Catalog, Failure> {
    let settings = inference::Settings {
        providers: config.models.providers(),
        default_model: config.models.default_model.clone(),
        price_overrides: config.models.prices.clone(),
        timeouts: inference::Timeouts::default(),
    };
    Catalog::new(settings, client, clock).map_err(|error| {
        ConfigError::Invalid {
            name: "AGENT_MODEL",
            problem: error.to_string(),
        }
        .into()
    })
}
