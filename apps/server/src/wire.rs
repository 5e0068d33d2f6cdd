//! Putting the crates together. Every adapter is chosen here and nowhere else.

use crate::{
    bootstrap::{self, KeyCheck},
    cli::Failure,
    config::{self, Config, ConfigError},
    secrets::RingSecrets,
    storage::{self, Database, Lines, Storage},
    system::{SystemClock, SystemIds},
};
use anyhow::Context;
use crypto::{AesGcmCipher, Argon2Credentials, KeyRing, MalformedKey, PasswordCost};
use domain::{
    budget::{Limit, Micros},
    channel::ChannelType,
    id::TenantId,
    secret::Redactor,
    sprite::SandboxTier,
};
use inference::Catalog;
use integrations_telegram::{TelegramFactory, Timing};
use oidc::Issuers;
use ports::{
    channel::ChannelFactory, cipher::Cipher, clock::Clock, ids::Ids, sandbox::SandboxHost,
    secrets::Secrets,
};
use runtime::{EngineParts, Gatherer, Hub, RuntimeSettings};
use services::{
    Channels, Platform, PlatformSettings, Providers, SingleSignOn,
    status::{DatabaseKind, Deployment},
};
use sprites::{SpritesHost, SpritesSettings};
use sprites_local::{LocalHost, LocalSettings};
use std::{
    any::Any, collections::BTreeMap, fs, net::IpAddr, path::PathBuf, sync::Arc, time::Duration,
};
use tokio_util::task::TaskTracker;

/// The hidden first argument that makes this binary the supervisor inside a sandbox.
pub const SUPERVISOR: &str = "__supervisor";

/// What an agent may spend in a day when nobody said otherwise.
const AGENT_BUDGET: Limit = Limit::Of(Micros(25_000_000));
/// Jobs and deliveries that run at the same time in one process.
const JOBS: usize = 32;
const SENDS: usize = 64;
/// How long running jobs may go on after a stop was asked for.
const DRAIN: Duration = Duration::from_secs(20);

/// The database, opened and at this build's schema, with what is needed to read secrets.
pub struct Foundation {
    /// The store.
    pub store: Arc<dyn Database>,
    /// Live events, wake-ups, stop requests.
    pub hub: Arc<Hub>,
    /// What carries news to and from the other processes.
    pub lines: Arc<Lines>,
    /// Keeps other processes from making what the first start makes; dropped when that is made.
    setup: Box<dyn Any + Send>,
    /// Connected channels.
    pub channels: Arc<Channels>,
    /// Encryption at rest.
    pub cipher: Arc<dyn Cipher>,
    /// How many keys it holds.
    pub encryption_keys: usize,
    /// Knows every secret that was opened.
    pub redactor: Arc<Redactor>,
    /// Time.
    pub clock: Arc<dyn Clock>,
    /// Identifiers.
    pub ids: Arc<dyn Ids>,
    /// The one HTTP client.
    pub client: reqwest::Client,
}

/// A server that is put together and not yet running.
pub struct Assembly {
    /// What use cases need.
    pub platform: Arc<Platform>,
    /// What the runtime needs.
    pub parts: EngineParts,
    /// Where the owner's token was written, when this start made one.
    pub new_token: Option<PathBuf>,
}

/// Opens key and database, migrates, and checks that the key is the right one.
pub async fn foundation(config: &Config, redactor: Arc<Redactor>) -> Result<Foundation, Failure> {
    storage::make_private(&config.server.data_dir)?;
    let fresh_key = !key_file(config).exists();
    let mut foundation = open(config, redactor).await?;
    let migrated = foundation.store.migrate().await;
    migrated.context("the database cannot be brought to this version's schema")?;
    let setup = foundation.store.alone().await;
    foundation.setup = setup.map_err(anyhow::Error::from)?;
    let Foundation {
        store,
        cipher,
        clock,
        ..
    } = &foundation;
    let now = clock.now();
    let tenant = store.ensure_tenant(bootstrap::TENANT, now).await;
    let tenant = tenant.map_err(anyhow::Error::from)?.id;
    let problem = match bootstrap::check_key(store.as_ref(), cipher.as_ref(), tenant).await? {
        KeyCheck::Fits => None,
        KeyCheck::Unproven => {
            bootstrap::seal_proof(store.as_ref(), cipher.as_ref(), tenant, now).await?;
            None
        }
        KeyCheck::Wrong(problem) => Some(problem),
    };
    if let Some(problem) = problem {
        if fresh_key && config.server.encryption_key.is_none() {
            // The key made a moment ago is not the one this database was sealed with; keeping it would
            // only hide that the right one is missing.
            fs::remove_file(key_file(config)).map_err(anyhow::Error::from)?;
        }
        let name = match config.server.encryption_key_previous {
            Some(_) => "ENCRYPTION_KEY_PREVIOUS",
            None => "ENCRYPTION_KEY",
        };
        return Err(ConfigError::Invalid { name, problem }.into());
    }
    Ok(foundation)
}

/// Opens key and database as they are; makes what is missing in a data directory that is there.
pub async fn open(config: &Config, redactor: Arc<Redactor>) -> Result<Foundation, Failure> {
    learn_secrets(config, &redactor);
    let keys = key_ring(config, &redactor)?;
    let encryption_keys = keys.count();
    let cipher: Arc<dyn Cipher> = Arc::new(AesGcmCipher::new(keys));
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let ids: Arc<dyn Ids> = Arc::new(SystemIds);
    let client = http_client()?;
    let channels = Arc::new(Channels::new(
        factories(&client, &clock),
        Arc::clone(&cipher),
        Arc::clone(&redactor),
    ));
    let listeners = vec![Arc::clone(&channels) as _];
    let Storage { store, hub, lines } =
        storage::open(config, Arc::clone(&ids), Arc::clone(&clock), listeners).await?;
    Ok(Foundation {
        store,
        hub,
        lines: Arc::new(lines),
        setup: Box::new(()),
        channels,
        cipher,
        encryption_keys,
        redactor,
        clock,
        ids,
        client,
    })
}

