//! A server without a socket: the router on a real store in a file of its own.

use crate::{
    fake_sprite::Shells,
    fakes::{Direct, Feed, Tokens, Vendor, silent, tool},
    place::Place,
};
use api::{ApiState, Phase, router};
use axum::{
    Router,
    body::{Body, to_bytes},
    http::{HeaderMap, Method, Request, StatusCode},
    response::Response,
};
use crypto::{AesGcmCipher, Argon2Credentials, KeyRing, PasswordCost, new_token, token_hash};
use domain::{
    Timestamp,
    budget::{Limit, Micros},
    channel::ChannelType,
    effect::Effect,
    id::TenantId,
    job::Job,
    queue::EntryStatus,
    secret::{Redactor, Secret},
};
use ports::{
    clock::Clock,
    ids::Ids,
    live::{CommitListener, Committed},
    store::{BoxTx, Durability},
};
use serde_json::{Value, json};
use services::{Channels, Context, Platform, PlatformSettings, events};
use std::{collections::BTreeMap, sync::Arc};
use test_kit::{
    builders,
    fakes::{FakeClock, FakeIssuer, SeqIds},
    store::AnyStore,
};
use tokio::sync::watch;
use tokio_util::task::TaskTracker;
use tower::ServiceExt;

pub(crate) struct App {
    pub(crate) router: Router,
    pub(crate) platform: Arc<Platform>,
    pub(crate) store: Arc<dyn AnyStore>,
    pub(crate) feed: Arc<Feed>,
    pub(crate) phase: watch::Sender<Phase>,
    pub(crate) token: Secret,
    pub(crate) clock: FakeClock,
    pub(crate) file: Arc<Place>,
    pub(crate) shells: Shells,
    pub(crate) issuer: Arc<FakeIssuer>,
}

pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Value,
}

impl App {
    pub(crate) async fn start() -> Self {
        let (feed, clock) = (Arc::<Feed>::default(), FakeClock::default());
        let ids: Arc<dyn Ids> = Arc::<SeqIds>::default();
        let (place, store) = Place::new(
            Arc::clone(&ids),
            Arc::new(clock.clone()),
            Arc::clone(&feed) as _,
        )
        .await;
        let file = Arc::new(place);
        let tenant = store.ensure_tenant("home", clock.now()).await.unwrap();
        let app = Self::assemble((file, feed, clock), store, ids, tenant.id);
        let context = app.context();
        services::integrations::ensure_built_in(&context)
            .await
            .unwrap();
        app
    }

    /// Somebody else's administrator, on the same database.
    pub(crate) fn stranger(&self) -> Self {
        let parts = (
            Arc::clone(&self.file),
            Arc::clone(&self.feed),
            self.clock.clone(),
        );
        let tenant = TenantId::from_uuid(self.platform.ids.next());
        let ids = Arc::clone(&self.platform.ids);
        Self::assemble(parts, Arc::clone(&self.store), ids, tenant)
    }

    fn assemble(
        (file, feed, clock): (Arc<Place>, Arc<Feed>, FakeClock),
        store: Arc<dyn AnyStore>,
        ids: Arc<dyn Ids>,
        tenant: TenantId,
    ) -> Self {
        let (token, shells, models) = (new_token(), Shells::default(), Arc::new(silent()));
        let issuer = Arc::<FakeIssuer>::default();
        let keys = KeyRing::new(&Secret::new("11".repeat(32)))
            .unwrap_or_else(|_| panic!("32 bytes in hex are a key"));
        let cipher = Arc::new(AesGcmCipher::new(keys));
        let vendors = BTreeMap::from([(ChannelType::Telegram, Arc::new(Vendor) as _)]);
        let channels = Channels::new(
            vendors,
            Arc::clone(&cipher) as _,
            Arc::<Redactor>::default(),
        );
        let platform = Arc::new(Platform {
            store: Arc::clone(&store) as _,
            system: Arc::clone(&store) as _,
            ingest: Arc::new(Direct(Arc::clone(&store) as _)),
            cipher: Arc::clone(&cipher) as _,
            clock: Arc::new(clock.clone()),
            ids,
            providers: Arc::new(services::Providers::new(
                Arc::clone(&models) as _,
                Arc::clone(&cipher) as _,
                Arc::default(),
            )),
            sso: Arc::new(services::SingleSignOn::new(
                Arc::clone(&issuer) as _,
                Arc::clone(&cipher) as _,
                Arc::default(),
            )),
            tools: ["bash", "grep"].map(tool).to_vec(),
            models,
            sandboxes: Arc::new(shells.clone()),
            channels: Arc::new(channels),
            secrets: Arc::new(Tokens),
            credentials: Arc::new(Argon2Credentials::new(PasswordCost {
                memory: 64,
                passes: 1,
            })),
            settings: settings(tenant, &token, clock.now()),
        });
        let phase = watch::Sender::new(Phase::Serving);
        let router = router(ApiState {
            platform: Arc::clone(&platform),
            feed: Arc::clone(&feed) as _,
            metrics: Arc::new(|| "# no metrics\n".to_owned()),
            phase: phase.subscribe(),
            tasks: TaskTracker::new(),
        });
        Self {
            router,
            platform,
            store,
            feed,
            phase,
            token,
            clock,
            file,
            shells,
            issuer,
        }
    }

