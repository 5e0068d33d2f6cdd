//! One engine with everything it needs, and what a test does with it.

use crate::{
    parts::{Answer, Line, NoSprites, Plain, Work, told},
    store::Moody,
};
use crypto::{Argon2Credentials, PasswordCost};
use domain::{
    budget::{BudgetScope, Limit, Period},
    channel::ChannelType,
    effect::EffectAction,
    id::TenantId,
    integration::Integration,
    job::Job,
    page::PageRequest,
    secret::{Redactor, Secret},
};
use ports::{
    channel::{ChannelFactory, Delivery},
    clock::Clock,
    store::{Durability, JobFilter, Store, SystemStore, Upkeep},
    tool::Tool,
};
use runtime::{Engine, EngineParts, Gatherer, Hub, RuntimeSettings};
use services::{Channels, Platform, PlatformSettings};
use std::{
    collections::BTreeMap,
    sync::{Arc, atomic::Ordering::SeqCst},
    time::{Duration, Instant},
};
use store_sqlite::{SqliteSettings, SqliteStore};
use tempfile::TempDir;
use test_kit::{
    builders,
    fakes::{FakeClock, SeqIds},
};
use tokio::sync::Semaphore;
use tokio_util::task::TaskTracker;

/// What the server must not tell anybody.
pub(crate) const CANARY: &str = "canary-of-a-secret";
/// What the tool shows, cut where it hurts.
const OUTPUT: &[&str] = &["before can", "ary-of-a-", "secret after"];
/// Of real time; only a broken engine needs it.
const PATIENCE: Duration = Duration::from_secs(40);
/// How far time goes on at once.
const MOMENT: Duration = Duration::from_millis(100);

pub(crate) struct World {
    pub(crate) store: Arc<Moody>,
    pub(crate) hub: Arc<Hub>,
    pub(crate) tenant: TenantId,
    pub(crate) line: Line,
    /// A permit lets one call of the tool end.
    pub(crate) go: Arc<Semaphore>,
    pub(crate) clock: FakeClock,
    _engine: Arc<Engine>,
    integration: Integration,
    pub(crate) platform: Arc<Platform>,
    _directory: TempDir,
}

impl World {
    /// An engine with one agent, whose model gives these answers.
    pub(crate) async fn start(answers: &[Answer]) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let (clock, ids) = (FakeClock::default(), Arc::<SeqIds>::default());
        let line = Line::default();
        let redactor = Arc::<Redactor>::default();
        redactor.learn(&Secret::new(CANARY));
        let factory: Arc<dyn ChannelFactory> = Arc::new(line.clone());
        let factories = BTreeMap::from([(ChannelType::Telegram, factory)]);
        let channels = Channels::new(factories, Arc::new(Plain), Arc::clone(&redactor));
        let channels = Arc::new(channels);
        let hub = Arc::new(Hub::new(vec![Arc::clone(&channels) as _], None));
        let settings = SqliteSettings::new(directory.path().join("nitejar.db"));
        let (time, listener) = (Arc::new(clock.clone()), Arc::clone(&hub));
        let inner = SqliteStore::connect(settings, Arc::clone(&ids) as _, time, listener as _);
        let inner = inner.await.unwrap();
        inner.migrate().await.unwrap();
        let (tenant, integration) = stage(&inner, &ids, &clock).await;
        let store = Arc::new(Moody::new(inner, clock.clone()));
        let platform = platform(&store, &clock, ids, channels, answers, tenant);
        let go = Arc::new(Semaphore::new(0));
        let engine = Engine::start(EngineParts {
            platform: Arc::clone(&platform),
            leases: Arc::clone(&store) as _,
            maintenance: Arc::clone(&store) as _,
            hub: Arc::clone(&hub),
            tools: tools(&go),
            redactor,
            settings: behaviour(),
        });
        Self {
            _engine: engine.await.unwrap(),
            store,
            hub,
            tenant,
            line,
            go,
            clock,
            integration,
            platform,
            _directory: directory,
        }
    }

    /// Lets the agent use one tool only.
    pub(crate) async fn allow(&self, tool: &str) {
        let tx = self.platform.store.write(self.tenant, Durability::Relaxed);
        let tx = tx.await.unwrap();
        let page = tx.agents().list(self.tenant, PageRequest::first(1)).await;
        let mut agent = page.unwrap().items.remove(0);
        agent.tools = Some(vec![tool.to_owned()]);
        tx.agents().update(&agent).await.unwrap();
        tx.commit().await.unwrap();
    }

    /// A person writes to the agent.
    pub(crate) async fn say(&self, text: &str) {
        let message = builders::inbound(text, "chat", text, self.clock.now());
        let delivery = builders::accept(&self.integration, message);
        self.platform.ingest.accept(vec![delivery]).await.unwrap();
    }

    /// Lets time pass until something is so.
    pub(crate) async fn until(&self, what: &str, mut is_so: impl AsyncFnMut() -> bool) {
        let began = Instant::now();
        while !is_so().await {
            assert!(began.elapsed() < PATIENCE, "never: {what}");
            tokio::task::yield_now().await;
            // Nobody's patience ends while the database works.
            if self.store.asked.load(SeqCst) == 0 {
                self.clock.advance(MOMENT);
            }
        }
    }

    /// Waits for the first reply.
    pub(crate) async fn reply(&self) -> String {
        let reply = || {
            let sent = self.sent();
            sent.into_iter().find_map(|delivery| match delivery.action {
                EffectAction::Reply { markdown, .. } => Some(markdown),
                EffectAction::Receipt { .. }
                | EffectAction::Progress { .. }
                | EffectAction::Question { .. } => None,
            })
        };
        self.until("a reply", async || reply().is_some()).await;
        reply().unwrap()
    }

    pub(crate) fn sent(&self) -> Vec<Delivery> {
        self.line.0.lock().unwrap().clone()
    }

    pub(crate) async fn jobs(&self) -> Vec<Job> {
        let tx = self.store.inner().read(self.tenant).await.unwrap();
        let page = tx
            .jobs()
            .list(self.tenant, &JobFilter::default(), PageRequest::first(100))
            .await;
        page.unwrap().items
    }
}

