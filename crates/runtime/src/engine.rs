//! What the runtime is made of, and its life: start, run, drain.

use crate::{
    dispatch, effects, expiry, held::Held, hub::Hub, leases, orphans, patience::within,
    places::Places, pollers, retention,
};
use agent::turn::Limits;
use domain::{
    Timestamp,
    id::{EffectId, LaneId, TenantId, WorkerId},
    secret::Redactor,
};
use ports::{
    inference::ToolSpec,
    store::{BoxTx, Durability, LeaseStore, Maintenance, StoreError, Worker},
    tool::Tool,
};
use services::Platform;
use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64},
    },
    time::Duration,
};
use tokio::sync::Semaphore;
use tokio_util::{sync::CancellationToken, task::TaskTracker};

/// How long messages that are being sent may take after the last job has ended.
const LAST_SENDS: Duration = Duration::from_secs(5);

/// How the runtime behaves.
#[derive(Clone, Debug)]
pub struct RuntimeSettings {
    /// Jobs that run at the same time in this process.
    pub jobs: usize,
    /// Effects that are being sent at the same time.
    pub sends: usize,
    /// Bounds of a job's turns.
    pub limits: Limits,
    /// How long running jobs may go on after a stop was asked for.
    pub drain: Duration,
    /// What stays the same over restarts of this process (see [`Worker::instance`]).
    pub instance: String,
}

/// What the runtime needs from outside.
pub struct EngineParts {
    /// Store, models, sandboxes, channels.
    pub platform: Arc<Platform>,
    /// Leases.
    pub leases: Arc<dyn LeaseStore>,
    /// What keeps the database small.
    pub maintenance: Arc<dyn Maintenance>,
    /// Live events, wake-ups and stop requests.
    pub hub: Arc<Hub>,
    /// The tools agents may use.
    pub tools: Vec<Arc<dyn Tool>>,
    /// Removes secrets from what is written down.
    pub redactor: Arc<Redactor>,
    /// How it behaves.
    pub settings: RuntimeSettings,
}

/// The running runtime.
pub struct Engine {
    pub(crate) platform: Arc<Platform>,
    pub(crate) leases: Arc<dyn LeaseStore>,
    pub(crate) maintenance: Arc<dyn Maintenance>,
    pub(crate) hub: Arc<Hub>,
    pub(crate) tools: Vec<Arc<dyn Tool>>,
    pub(crate) specs: Vec<ToolSpec>,
    pub(crate) redactor: Arc<Redactor>,
    pub(crate) settings: RuntimeSettings,
    pub(crate) worker: WorkerId,
    pub(crate) job_slots: Arc<Semaphore>,
    pub(crate) send_slots: Arc<Semaphore>,
    /// Whether lanes, or effects, may be waiting for a free place.
    pub(crate) jobs_starved: AtomicBool,
    pub(crate) sends_starved: AtomicBool,
    pub(crate) lanes: Held<LaneId>,
    pub(crate) effects: Held<EffectId>,
    pub(crate) places: Places,
    /// Cancelled when no new work may be taken.
    pub(crate) stop: CancellationToken,
    /// Cancelled when running jobs must let go at once.
    pub(crate) abandon: CancellationToken,
    /// Cancelled when all jobs have ended and what they left to send has been claimed.
    pub(crate) quiet: CancellationToken,
    /// Cancelled when nothing that is being sent is waited for any more.
    pub(crate) drop_sends: CancellationToken,
    /// How often this process was thought dead: whoever holds a lease for long looks whether it grew.
    pub(crate) losses: AtomicU64,
    jobs: TaskTracker,
    /// Everything but jobs: the loops, and what is being sent.
    tracker: TaskTracker,
    /// Heartbeat and sweep: they must outlive every job.
    pulse: TaskTracker,
    pub(crate) gone: CancellationToken,
}

impl Engine {
    /// Announces this process, frees what its predecessor held, and starts working.
    pub async fn start(parts: EngineParts) -> Result<Arc<Self>, StoreError> {
        let EngineParts {
            platform,
            leases,
            maintenance,
            hub,
            mut tools,
            redactor,
            settings,
        } = parts;
        tools.sort_by_key(|tool| tool.spec().name);
        let worker = Worker {
            id: WorkerId::from_uuid(platform.ids.next()),
            instance: settings.instance.clone(),
            started_at: platform.clock.now(),
        };
        let freed = leases.register(&worker).await?;
        crate::crash::point("start.registered");
        if freed.lanes + freed.effects > 0 {
            tracing::info!(
                lanes = freed.lanes,
                effects = freed.effects,
                "taking over from a process that is gone"
            );
        }
        let engine = Arc::new(Self {
            specs: tools.iter().map(|tool| tool.spec().clone()).collect(),
            job_slots: Arc::new(Semaphore::new(settings.jobs)),
            send_slots: Arc::new(Semaphore::new(settings.sends)),
            jobs_starved: AtomicBool::new(false),
            sends_starved: AtomicBool::new(false),
            lanes: Held::default(),
            effects: Held::default(),
            places: Places::default(),
            worker: worker.id,
            stop: CancellationToken::new(),
            abandon: CancellationToken::new(),
            quiet: CancellationToken::new(),
            drop_sends: CancellationToken::new(),
            losses: AtomicU64::new(0),
            jobs: TaskTracker::new(),
            tracker: TaskTracker::new(),
            pulse: TaskTracker::new(),
            gone: CancellationToken::new(),
            platform,
            leases,
            maintenance,
            hub,
            tools,
            redactor,
            settings,
        });
        engine.begin();
        Ok(engine)
    }