    pub(crate) fn context(&self) -> Context {
        Context::system(
            Arc::clone(&self.platform),
            self.platform.settings.home_tenant,
        )
    }

    /// A request of the administrator with a body, or none where it is null.
    pub(crate) fn request(&self, method: &Method, path: &str, body: &Value) -> Request<Body> {
        let request = Request::builder()
            .method(method)
            .uri(path)
            .header("host", "127.0.0.1:3000")
            .header("authorization", format!("Bearer {}", self.token.expose()));
        if body.is_null() {
            return request.body(Body::empty()).unwrap();
        }
        request
            .header("content-type", "application/json")
            .body(Body::from(body.to_string()))
            .unwrap()
    }

    pub(crate) async fn raw(&self, request: Request<Body>) -> Response {
        self.router.clone().oneshot(request).await.unwrap()
    }

    pub(crate) async fn send(&self, request: Request<Body>) -> Answer {
        let (parts, body) = self.raw(request).await.into_parts();
        let bytes = to_bytes(body, usize::MAX).await.unwrap();
        Answer {
            status: parts.status,
            headers: parts.headers,
            body: serde_json::from_slice(&bytes).unwrap_or(Value::Null),
        }
    }

    pub(crate) async fn get(&self, path: &str) -> Answer {
        self.send(self.request(&Method::GET, path, &Value::Null))
            .await
    }

    pub(crate) async fn post(&self, path: &str, body: Value) -> Answer {
        self.send(self.request(&Method::POST, path, &body)).await
    }

    pub(crate) async fn patch(&self, path: &str, body: Value) -> Answer {
        self.send(self.request(&Method::PATCH, path, &body)).await
    }

    pub(crate) async fn put(&self, path: &str, body: Value) -> Answer {
        self.send(self.request(&Method::PUT, path, &body)).await
    }

    pub(crate) async fn delete(&self, path: &str) -> Answer {
        self.send(self.request(&Method::DELETE, path, &Value::Null))
            .await
    }

    pub(crate) async fn agent(&self, name: &str) -> String {
        let answer = self.post("/api/v1/agents", json!({ "name": name })).await;
        assert_eq!(answer.status, StatusCode::CREATED, "{}", answer.body);
        answer.id()
    }

    pub(crate) async fn telegram(&self, name: &str) -> String {
        let body = json!({"type": "telegram", "name": name,
            "config": {"bot_token": "1:canary-bot-token", "webhook_secret": "canary-hook-secret", "account": "@jar"}});
        let answer = self.post("/api/v1/integrations", body).await;
        assert_eq!(answer.status, StatusCode::CREATED, "{}", answer.body);
        answer.id()
    }

    /// Tells what a commit that changed an integration tells.
    pub(crate) fn integrations_changed(&self) {
        let channels: &dyn CommitListener = self.platform.channels.as_ref();
        channels.committed(Committed {
            integrations_changed: true,
            ..Committed::default()
        });
    }

    /// Writes as a worker would.
    pub(crate) async fn write<F, T>(&self, act: F) -> T
    where
        F: AsyncFnOnce(&BoxTx) -> T,
    {
        let tx = self
            .store
            .write(self.platform.settings.home_tenant, Durability::Relaxed)
            .await
            .unwrap();
        let result = act(&tx).await;
        tx.commit().await.unwrap();
        result
    }

