//! The real store with what can go wrong between a process and it: a refusal before anything happened, an answer
//! that is lost after everything happened, a kill on either side of a commit.

use crate::{
    process::Process,
    world::{Busy, World},
};
use async_trait::async_trait;
use domain::{
    Timestamp,
    access::{ApiToken, Tenant},
    effect::Effect,
    id::{ApprovalId, EffectId, IntegrationId, JobId, LaneId, TenantId, UserId, WorkerId},
    integration::Integration,
    login::{User, UserLink, UserSession},
    queue::{Fence, Lane},
};
use ports::{
    ingest::{Accept, Accepted},
    store::{
        AccessRepository, AgentRepository, ApprovalRepository, AuditRepository,
        BackgroundProcessRepository, BoxTx, CatalogTx, ConversationRepository, Durability,
        EffectRepository, EventRepository, ExecutionTx, IdempotencyRepository, IdentityRepository,
        IntegrationRepository, JobRepository, LaneRepository, LeaseStore, LedgerRepository,
        LoginRepository, Maintenance, PeopleTx, ProviderRepository, Prune, Pruned, RecordTx,
        ReportRepository, SettingRepository, SpriteSessionRepository, Store, StoreError, StoreTx,
        Swept, SystemStore, Tidied, TranscriptRepository, UserRepository, WorkRepository, Worker,
    },
};
use std::{
    future::{Future, pending},
    sync::{Arc, Mutex, PoisonError},
};
use store_sqlite::SqliteStore;

/// The store as one process sees it.
pub(crate) struct FaultyStore {
    process: Arc<Process>,
    world: Arc<World>,
}

impl FaultyStore {
    pub(crate) fn new(process: &Arc<Process>) -> Self {
        Self {
            process: Arc::clone(process),
            world: Arc::clone(&process.world),
        }
    }

    fn inner(&self) -> &SqliteStore {
        self.world.store()
    }

    /// Takes a turn with the database, if it is there.
    async fn begin(&self, what: &str) -> Result<Busy, StoreError> {
        self.process.pass(what).await;
        let name = &self.process.name;
        if self.world.fails(self.world.rates.store_refuses) {
            self.world.note(name, format!("{what} refused"));
            return Err(failure("the database is not there"));
        }
        self.world.note(name, what);
        Ok(self.world.busy())
    }

    /// One operation that is a transaction of its own.
    async fn whole<T: Send>(
        &self,
        what: &str,
        work: impl Future<Output = Result<T, StoreError>> + Send,
    ) -> Result<T, StoreError> {
        let busy = self.begin(what).await?;
        let done = work.await;
        drop(busy);
        after(&self.process, what, done).await
    }
}

/// What happens between a commit and whoever waits for it.
async fn after<T>(
    process: &Process,
    what: &str,
    done: Result<T, StoreError>,
) -> Result<T, StoreError> {
    let world = &process.world;
    world.spread(process);
    let value = done.inspect_err(|error| world.note(&process.name, format!("{what}: {error}")))?;
    if world.fails(world.rates.killed_after) {
        process.kill(&format!("{what}, done"));
        pending::<()>().await;
    }
    if world.fails(world.rates.store_loses_answer) {
        world.note(&process.name, format!("{what}: the answer is lost"));
        return Err(failure("the connection broke"));
    }
    Ok(value)
}

fn failure(why: &str) -> StoreError {
    StoreError::Backend(why.into())
}

#[async_trait]
impl Store for FaultyStore {
    async fn read(&self, tenant: TenantId) -> Result<BoxTx, StoreError> {
        let busy = self.begin("read").await?;
        Ok(self.transaction(self.inner().read(tenant).await?, "read", busy))
    }

    async fn write(&self, tenant: TenantId, durability: Durability) -> Result<BoxTx, StoreError> {
        self.process.pass_late().await;
        let busy = self.begin("write").await?;
        let tx = self.inner().write(tenant, durability).await?;
        Ok(self.transaction(tx, "write", busy))
    }

    async fn ingest(&self, batch: Vec<Accept>) -> Result<Vec<Accepted>, StoreError> {
        self.whole("ingest", self.inner().ingest(batch)).await
    }

    async fn ready(&self) -> Result<(), StoreError> {
        self.whole("ready", self.inner().ready()).await
    }
}

