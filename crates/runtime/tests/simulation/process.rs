//! One server process: a real engine around stand-ins, and the ways a process stops. A killed one keeps its tasks
//! but none of them ever gets to do anything again, which is what the rest of the world sees of a kill.

use crate::{models::models, store::FaultyStore, tools, vendor::Factory, world::World};
use async_trait::async_trait;
use crypto::{Argon2Credentials, PasswordCost};
use domain::{
    Timestamp,
    access::{Actor, Role},
    budget::{Limit, Micros},
    channel::ChannelType,
    queue::{HEARTBEAT_EXPIRY, SWEEP_EVERY},
    secret::{Redactor, Secret},
};
use ports::{
    channel::ChannelFactory,
    cipher::{Cipher, CipherError, SealedPlace},
    clock::Clock,
    live::{CommitListener as _, Committed},
    secrets::Secrets,
    store::StoreError,
};
use runtime::{Engine, EngineParts, Gatherer, Hub, RuntimeSettings};
use services::{Channels, Context, Platform, PlatformSettings};
use std::{
    collections::BTreeMap,
    future::pending,
    sync::{
        Arc, OnceLock,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};
use tokio::sync::Notify;

/// One life of one server.
pub(crate) struct Process {
    /// The replica and which of its lives this is.
    pub(crate) name: String,
    pub(crate) instance: String,
    pub(crate) world: Arc<World>,
    dead: AtomicBool,
    frozen: AtomicBool,
    thawed: Notify,
    inside: OnceLock<Inside>,
}

struct Inside {
    hub: Arc<Hub>,
    platform: Arc<Platform>,
    engine: OnceLock<Arc<Engine>>,
}

impl Process {
    pub(crate) fn new(world: &Arc<World>, instance: &str, life: u64) -> Arc<Self> {
        let process = Arc::new(Self {
            name: format!("{instance}.{life}"),
            instance: instance.to_owned(),
            world: Arc::clone(world),
            dead: AtomicBool::new(false),
            frozen: AtomicBool::new(false),
            thawed: Notify::new(),
            inside: OnceLock::new(),
        });
        world.add(&process);
        let (platform, hub) = platform(&process);
        let inside = Inside {
            hub,
            platform,
            engine: OnceLock::new(),
        };
        assert!(process.inside.set(inside).is_ok());
        process
    }

    /// Starts the engine; a start that fails is tried again, as a supervisor of services would.
    pub(crate) async fn boot(self: &Arc<Self>) {
        while let Err(error) = self.start().await {
            self.world
                .note(&self.name, format!("did not start: {error}"));
            self.sleep(Duration::from_secs(1)).await;
        }
        self.world.note(&self.name, "started");
    }

    async fn start(self: &Arc<Self>) -> Result<(), StoreError> {
        let Inside { hub, platform, .. } = self.inside();
        let store = Arc::new(FaultyStore::new(self));
        let engine = Engine::start(EngineParts {
            platform: Arc::clone(platform),
            leases: Arc::<FaultyStore>::clone(&store),
            maintenance: store,
            hub: Arc::clone(hub),
            tools: tools::all(self),
            redactor: Arc::default(),
            settings: RuntimeSettings {
                jobs: 3,
                sends: 3,
                limits: agent::turn::Limits { turns: 6 },
                drain: Duration::from_secs(5),
                instance: self.instance.clone(),
            },
        })
        .await?;
        assert!(self.inside().engine.set(engine).is_ok());
        Ok(())
    }

    fn inside(&self) -> &Inside {
        self.inside.get().unwrap()
    }

    /// Whether it takes requests.
    pub(crate) fn is_up(&self) -> bool {
        !self.is_dead() && self.inside().engine.get().is_some()
    }

    pub(crate) fn is_dead(&self) -> bool {
        self.dead.load(Ordering::SeqCst)
    }

    pub(crate) fn is_frozen(&self) -> bool {
        self.frozen.load(Ordering::SeqCst)
    }

    /// Ends gracefully, as on SIGTERM.
    pub(crate) async fn stop(&self) {
        if let Some(engine) = self.inside().engine.get() {
            engine.shutdown().await;
        }
        self.world.note(&self.name, "stopped");
        self.dead.store(true, Ordering::SeqCst);
    }

    pub(crate) fn kill(&self, at: &str) {
        self.world.note(&self.name, format!("killed at {at}"));
        self.dead.store(true, Ordering::SeqCst);
    }

    pub(crate) fn freeze(&self, before: &str) {
        self.world
            .note(&self.name, format!("frozen before {before}"));
        self.frozen.store(true, Ordering::SeqCst);
    }

    pub(crate) fn thaw(&self) {
        if self.frozen.swap(false, Ordering::SeqCst) {
            self.world.note(&self.name, "goes on");
            self.thawed.notify_waiters();
        }
    }

    /// Returns when it may act, and never when it was killed.
    async fn runs(&self) {
        if self.is_dead() {
            pending::<()>().await;
        }
        while self.is_frozen() {
            self.thawed.notified().await;
        }
    }

    /// Takes a turn to do something, at which the process may be slow, or be killed.
    pub(crate) async fn pass(&self, what: &str) {
        let mut slept = false;
        loop {
            self.world.turn().await;
            if self.is_dead() || self.is_frozen() {
                self.runs().await;
                continue;
            }
            if !slept && self.world.fails(self.world.rates.slow) {
                slept = true;
                let ms = self.world.dice(|dice| dice.from(1, 3_000));
                self.world.clock.sleep(Duration::from_millis(ms)).await;
                continue;
            }
            break;
        }
        if self.world.fails(self.world.rates.killed_before) {
            self.kill(what);
            pending::<()>().await;
        }
    }

    /// Takes a turn to write what follows from what was read, and may get no time just then, for so long that
    /// others take over.
    pub(crate) async fn pass_late(self: &Arc<Self>) {
        self.world.turn().await;
        let idle = self.is_dead() || self.is_frozen() || self.world.living().len() < 2;
        if idle || !self.world.fails(self.world.rates.oversleeps) {
            return;
        }
        self.freeze("a write");
        let more = self.world.dice(|dice| dice.below(10));
        let time = HEARTBEAT_EXPIRY + SWEEP_EVERY + Duration::from_secs(more);
        let process = Arc::clone(self);
        // Apart from the write, for which somebody may stop waiting.
        self.world.tasks.spawn(async move {
            process.world.clock.sleep(time).await;
            process.thaw();
        });
    }

    /// Time passes for this process, if it still runs then.
    pub(crate) async fn sleep(&self, duration: Duration) {
        self.world.clock.sleep(duration).await;
        self.runs().await;
    }

    pub(crate) fn hear(&self, committed: Committed) {
        self.inside().hub.committed(committed);
    }

    /// What a person with an owner's token may do through this process.
    pub(crate) fn context(&self) -> Context {
        let actor = Actor::Token {
            id: None,
            user: None,
            name: "owner".to_owned(),
            role: Role::Owner,
            scopes: None,
        };
        let platform = Arc::clone(&self.inside().platform);
        Context::of(platform, self.world.tenant(), actor)
    }
}

fn platform(process: &Arc<Process>) -> (Arc<Platform>, Arc<Hub>) {
    let world = &process.world;
    let store = Arc::new(FaultyStore::new(process));
    let factory: Arc<dyn ChannelFactory> = Arc::new(Factory(Arc::clone(process)));
    let factories = BTreeMap::from([(ChannelType::Telegram, factory)]);
    let channels = Arc::new(Channels::new(
        factories,
        Arc::new(Plain),
        Arc::<Redactor>::default(),
    ));
    let hub = Arc::new(Hub::new(vec![Arc::<Channels>::clone(&channels)], None));
    let models = Arc::new(models(process));
    let platform = Platform {
        store: Arc::<FaultyStore>::clone(&store),
        system: Arc::<FaultyStore>::clone(&store),
        ingest: Arc::new(Gatherer::start(store, &world.tasks)),
        cipher: Arc::new(Plain),
        clock: Arc::new(ProcessClock(Arc::clone(process))),
        ids: Arc::clone(&world.ids) as _,
        providers: Arc::new(services::Providers::new(
            Arc::clone(&models) as _,
            Arc::new(Plain),
            Arc::default(),
        )),
        sso: Arc::new(services::SingleSignOn::new(
            Arc::new(test_kit::fakes::FakeIssuer::default()),
            Arc::new(Plain),
            Arc::default(),
        )),
        tools: tools::all(process)
            .iter()
            .map(|tool| tool.spec().clone())
            .collect(),
        models,
        sandboxes: Arc::new(tools::NoSprites),
        channels,
        secrets: Arc::new(Plain),
        credentials: Arc::new(Argon2Credentials::new(PasswordCost::default())),
        settings: PlatformSettings {
            version: "simulated",
            home_tenant: world.tenant(),
            admin_token_hash: None,
            public_url: Some("https://nitejar.test".to_owned()),
            people_url: "http://127.0.0.1:3000".to_owned(),
            default_agent_budget: Limit::Unlimited,
            job_budget: Limit::Of(Micros(5_000_000)),
            instance: process.instance.clone(),
            retention: domain::retention::Retention {
                transcripts: domain::retention::Kept::Forever,
                events: domain::retention::Kept::Forever,
                tool_output: domain::retention::Kept::Forever,
            },
            deployment: services::status::Deployment {
                database: services::status::DatabaseKind::Sqlite,
                redis: false,
                encryption_keys: 1,
                started_at: world.clock.now(),
            },
        },
    };
    (Arc::new(platform), hub)
}

struct ProcessClock(Arc<Process>);

#[async_trait]
impl Clock for ProcessClock {
    fn now(&self) -> Timestamp {
        self.0.world.clock.now()
    }

    async fn sleep(&self, duration: Duration) {
        self.0.sleep(duration).await;
    }
}

/// Nothing here is secret.
struct Plain;

impl Cipher for Plain {
    fn seal(&self, _place: SealedPlace<'_>, secret: &Secret) -> String {
        secret.expose().to_owned()
    }

    fn open(&self, _place: SealedPlace<'_>, sealed: &str) -> Result<Secret, CipherError> {
        Ok(Secret::new(sealed))
    }

    fn is_current(&self, _sealed: &str) -> bool {
        true
    }
}

impl Secrets for Plain {
    fn generate(&self) -> Secret {
        Secret::new("generated")
    }

    fn hash(&self, token: &Secret) -> String {
        token.expose().to_owned()
    }

    fn digest(&self, content: &[u8]) -> String {
        let sum = content.iter().map(|byte| u64::from(*byte)).sum::<u64>();
        format!("{sum:064x}")
    }
}
