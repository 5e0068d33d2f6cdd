//! The sprites of this machine: which are awake, when they wake and when they go back to sleep.

use crate::{
    checkpoints::Upkeep,
    computer::LocalComputer,
    home::{self, Home},
    idle,
    launch::Launcher,
    limits::{self, Limits},
    network, probe, processes,
    quota::Ledger,
    removal, services,
    settings::{LocalSettings, StartError},
    sprite::LocalSprite,
};
use async_trait::async_trait;
use domain::sprite::{SandboxTier, SpriteKey};
use futures_util::future::join_all;
use nix::unistd::Pid;
use ports::sandbox::{
    Sandbox, SandboxBackend, SandboxError, SandboxHost, SandboxReport, Sprite, SpriteReport,
    SpriteStatus,
};
use std::{
    collections::HashMap,
    fs, io,
    path::PathBuf,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};
use tokio::{
    sync::{OwnedMutexGuard, OwnedSemaphorePermit, Semaphore},
    time::timeout,
};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

/// How long a look waits for a sprite that wakes or sleeps.
const BRIEFLY: Duration = Duration::from_millis(200);
const STOPPED: &str = "the server is shutting down";

/// Persistent sandboxes on this machine. Dropping it stops the sprites, [`LocalHost::shutdown`]
/// waits for that.
pub struct LocalHost {
    inner: Arc<Inner>,
}

/// What a host and its sprites share.
pub(crate) struct Inner {
    pub(crate) root: PathBuf,
    missing: Vec<String>,
    launcher: Launcher,
    pub(crate) own_user: bool,
    pub(crate) ledger: Arc<Ledger>,
    pub(crate) upkeep: Upkeep,
    pub(crate) idle: Duration,
    answer: Duration,
    pub(crate) places: Arc<Semaphore>,
    slots: Mutex<HashMap<SpriteKey, Arc<Slot>>>,
    pub(crate) hubs: processes::Hubs,
    pub(crate) stopping: CancellationToken,
    pub(crate) services: services::Rosters,
    pub(crate) restart_delay: Duration,
}

/// One sprite's place; the lock is held while it wakes or stops.
pub(crate) type Slot = tokio::sync::Mutex<Option<Arc<LocalSprite>>>;

impl LocalHost {
    /// Makes the root, chooses the tier and is ready to wake sprites. Cheap when the tier was
    /// chosen before since boot.
    pub async fn start(mut settings: LocalSettings) -> Result<Self, StartError> {
        let root = home::prepare_root(&settings.root).map_err(|source| StartError::Root {
            path: settings.root.clone(),
            source,
        })?;
        let program = PathBuf::from(settings.supervisor.first().cloned().unwrap_or_default());
        let real = fs::canonicalize(&program).map_err(|source| StartError::Supervisor {
            path: program,
            source,
        })?;
        if let Some(first) = settings.supervisor.first_mut() {
            *first = real.clone().into();
        }
        let own_user = probe::own_user(&root, &real);
        let mut launcher = Launcher {
            tier: SandboxTier::Plain,
            supervisor: settings.supervisor.clone(),
            accounts: home::accounts(&root),
            upstream: Arc::clone(&settings.upstream),
            limits: Arc::new(Limits::find(&settings.quotas, &root)),
            tasks: TaskTracker::new(),
        };
        let chosen = probe::choose(&settings, &root, &launcher, own_user).await?;
        let tier = chosen.tier;
        launcher.tier = tier;
        let mut missing = chosen.missing;
        missing.extend(launcher.limits.missing(tier, own_user));
        let inner = Arc::new(Inner {
            ledger: Ledger::new(root.clone(), settings.quotas),
            upkeep: Upkeep::default(),
            root,
            missing,
            launcher,
            own_user: own_user && tier != SandboxTier::Plain,
            idle: settings.idle,
            answer: settings.answer,
            places: Arc::new(Semaphore::new(settings.max_awake.max(1))),
            slots: Mutex::default(),
            hubs: processes::Hubs::default(),
            stopping: CancellationToken::new(),
            services: services::Rosters::default(),
            restart_delay: settings.restart_delay,
        });
        inner.spawn(idle::watch(Arc::downgrade(&inner), settings.idle));
        inner.spawn(services::restore(Arc::clone(&inner)));
        inner.spawn(limits::watch(Arc::downgrade(&inner)));
        let root = inner.root.clone();
        inner
            .tasks()
            .spawn_blocking(move || removal::empty_trash(&root));
        Ok(Self { inner })
    }