    /// Hands work in for a new agent and gives that agent's queued job for it, with its reply.
    pub(crate) async fn job(&self) -> (Job, Effect) {
        let agent = self
            .agent(&format!("agent {}", self.platform.ids.next()))
            .await;
        let body = json!({"text": "do it", "agent_ids": [agent]});
        let item = self.post("/api/v1/work-items", body).await.id();
        let (tenant, now) = (self.platform.settings.home_tenant, self.clock.now());
        let worker = ports::store::Worker {
            id: domain::id::WorkerId::from_uuid(self.platform.ids.next()),
            instance: self.platform.ids.next().to_string(),
            started_at: now,
        };
        let leases: &dyn ports::store::LeaseStore = self.store.as_ref();
        leases.register(&worker).await.unwrap();
        let lane = leases
            .claim_lanes(worker.id, now, 1_000)
            .await
            .unwrap()
            .pop()
            .unwrap();
        let item = item.parse().unwrap();
        let job = builders::job(self.platform.ids.as_ref(), &lane, item, now);
        let work = self.write(async |tx| {
            tx.jobs().insert(&job, Limit::Unlimited).await.unwrap();
            let entry = tx
                .lanes()
                .entry(tenant, lane.id, item)
                .await
                .unwrap()
                .unwrap();
            tx.lanes()
                .set_entry(tenant, entry.id, EntryStatus::Running, Some(job.id))
                .await
                .unwrap();
            tx.events()
                .append(tenant, job.id, vec![events::job_status(&job)], now)
                .await
                .unwrap();
            tx.work().find(tenant, item).await.unwrap().unwrap()
        });
        let work = work.await;
        leases.retire(worker.id, now).await.unwrap();
        let reply = builders::reply(self.platform.ids.as_ref(), &job, &work, now);
        (job, reply)
    }

    /// Finishes a job as a worker would.
    pub(crate) async fn finish(&self, job: &mut Job) {
        let now = self.clock.now();
        job.start(now).unwrap();
        job.complete(now).unwrap();
        let job = job.clone();
        self.write(async |tx| {
            tx.jobs().update(&job).await.unwrap();
            for item in tx
                .lanes()
                .finish_entries(job.tenant_id, job.id)
                .await
                .unwrap()
            {
                tx.work()
                    .settle(job.tenant_id, item, None, now)
                    .await
                    .unwrap();
            }
            tx.events()
                .append(job.tenant_id, job.id, vec![events::job_status(&job)], now)
                .await
                .unwrap();
        })
        .await;
    }
}

impl Answer {
    pub(crate) fn id(&self) -> String {
        self.body["id"]
            .as_str()
            .unwrap_or_else(|| panic!("no id in {}", self.body))
            .to_owned()
    }

    /// Checks that it is a whole problem document with this status and code.
    #[track_caller]
    pub(crate) fn is_problem(&self, status: u16, code: &str) {
        assert_eq!(self.status.as_u16(), status, "{}", self.body);
        assert_eq!(self.body["code"], code, "{}", self.body);
        assert_eq!(self.headers["content-type"], "application/problem+json");
        assert_eq!(self.body["status"], status);
        let id = self.headers["x-request-id"].to_str().unwrap();
        assert_eq!(self.body["request_id"], id);
        for field in ["type", "title", "detail", "errors"] {
            assert!(!self.body[field].is_null(), "{field} in {}", self.body);
        }
    }
}

impl App {
    /// An instant that lies this many seconds ahead.
    pub(crate) fn clock_text(&self, seconds: i64) -> String {
        (self.clock.now() + chrono::TimeDelta::seconds(seconds)).to_rfc3339()
    }
}

impl App {
    /// The sequence numbers of a job's stored events.
    pub(crate) async fn store_events(&self, job: &Job) -> Vec<i64> {
        let tx = self.store.read(job.tenant_id).await.unwrap();
        let events = tx
            .events()
            .after(job.tenant_id, job.id, 0, 10_000)
            .await
            .unwrap();
        events.iter().map(|event| event.seq).collect()
    }
}

fn settings(home_tenant: TenantId, token: &Secret, now: Timestamp) -> PlatformSettings {
    PlatformSettings {
        version: "0.0.0-test",
        home_tenant,
        admin_token_hash: Some(token_hash(token.expose())),
        public_url: Some("https://jar.example".to_owned()),
        people_url: "https://jar.example".to_owned(),
        default_agent_budget: Limit::Of(Micros(5_000_000)),
        job_budget: Limit::Of(Micros(1_000_000)),
        instance: "test".to_owned(),
        retention: domain::retention::Retention {
            transcripts: domain::retention::Kept::Forever,
            events: domain::retention::Kept::Forever,
            tool_output: domain::retention::Kept::Forever,
        },
        deployment: services::status::Deployment {
            database: services::status::DatabaseKind::Sqlite,
            redis: false,
            encryption_keys: 1,
            started_at: now,
        },
    }
}