impl FaultyStore {
    fn transaction(&self, tx: BoxTx, what: &'static str, busy: Busy) -> BoxTx {
        Box::new(FaultyTx {
            tx,
            busy,
            what,
            process: Arc::clone(&self.process),
            stale: Mutex::default(),
        })
    }
}

/// A transaction; in this order, because the database must be free before the driver hears so.
struct FaultyTx {
    tx: BoxTx,
    busy: Busy,
    what: &'static str,
    process: Arc<Process>,
    /// Claims that were over and passed for held, by lane.
    stale: Mutex<Vec<(LaneId, Fence)>>,
}

macro_rules! repositories {
    ($trait:ident: $($name:ident -> $repository:ident),* $(,)?) => {
        impl $trait for FaultyTx {$(
            fn $name(&self) -> Box<dyn $repository + '_> {
                self.tx.$name()
            }
        )*}
    };
}

repositories!(CatalogTx:
    agents -> AgentRepository,
    integrations -> IntegrationRepository,
    conversations -> ConversationRepository,
    settings -> SettingRepository,
    providers -> ProviderRepository,
    idempotency -> IdempotencyRepository,
);

repositories!(PeopleTx:
    users -> UserRepository,
    logins -> LoginRepository,
    access -> AccessRepository,
    identities -> IdentityRepository,
);

repositories!(ExecutionTx:
    work -> WorkRepository,
    lanes -> LaneRepository,
    jobs -> JobRepository,
    transcript -> TranscriptRepository,
    ledger -> LedgerRepository,
    effects -> EffectRepository,
    approvals -> ApprovalRepository,
    events -> EventRepository,
    sprite_sessions -> SpriteSessionRepository,
    background_processes -> BackgroundProcessRepository,
);

repositories!(RecordTx:
    audit -> AuditRepository,
    reports -> ReportRepository,
);

#[async_trait]
impl StoreTx for FaultyTx {
    async fn fenced(&self, tenant: TenantId, lane: LaneId, fence: Fence) -> Result<(), StoreError> {
        // Looked at apart from the store's own check, which is what is in question.
        let now = self.tx.lanes().lock(tenant, lane).await?;
        let is_held = now.is_some_and(|lane| lane.lease.is_some() && lane.fence == fence);
        let passed = self.tx.fenced(tenant, lane, fence).await;
        if !is_held {
            self.process.world.met_stale();
        }
        if passed.is_ok() && !is_held {
            let mut stale = self.stale.lock().unwrap_or_else(PoisonError::into_inner);
            stale.push((lane, fence));
        }
        passed
    }

    async fn commit(self: Box<Self>) -> Result<(), StoreError> {
        let Self {
            tx,
            busy,
            what,
            process,
            stale,
        } = *self;
        let world = Arc::clone(&process.world);
        if world.fails(world.rates.killed_before) {
            drop((tx, busy));
            process.kill(&format!("{what}, before its commit"));
            return pending().await;
        }
        if world.fails(world.rates.store_refuses) {
            drop((tx, busy));
            world.note(&process.name, format!("{what}: the commit is refused"));
            return Err(failure("the commit failed"));
        }
        let done = tx.commit().await;
        drop(busy);
        world.note(&process.name, format!("{what} committed"));
        for (lane, fence) in stale.into_inner().unwrap_or_else(PoisonError::into_inner) {
            if done.is_ok() {
                let (name, fence) = (&process.name, fence.0);
                world.broken(format!(
                    "{name} wrote to lane {lane} after its claim {fence} was over"
                ));
            }
        }
        after(&process, what, done).await
    }
}

#[async_trait]
impl SystemStore for FaultyStore {
    async fn find_token(&self, hash: &str) -> Result<Option<ApiToken>, StoreError> {
        self.whole("find_token", self.inner().find_token(hash))
            .await
    }

    async fn find_user(&self, id: UserId) -> Result<Option<User>, StoreError> {
        self.whole("find_user", self.inner().find_user(id)).await
    }

    async fn find_session(&self, hash: &str) -> Result<Option<(UserSession, User)>, StoreError> {
        self.whole("find_session", self.inner().find_session(hash))
            .await
    }

    async fn find_link(&self, hash: &str) -> Result<Option<UserLink>, StoreError> {
        self.whole("find_link", self.inner().find_link(hash)).await
    }