    /// The home directory of a sprite as its commands see it.
    pub fn home(&self, sprite: SpriteKey) -> String {
        self.inner
            .home_inside(sprite)
            .to_string_lossy()
            .into_owned()
    }
}

impl Drop for LocalHost {
    fn drop(&mut self) {
        self.inner.stopping.cancel();
    }
}

#[async_trait]
impl SandboxHost for LocalHost {
    fn report(&self) -> SandboxReport {
        SandboxReport {
            backend: SandboxBackend::Local(self.inner.launcher.tier),
            missing: self.inner.missing.clone(),
        }
    }

    async fn open(&self, sprite: SpriteKey) -> Result<Arc<dyn Sandbox>, SandboxError> {
        Ok(self.inner.awake(sprite).await?)
    }

    fn sprite(&self, sprite: SpriteKey) -> Arc<dyn Sprite> {
        Arc::new(LocalComputer {
            inner: Arc::clone(&self.inner),
            key: sprite,
        })
    }

    async fn inspect(&self, sprite: SpriteKey) -> Result<SpriteReport, SandboxError> {
        let (home, ledger) = (self.inner.home(sprite), Arc::clone(&self.inner.ledger));
        let measured = blocking(move || ledger.measure(sprite, &home)).await;
        let slot = self.inner.slots().get(&sprite).cloned();
        // One that is restored right now serves nobody, and that may take long.
        let awake = match &slot {
            Some(slot) => timeout(BRIEFLY, slot.lock()).await.ok(),
            None => None,
        };
        let awake = awake.and_then(|held| held.clone().filter(|sprite| sprite.is_awake()));
        let shells = awake.as_ref().map(|sprite| sprite.shells());
        Ok(SpriteReport {
            // One that cannot be measured, say because it is nested too deep, is there all the same.
            provisioned: !matches!(measured, Ok(None)),
            status: match awake {
                None => SpriteStatus::Cold,
                Some(sprite) if sprite.is_working() => SpriteStatus::Running,
                Some(_) => SpriteStatus::Warm,
            },
            disk_bytes: measured.ok().flatten(),
            disk_limit: Some(self.inner.ledger.quotas().disk_bytes),
            shells: shells.unwrap_or_default(),
        })
    }

    async fn destroy(&self, sprite: SpriteKey) -> Result<(), SandboxError> {
        self.inner.remove(sprite).await
    }

    async fn shutdown(&self) {
        self.inner.stopping.cancel();
        let slots: Vec<_> = self.inner.slots().drain().collect();
        join_all(slots.iter().map(async |(_, slot)| {
            if let Some(sprite) = slot.lock().await.take() {
                sprite.stop().await;
            }
        }))
        .await;
        self.inner.launcher.tasks.close();
        self.inner.launcher.tasks.wait().await;
    }
}

impl Inner {
    pub(crate) fn slots(&self) -> MutexGuard<'_, HashMap<SpriteKey, Arc<Slot>>> {
        self.slots.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn slot(&self, sprite: SpriteKey) -> Arc<Slot> {
        Arc::clone(self.slots().entry(sprite).or_default())
    }

