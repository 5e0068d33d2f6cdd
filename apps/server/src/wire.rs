//! Putting the crates together. Every adapter is chosen here and nowhere else.

use crate::{
    bootstrap::{self, KeyCheck},
    cli::Failure,
    config::{Config, ConfigError},
    secrets::RingSecrets,
    system::{SystemClock, SystemIds},
};
use anyhow::Context;
use crypto::{AesGcmCipher, KeyRing};
use domain::{
    access::Actor,
    budget::{Limit, Micros},
    channel::ChannelType,
    id::TenantId,
    secret::{Redactor, Secret},
};
use inference::Catalog;
use integrations_telegram::{TelegramFactory, Timing};
use ports::{
    channel::ChannelFactory,
    cipher::Cipher,
    clock::Clock,
    ids::Ids,
    live::{CommitListener, Committed},
    secrets::Secrets,
    store::{LeaseStore, Store, SystemStore, Upkeep},
};
use runtime::{EngineParts, Gatherer, Hub, RuntimeSettings};
use services::{Channels, Platform, PlatformSettings};
use sprites_local::{LocalHost, LocalSettings};
use std::{
    collections::BTreeMap,
    fs,
    os::unix::fs::DirBuilderExt,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};
use store_sqlite::{SqliteSettings, SqliteStore};
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

/// Everything that a database has to offer.
pub trait Database: Store + SystemStore + LeaseStore + Upkeep {}

impl<T: Store + SystemStore + LeaseStore + Upkeep> Database for T {}

/// The database, opened and at this build's schema, with what is needed to read secrets.
pub struct Foundation {
    /// The store.
    pub store: Arc<dyn Database>,
    /// Live events, wake-ups, stop requests.
    pub hub: Arc<Hub>,
    /// Connected channels.
    pub channels: Arc<Channels>,
    /// Encryption at rest.
    pub cipher: Arc<dyn Cipher>,
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
    make_private(&config.server.data_dir)?;
    let fresh_key = !key_file(config).exists();
    let foundation = open(config, redactor).await?;
    let migrated = foundation.store.migrate().await;
    migrated.context("the database cannot be brought to this version's schema")?;
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
        return Err(ConfigError::Invalid {
            name: "ENCRYPTION_KEY",
            problem,
        }
        .into());
    }
    Ok(foundation)
}