    fn begin(self: &Arc<Self>) {
        self.pulse.spawn(leases::pulse(Arc::clone(self)));
        self.spawn(dispatch::run(Arc::clone(self)));
        self.spawn(effects::run(Arc::clone(self)));
        self.spawn(pollers::run(Arc::clone(self)));
        self.spawn(retention::run(Arc::clone(self)));
        self.spawn(orphans::run(Arc::clone(self)));
        self.spawn(expiry::run(Arc::clone(self)));
    }

    /// Takes no new work, lets running jobs finish until the drain time is over, then lets go; sends what they
    /// left to send. What remains continues elsewhere, or after the next start, from its last commit.
    pub async fn shutdown(&self) {
        self.stop.cancel();
        crate::crash::point("drain.begun");
        self.jobs.close();
        if !ends_in(&self.jobs, self.sleep(self.settings.drain), &self.abandon).await {
            tracing::warn!(
                "jobs are still running after the drain time; they continue where they are claimed next"
            );
            self.abandon.cancel();
            self.jobs.wait().await;
        }
        self.quiet.cancel();
        self.tracker.close();
        if !ends_in(&self.tracker, self.sleep(LAST_SENDS), &self.drop_sends).await {
            tracing::warn!(
                "messages are still being sent; whether they arrived will be shown as unknown"
            );
            self.drop_sends.cancel();
            self.tracker.wait().await;
        }
        self.gone.cancel();
        self.pulse.close();
        self.pulse.wait().await;
        crate::crash::point("drain.before_retire");
        let goodbye = self.leases.retire(self.worker, self.now());
        if let Err(error) = within(self, goodbye).await {
            tracing::error!(
                error = %ports::Causes(&error),
                "could not give the leases back"
            );
        }
        crate::crash::point("drain.after_retire");
        self.platform.sandboxes.shutdown().await;
    }

    /// Lets running jobs and sends go at once instead of waiting for the drain time; jobs continue from their last
    /// commit.
    pub fn abandon(&self) {
        self.stop.cancel();
        self.abandon.cancel();
        self.drop_sends.cancel();
    }

    pub(crate) fn spawn_job(&self, job: impl Future<Output = ()> + Send + 'static) {
        self.jobs.spawn(job);
    }

    pub(crate) fn spawn(&self, task: impl Future<Output = ()> + Send + 'static) {
        self.tracker.spawn(task);
    }

    pub(crate) fn now(&self) -> Timestamp {
        self.platform.clock.now()
    }

    /// A number from 0 to 1 that spreads retries; the tail of a fresh id is random enough.
    pub(crate) fn jitter(&self) -> f64 {
        let [.., high, low] = self.platform.ids.next().into_bytes();
        f64::from(u16::from_be_bytes([high, low])) / f64::from(u16::MAX)
    }

    pub(crate) async fn sleep(&self, duration: Duration) {
        self.platform.clock.sleep(duration).await;
    }

    pub(crate) async fn read(&self, tenant: TenantId) -> Result<BoxTx, StoreError> {
        self.platform.store.read(tenant).await
    }

    pub(crate) async fn write(&self, tenant: TenantId) -> Result<BoxTx, StoreError> {
        let store = &self.platform.store;
        store.write(tenant, Durability::Relaxed).await
    }

    pub(crate) async fn write_durable(&self, tenant: TenantId) -> Result<BoxTx, StoreError> {
        let store = &self.platform.store;
        store.write(tenant, Durability::Durable).await
    }
}

/// Whether the tasks end before the time is over or somebody loses patience.
async fn ends_in(
    tasks: &TaskTracker,
    time: impl Future<Output = ()>,
    impatience: &CancellationToken,
) -> bool {
    tokio::select! {
        biased;
        () = tasks.wait() => true,
        () = time => false,
        () = impatience.cancelled() => false,
    }
}