    /// The sprite, woken when needed.
    pub(crate) async fn awake(
        self: &Arc<Self>,
        sprite: SpriteKey,
    ) -> Result<Arc<LocalSprite>, SandboxError> {
        let slot = self.slot(sprite);
        let mut awake = slot.lock().await;
        if let Some(sprite) = awake.as_ref().filter(|sprite| sprite.is_awake()) {
            sprite.touch();
            return Ok(Arc::clone(sprite));
        }
        // One that ended by itself may still be at it, in the same home.
        if let Some(dead) = awake.take() {
            dead.stop().await;
        }
        let place = self.place(sprite).await?;
        let woken = Arc::new(self.wake(sprite, place).await?);
        *awake = Some(Arc::clone(&woken));
        let (ledger, home) = (Arc::clone(&self.ledger), self.home(sprite));
        self.spawn(ledger.watch(sprite, home, Arc::downgrade(&woken)));
        self.spawn(services::start_all(Arc::clone(self), sprite));
        Ok(woken)
    }

    /// Does something beside, until the host stops.
    pub(crate) fn spawn(&self, work: impl Future<Output = ()> + Send + 'static) {
        let stopping = self.stopping.clone();
        let tasks = &self.launcher.tasks;
        tasks.spawn(stopping.run_until_cancelled_owned(work));
    }

    /// What shutdown waits for.
    pub(crate) fn tasks(&self) -> &TaskTracker {
        &self.launcher.tasks
    }

    /// Where the sprite's home is as commands see it.
    pub(crate) fn home_inside(&self, sprite: SpriteKey) -> PathBuf {
        self.launcher.home_inside(&self.home(sprite))
    }

    pub(crate) fn limits(&self) -> &Limits {
        &self.launcher.limits
    }

    /// The sprites that are awake, each with the first of its processes.
    pub(crate) fn running(&self) -> Vec<(SpriteKey, Pid)> {
        let awake = self.places_taken().into_iter();
        let running = awake.filter_map(|(key, slot)| {
            // One that wakes or stops is looked at the next time.
            let root = slot.try_lock().ok()?.as_ref()?.root()?;
            Some((key, root))
        });
        running.collect()
    }

    pub(crate) fn tier(&self) -> SandboxTier {
        self.launcher.tier
    }

    /// The sprite as it is, if it is awake; it neither wakes nor stops while this is held.
    pub(crate) async fn hold(
        &self,
        sprite: SpriteKey,
    ) -> OwnedMutexGuard<Option<Arc<LocalSprite>>> {
        self.slot(sprite).lock_owned().await
    }

    /// Where the sprite's files are.
    pub(crate) fn home(&self, sprite: SpriteKey) -> Home {
        Home::of(&self.root, sprite, self.own_user)
    }

    async fn wake(
        &self,
        sprite: SpriteKey,
        place: OwnedSemaphorePermit,
    ) -> Result<LocalSprite, SandboxError> {
        if self.stopping.is_cancelled() {
            return Err(SandboxError::Unavailable(STOPPED.into()));
        }
        let home = self.home(sprite);
        let (prepared, ledger) = (home.clone(), Arc::clone(&self.ledger));
        blocking(move || {
            if !prepared.folder.exists()
                && let Err(full) = ledger.admit_sprite(sprite)
            {
                return Ok(Err(full));
            }
            prepared.prepare().map(Ok)
        })
        .await??;
        let policy = network::load(&home, self.tier())?;
        let started = self.launcher.start(&home, policy).await?;
        let woken = LocalSprite::new(started, Some(place), self.answer);
        tracing::info!(
            tenant.id = %sprite.tenant_id, agent.id = %sprite.agent_id, tier = %self.launcher.tier,
            "sprite.woken: the sandbox is awake"
        );
        Ok(woken)
    }
}

async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> io::Result<T> + Send + 'static,
) -> Result<T, SandboxError> {
    let failed = |error: io::Error| SandboxError::Unavailable(format!("its home: {error}"));
    tokio::task::spawn_blocking(work)
        .await
        .map_err(|error| failed(error.into()))?
        .map_err(failed)
}