/// Opens key and database as they are; makes what is missing in a data directory that is there.
pub async fn open(config: &Config, redactor: Arc<Redactor>) -> Result<Foundation, Failure> {
    learn_secrets(config, &redactor);
    let keys = key_ring(config, &redactor)?;
    let cipher: Arc<dyn Cipher> = Arc::new(AesGcmCipher::new(keys));
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let ids: Arc<dyn Ids> = Arc::new(SystemIds);
    let client = http_client()?;
    let hub = Arc::new(Hub::default());
    let channels = Arc::new(Channels::new(
        factories(&client, &clock),
        Arc::clone(&cipher),
        Arc::clone(&redactor),
    ));
    let listener = Arc::new(Announcer {
        hub: Arc::clone(&hub),
        channels: Arc::clone(&channels),
    });
    let settings = SqliteSettings::new(&config.server.database);
    let store = SqliteStore::connect(settings, Arc::clone(&ids), Arc::clone(&clock), listener)
        .await
        .with_context(|| {
            format!(
                "the database {} cannot be opened",
                config.server.database.display()
            )
        })?;
    let store: Arc<dyn Database> = Arc::new(store);
    Ok(Foundation {
        store,
        hub,
        channels,
        cipher,
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
    tracker: &TaskTracker,
) -> Result<Assembly, Failure> {
    let home = bootstrap::home(
        foundation.store.as_ref(),
        config.budgets.tenant_per_day,
        foundation.clock.now(),
    )
    .await?;
    let platform = Arc::new(platform(config, &foundation, home, tracker).await?);
    let context = services::Context {
        actor: Actor::System,
        tenant: home,
        platform: Arc::clone(&platform),
    };
    services::integrations::ensure_built_in(&context)
        .await
        .context("the built-in integration cannot be made")?;
    let new_token = match config.server.admin_token {
        Some(_) => None,
        None => bootstrap::owner_token(&platform, &config.server.data_dir).await?,
    };
    let parts = EngineParts {
        platform: Arc::clone(&platform),
        leases: foundation.store,
        hub: foundation.hub,
        tools: tools::standard(),
        redactor: foundation.redactor,
        settings: RuntimeSettings {
            jobs: JOBS,
            sends: SENDS,
            limits: agent::turn::Limits::default(),
            drain: DRAIN,
            // One server process per SQLite file: whoever starts on it replaces the one before.
            instance: "server".to_owned(),
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
    tracker: &TaskTracker,
) -> Result<Platform, Failure> {
    let secrets: Arc<dyn Secrets> = Arc::new(RingSecrets);
    let catalog = models(config, &foundation.client, &foundation.clock)?;
    let store = &foundation.store;
    let admin_token = config.server.admin_token.as_ref();
    Ok(Platform {
        ingest: Arc::new(Gatherer::start(Arc::clone(store) as _, tracker)),
        system: Arc::clone(store) as _,
        store: Arc::clone(store) as _,
        cipher: Arc::clone(&foundation.cipher),
        clock: Arc::clone(&foundation.clock),
        ids: Arc::clone(&foundation.ids),
        models: Arc::new(catalog),
        sandboxes: Arc::new(sandboxes(config, config.server.data_dir.join("sprites")).await?),
        channels: Arc::clone(&foundation.channels),
        settings: PlatformSettings {
            version: env!("CARGO_PKG_VERSION"),
            home_tenant,
            admin_token_hash: admin_token.map(|token| secrets.hash(token)),
            public_url: config.server.app_base_url.clone(),
            default_agent_budget: AGENT_BUDGET,
            job_budget: config.budgets.job,
        },
        secrets,
    })
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

/// The sandboxes of this machine; fails below the least tier that was asked for.
pub async fn sandboxes(config: &Config, root: PathBuf) -> Result<LocalHost, Failure> {
    let own = std::env::current_exe().context("this program's own path is not known")?;
    let mut settings = LocalSettings::new(root, vec![own.into(), SUPERVISOR.into()]);
    settings.min_tier = config.sandbox_min_tier;
    LocalHost::start(settings).await.map_err(|error| {
        ConfigError::Invalid {
            name: "SANDBOX_MIN_TIER",
            problem: error.to_string(),
        }
        .into()
    })
}

/// The one HTTP client. It follows no redirects: a key in a header would follow too.
#[expect(clippy::disallowed_methods, reason = "this is the shared client")]
pub fn http_client() -> anyhow::Result<reqwest::Client> {
    reqwest::Client::builder()
        .connect_timeout(inference::CONNECT_TIMEOUT)
        // A connection that died while idle would leave doubt whether a message was sent.
        .pool_idle_timeout(Duration::from_secs(30))
        .redirect(reqwest::redirect::Policy::none())
        .user_agent(concat!("nitejar/", env!("CARGO_PKG_VERSION")))
        .build()
        .context("the HTTP client cannot be built")
}

/// Where a generated key is kept.
pub fn key_file(config: &Config) -> PathBuf {
    config.server.data_dir.join("encryption.key")
}

/// Tells the commit's news to everybody in this process.
struct Announcer {
    hub: Arc<Hub>,
    channels: Arc<Channels>,
}

impl CommitListener for Announcer {
    fn committed(&self, committed: Committed) {
        if committed.integrations_changed {
            self.channels.forget();
        }
        self.hub.committed(committed);
    }
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
        .chain(&config.server.admin_token)
        .for_each(|secret| redactor.learn(secret));
}

fn key_ring(config: &Config, redactor: &Redactor) -> Result<KeyRing, Failure> {
    let key: Secret = match &config.server.encryption_key {
        Some(key) => key.clone(),
        None => {
            crypto::load_or_create_key(&key_file(config)).map_err(|error| ConfigError::Invalid {
                name: "ENCRYPTION_KEY",
                problem: error.to_string(),
            })?
        }
    };
    redactor.learn(&key);
    KeyRing::new(&key).map_err(|error| {
        ConfigError::Invalid {
            name: "ENCRYPTION_KEY",
            problem: error.to_string(),
        }
        .into()
    })
}

/// The data directory holds secrets: it is nobody else's.
pub(crate) fn make_private(data_dir: &Path) -> Result<(), Failure> {
    fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(data_dir)
        .map_err(|source| {
            ConfigError::Unreadable {
                name: "DATA_DIR".to_owned(),
                path: data_dir.to_owned(),
                source,
            }
            .into()
        })
}
