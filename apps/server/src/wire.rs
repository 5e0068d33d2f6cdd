//! Putting the crates together. Every adapter is chosen here and nowhere else.

mod clients;
mod keys;
mod platform;
mod sandboxes;

pub use clients::http_client;
pub use keys::key_file;
pub(crate) use keys::key_ring;
pub use platform::models;
pub(crate) use platform::people_url;
pub use sandboxes::{SUPERVISOR, sandboxes};

use crate::{
    bootstrap::{self, KeyCheck},
    cli::Failure,
    config::{Config, ConfigError},
    storage::{self, Database, Lines, Storage},
    system::{SystemClock, SystemIds},
};
use anyhow::Context;
use crypto::AesGcmCipher;
use domain::{channel::ChannelType, secret::Redactor};
use integrations_telegram::{TelegramFactory, Timing};
use platform::platform;
use ports::{channel::ChannelFactory, cipher::Cipher, clock::Clock, ids::Ids};
use runtime::{EngineParts, Hub, RuntimeSettings};
use services::{Channels, Platform};
use std::{any::Any, collections::BTreeMap, fs, path::PathBuf, sync::Arc, time::Duration};
use tokio_util::task::TaskTracker;

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