/// Puts the whole server together.
pub async fn assemble(
    config: &Config,
    foundation: Foundation,
    port: u16,
    tracker: &TaskTracker,
) -> Result<Assembly, Failure> {
    let home = bootstrap::home(
        foundation.store.as_ref(),
        config.budgets.tenant_per_day,
        foundation.clock.now(),
    )
    .await?;
    let platform = Arc::new(platform(config, &foundation, home, port, tracker).await?);
    let context = services::Context::system(Arc::clone(&platform), home);
    services::integrations::ensure_built_in(&context)
        .await
        .context("the built-in integration cannot be made")?;
    let instance = &platform.settings.instance;
    let freed = foundation.store.free_keys(instance).await;
    let freed = freed.context("requests of before cannot be told from those under way")?;
    if freed > 0 {
        tracing::info!(
            idempotency.keys = freed,
            "requests were cut short; they can be sent again"
        );
    }
    let new_token = match config.server.admin_token {
        Some(_) => None,
        None => bootstrap::owner_token(&platform, &config.server.data_dir).await?,
    };
    let parts = EngineParts {
        platform: Arc::clone(&platform),
        leases: Arc::clone(&foundation.store) as _,
        maintenance: foundation.store,
        hub: foundation.hub,
        tools: tools::standard(),
        redactor: foundation.redactor,
        settings: RuntimeSettings {
            jobs: JOBS,
            sends: SENDS,
            limits: agent::turn::Limits::default(),
            drain: DRAIN,
            instance: platform.settings.instance.clone(),
        },
    };
    Ok(Assembly {
        platform,
        parts,
        new_token,
    })
}

async fn platform(
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

/// The client for sprites: `WebSocket` needs HTTP/1.1, and a command may take as long as it takes.
#[expect(
    clippy::disallowed_methods,
    reason = "a second client for a second protocol"
)]
fn sprites_client() -> anyhow::Result<reqwest::Client> {
    reqwest::Client::builder()
        .http1_only()
        .connect_timeout(inference::CONNECT_TIMEOUT)
        .redirect(reqwest::redirect::Policy::none())
        .user_agent(concat!("nitejar/", env!("CARGO_PKG_VERSION")))
        .build()
        .context("the HTTP client for sprites cannot be built")
}

/// The one HTTP client. It follows no redirects: a key in a header would follow too.
#[expect(clippy::disallowed_methods, reason = "this is the shared client")]
pub fn http_client() -> anyhow::Result<reqwest::Client> {
    reqwest::Client::builder()
        .connect_timeout(inference::CONNECT_TIMEOUT)
        // A connection that died while idle would leave doubt whether a message was sent.
        .pool_idle_timeout(Duration::from_secs(30))
        .redirect(reqwest::redirect::Policy::none())
        .dns_resolver(inference::GuardedResolver)
        .user_agent(concat!("nitejar/", env!("CARGO_PKG_VERSION")))
        .build()
        .context("the HTTP client cannot be built")
}

/// Where a generated key is kept.
pub fn key_file(config: &Config) -> PathBuf {
    config.server.data_dir.join("encryption.key")
}

fn factories(
    client: &reqwest::Client,
    clock: &Arc<dyn Clock>,
) -> BTreeMap<ChannelType, Arc<dyn ChannelFactory>> {
    let telegram = TelegramFactory::new(client.clone(), Arc::clone(clock), Timing::default());
    BTreeMap::from([(
        ChannelType::Telegram,
        Arc::new(telegram) as Arc<dyn ChannelFactory>,
    )])
}

fn learn_secrets(config: &Config, redactor: &Redactor) {
    let endpoints = [&config.models.anthropic, &config.models.openai];
    let keys = endpoints
        .into_iter()
        .flatten()
        .filter_map(|endpoint| endpoint.api_key.as_ref());
    keys.chain(&config.server.encryption_key)
        .chain(&config.server.encryption_key_previous)
        .chain(&config.server.admin_token)
        .chain(&config.server.redis_url)
        .chain(
            config
                .sandboxes
                .sprites
                .as_ref()
                .map(|sprites| &sprites.token),
        )
        .chain(config.server.database.url())
        .chain(&config.server.passwords)
        .for_each(|secret| redactor.learn(secret));
}

/// The keys of this server: the one that seals, and those that still open during a rotation.
pub(crate) fn key_ring(config: &Config, redactor: &Redactor) -> Result<KeyRing, Failure> {
    let keys = match &config.server.encryption_key {
        Some(key) => vec![key.clone()],
        None => crypto::load_or_create_keys(&key_file(config)).map_err(|error| {
            ConfigError::Invalid {
                name: "ENCRYPTION_KEY",
                problem: error.to_string(),
            }
        })?,
    };
    for key in &keys {
        redactor.learn(key);
    }
    let malformed = |name| {
        move |error: MalformedKey| ConfigError::Invalid {
            name,
            problem: error.to_string(),
        }
    };
    if keys.len() > 1 {
        tracing::warn!(
            "the rotation of the encryption key has not ended; run `nitejar rotate-keys`"
        );
    }
    let ring = KeyRing::of(&keys).map_err(malformed("ENCRYPTION_KEY"))?;
    match &config.server.encryption_key_previous {
        Some(previous) => Ok(ring
            .with_older(previous)
            .map_err(malformed("ENCRYPTION_KEY_PREVIOUS"))?),
        None => Ok(ring),
    }
}