    async fn find_integration(&self, id: IntegrationId) -> Result<Option<Integration>, StoreError> {
        let work = self.inner().find_integration(id);
        self.whole("find_integration", work).await
    }

    async fn active_integrations(&self) -> Result<Vec<Integration>, StoreError> {
        let work = self.inner().active_integrations();
        self.whole("active_integrations", work).await
    }

    async fn ensure_tenant(&self, name: &str, now: Timestamp) -> Result<Tenant, StoreError> {
        let work = self.inner().ensure_tenant(name, now);
        self.whole("ensure_tenant", work).await
    }

    async fn free_keys(&self, instance: &str) -> Result<u64, StoreError> {
        self.whole("free_keys", self.inner().free_keys(instance))
            .await
    }

    async fn overdue_approvals(
        &self,
        now: Timestamp,
        limit: u32,
    ) -> Result<Vec<(TenantId, ApprovalId)>, StoreError> {
        let work = self.inner().overdue_approvals(now, limit);
        self.whole("overdue_approvals", work).await
    }
}

#[async_trait]
impl LeaseStore for FaultyStore {
    async fn register(&self, worker: &Worker) -> Result<Swept, StoreError> {
        self.whole("register", self.inner().register(worker)).await
    }

    async fn heartbeat(&self, worker: WorkerId, now: Timestamp) -> Result<bool, StoreError> {
        self.whole("heartbeat", self.inner().heartbeat(worker, now))
            .await
    }

    async fn retire(&self, worker: WorkerId, now: Timestamp) -> Result<Swept, StoreError> {
        self.whole("retire", self.inner().retire(worker, now)).await
    }

    async fn sweep(&self, expired: Timestamp, now: Timestamp) -> Result<Swept, StoreError> {
        let swept = self
            .whole("sweep", self.inner().sweep(expired, now))
            .await?;
        if swept != Swept::default() {
            let (lanes, effects) = (swept.lanes, swept.effects);
            let what = format!("swept {lanes} lanes, {effects} effects");
            self.world.note(&self.process.name, what);
        }
        Ok(swept)
    }

    async fn claim_lanes(
        &self,
        worker: WorkerId,
        now: Timestamp,
        limit: u32,
    ) -> Result<Vec<Lane>, StoreError> {
        let work = async {
            let lanes = self.inner().claim_lanes(worker, now, limit).await?;
            self.world.learn_lanes(&lanes);
            Ok(lanes)
        };
        let lanes = self.whole("claim_lanes", work).await?;
        for lane in &lanes {
            let what = format!("claimed lane {} with fence {}", lane.id, lane.fence.0);
            self.world.note(&self.process.name, what);
        }
        Ok(lanes)
    }

    async fn claim_effects(
        &self,
        worker: WorkerId,
        now: Timestamp,
        limit: u32,
    ) -> Result<Vec<Effect>, StoreError> {
        let work = self.inner().claim_effects(worker, now, limit);
        let effects = self.whole("claim_effects", work).await?;
        for effect in &effects {
            let what = format!("claimed effect {} ({})", effect.id, effect.slot);
            self.world.note(&self.process.name, what);
        }
        Ok(effects)
    }

    async fn let_go_lanes(
        &self,
        worker: WorkerId,
        known: &[LaneId],
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let work = self.inner().let_go_lanes(worker, known, now);
        self.whole("let_go_lanes", work).await
    }

    async fn let_go_effects(&self, worker: WorkerId, known: &[EffectId]) -> Result<(), StoreError> {
        let work = self.inner().let_go_effects(worker, known);
        self.whole("let_go_effects", work).await
    }

    async fn stop_requests(&self, worker: WorkerId) -> Result<Vec<JobId>, StoreError> {
        let work = self.inner().stop_requests(worker);
        self.whole("stop_requests", work).await
    }

    async fn hold(
        &self,
        name: &str,
        worker: WorkerId,
        expired: Timestamp,
    ) -> Result<bool, StoreError> {
        self.whole("hold", self.inner().hold(name, worker, expired))
            .await
    }
}

#[async_trait]
impl Maintenance for FaultyStore {
    async fn prune(&self, prune: Prune<'_>) -> Result<Pruned, StoreError> {
        self.whole("prune", self.inner().prune(prune)).await
    }

    async fn tidy(&self) -> Result<Tidied, StoreError> {
        self.whole("tidy", self.inner().tidy()).await
    }
}