fn platform(
    store: &Arc<Moody>,
    clock: &FakeClock,
    ids: Arc<SeqIds>,
    channels: Arc<Channels>,
    answers: &[Answer],
    tenant: TenantId,
) -> Arc<Platform> {
    let models = Arc::new(told(answers));
    Arc::new(Platform {
        store: Arc::clone(store) as _,
        system: store.inner() as _,
        ingest: Arc::new(Gatherer::start(Arc::clone(store) as _, &TaskTracker::new())),
        cipher: Arc::new(Plain),
        clock: Arc::new(clock.clone()),
        ids,
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
        tools: tools::standard()
            .iter()
            .map(|tool| tool.spec().clone())
            .collect(),
        models,
        sandboxes: Arc::new(NoSprites),
        channels,
        secrets: Arc::new(Plain),
        credentials: Arc::new(Argon2Credentials::new(PasswordCost::default())),
        settings: PlatformSettings {
            version: "tested",
            home_tenant: tenant,
            admin_token_hash: None,
            public_url: None,
            people_url: "http://127.0.0.1:3000".to_owned(),
            default_agent_budget: Limit::Unlimited,
            job_budget: Limit::Unlimited,
            instance: "one".to_owned(),
            retention: domain::retention::Retention {
                transcripts: domain::retention::Kept::Forever,
                events: domain::retention::Kept::Forever,
                tool_output: domain::retention::Kept::Forever,
            },
            deployment: services::status::Deployment {
                database: services::status::DatabaseKind::Sqlite,
                redis: false,
                encryption_keys: 1,
                started_at: clock.now(),
            },
        },
    })
}

/// The tool that waits, and the one that asks people.
fn tools(go: &Arc<Semaphore>) -> Vec<Arc<dyn Tool>> {
    let mut tools = tools::standard();
    tools.retain(|tool| tool.spec().name == "request_approval");
    tools.push(Arc::new(Work::new(OUTPUT, go)));
    tools
}

fn behaviour() -> RuntimeSettings {
    RuntimeSettings {
        jobs: 4,
        sends: 4,
        limits: agent::turn::Limits { turns: 8 },
        drain: Duration::from_secs(5),
        instance: "one".to_owned(),
    }
}

/// One agent that one bot's messages reach.
async fn stage(store: &SqliteStore, ids: &SeqIds, clock: &FakeClock) -> (TenantId, Integration) {
    let now = clock.now();
    let tenant = store.ensure_tenant("Acme", now).await.unwrap().id;
    let integration = builders::integration(ids, tenant, "bot", now);
    let tx = store.write(tenant, Durability::Relaxed).await.unwrap();
    let agent = builders::agent(ids, tenant, "Ada", now);
    tx.agents().insert(&agent).await.unwrap();
    tx.integrations().insert(&integration).await.unwrap();
    let (scope, period, limit) = (BudgetScope::Tenant, Period::Day, Limit::Unlimited);
    let set = tx
        .ledger()
        .set_budget(tenant, scope, period, limit, now)
        .await;
    set.unwrap();
    tx.commit().await.unwrap();
    (tenant, integration)
}
