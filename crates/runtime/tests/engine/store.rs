//! The real store, which can be told to be away, to refuse, or to do what it is asked and never say so.

use async_trait::async_trait;
use domain::{
    Timestamp,
    effect::Effect,
    id::{EffectId, JobId, LaneId, TenantId, WorkerId},
    queue::Lane,
};
use ports::{
    clock::Clock,
    ingest::{Accept, Accepted},
    store::{
        BoxTx, Durability, LeaseStore, Maintenance, Prune, Pruned, Store, StoreError, Swept,
        Tidied, Worker,
    },
};
use std::{
    future::pending,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst},
    },
};
use store_sqlite::SqliteStore;
use test_kit::fakes::FakeClock;

/// The store as the engine sees it.
pub(crate) struct Moody {
    inner: Arc<SqliteStore>,
    clock: FakeClock,
    /// Fails whatever it is asked.
    pub(crate) away: AtomicBool,
    /// How often jobs asked while it was away.
    pub(crate) refused: AtomicUsize,
    /// So many reads fail, whatever else works.
    pub(crate) failing_reads: AtomicUsize,
    /// How often something old was looked for.
    pub(crate) pruned: AtomicUsize,
    /// What is done next and never answered, each once.
    silent: Mutex<Vec<&'static str>>,
    /// Questions about leases that were answered, and when.
    answered: Mutex<Vec<(&'static str, Timestamp)>>,
    /// Such questions under way.
    pub(crate) asked: AtomicUsize,
}

impl Moody {
    pub(crate) fn new(inner: SqliteStore, clock: FakeClock) -> Self {
        Self {
            inner: Arc::new(inner),
            clock,
            away: AtomicBool::default(),
            refused: AtomicUsize::default(),
            failing_reads: AtomicUsize::default(),
            pruned: AtomicUsize::default(),
            silent: Mutex::default(),
            answered: Mutex::default(),
            asked: AtomicUsize::default(),
        }
    }

    pub(crate) fn inner(&self) -> Arc<SqliteStore> {
        Arc::clone(&self.inner)
    }

    /// The next answer to this question that says anything is lost, and nobody is told.
    pub(crate) fn lose_answer(&self, to: &'static str) {
        self.silent.lock().unwrap().push(to);
    }

    /// Whether every answer that was to be lost was.
    pub(crate) fn has_lost_all(&self) -> bool {
        self.silent.lock().unwrap().is_empty()
    }

    /// What was answered so far.
    pub(crate) fn answered(&self) -> Vec<(&'static str, Timestamp)> {
        self.answered.lock().unwrap().clone()
    }

    async fn ask<T>(
        &self,
        what: &'static str,
        says_anything: impl FnOnce(&T) -> bool,
        work: impl Future<Output = Result<T, StoreError>>,
    ) -> Result<T, StoreError> {
        self.is_there()?;
        let at = self.clock.now();
        let busy = Busy::new(&self.asked);
        let answer = work.await?;
        drop(busy);
        let lost = {
            let mut silent = self.silent.lock().unwrap();
            let place = silent.iter().position(|silent| *silent == what);
            let place = place.filter(|_| says_anything(&answer));
            place.map(|place| silent.remove(place))
        };
        if lost.is_some() {
            pending::<()>().await;
        }
        self.answered.lock().unwrap().push((what, at));
        Ok(answer)
    }

    fn is_there(&self) -> Result<(), StoreError> {
        if self.away.load(SeqCst) {
            return Err(StoreError::Backend("the database is away".into()));
        }
        Ok(())
    }

    /// The same for what jobs ask.
    fn serves(&self) -> Result<(), StoreError> {
        self.is_there().inspect_err(|_away| {
            self.refused.fetch_add(1, SeqCst);
        })
    }
}

struct Busy<'c>(&'c AtomicUsize);

impl<'c> Busy<'c> {
    fn new(count: &'c AtomicUsize) -> Self {
        count.fetch_add(1, SeqCst);
        Self(count)
    }
}

impl Drop for Busy<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, SeqCst);
    }
}

fn always<T>(_: &T) -> bool {
    true
}

#[async_trait]
impl Store for Moody {
    async fn read(&self, tenant: TenantId) -> Result<BoxTx, StoreError> {
        self.serves()?;
        let fails = |left: usize| left.checked_sub(1);
        if self
            .failing_reads
            .fetch_update(SeqCst, SeqCst, fails)
            .is_ok()
        {
            return Err(StoreError::Backend("the page is broken".into()));
        }
        self.inner.read(tenant).await
    }

    async fn write(&self, tenant: TenantId, durability: Durability) -> Result<BoxTx, StoreError> {
        self.serves()?;
        self.inner.write(tenant, durability).await
    }

    async fn ingest(&self, batch: Vec<Accept>) -> Result<Vec<Accepted>, StoreError> {
        self.inner.ingest(batch).await
    }

    async fn ready(&self) -> Result<(), StoreError> {
        self.serves()?;
        self.inner.ready().await
    }
}

#[async_trait]
impl LeaseStore for Moody {
    async fn register(&self, worker: &Worker) -> Result<Swept, StoreError> {
        self.ask("register", always, self.inner.register(worker))
            .await
    }

    async fn heartbeat(&self, worker: WorkerId, now: Timestamp) -> Result<bool, StoreError> {
        self.ask("heartbeat", always, self.inner.heartbeat(worker, now))
            .await
    }

    async fn retire(&self, worker: WorkerId, now: Timestamp) -> Result<Swept, StoreError> {
        self.ask("retire", always, self.inner.retire(worker, now))
            .await
    }

    async fn sweep(&self, expired: Timestamp, now: Timestamp) -> Result<Swept, StoreError> {
        self.ask("sweep", always, self.inner.sweep(expired, now))
            .await
    }

    async fn claim_lanes(
        &self,
        worker: WorkerId,
        now: Timestamp,
        limit: u32,
    ) -> Result<Vec<Lane>, StoreError> {
        let claim = self.inner.claim_lanes(worker, now, limit);
        self.ask("claim_lanes", |lanes: &Vec<Lane>| !lanes.is_empty(), claim)
            .await
    }

    async fn claim_effects(
        &self,
        worker: WorkerId,
        now: Timestamp,
        limit: u32,
    ) -> Result<Vec<Effect>, StoreError> {
        let claim = self.inner.claim_effects(worker, now, limit);
        let any = |effects: &Vec<Effect>| !effects.is_empty();
        self.ask("claim_effects", any, claim).await
    }

    async fn let_go_lanes(
        &self,
        worker: WorkerId,
        known: &[LaneId],
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let work = self.inner.let_go_lanes(worker, known, now);
        self.ask("let_go_lanes", always, work).await
    }

    async fn let_go_effects(&self, worker: WorkerId, known: &[EffectId]) -> Result<(), StoreError> {
        let work = self.inner.let_go_effects(worker, known);
        self.ask("let_go_effects", always, work).await
    }

    async fn stop_requests(&self, worker: WorkerId) -> Result<Vec<JobId>, StoreError> {
        self.ask("stop_requests", always, self.inner.stop_requests(worker))
            .await
    }

    async fn hold(
        &self,
        name: &str,
        worker: WorkerId,
        expired: Timestamp,
    ) -> Result<bool, StoreError> {
        self.ask("hold", always, self.inner.hold(name, worker, expired))
            .await
    }
}

#[async_trait]
impl Maintenance for Moody {
    async fn prune(&self, prune: Prune<'_>) -> Result<Pruned, StoreError> {
        self.pruned.fetch_add(1, SeqCst);
        self.inner.prune(prune).await
    }

    async fn tidy(&self) -> Result<Tidied, StoreError> {
        self.inner.tidy().await
    }
}
