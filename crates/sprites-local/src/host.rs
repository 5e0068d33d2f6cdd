//! The sprites of this machine: which are awake, when they wake and when they go back to sleep.

use crate::{
    home::{self, Home},
    launch::Launcher,
    probe,
    settings::{LocalSettings, StartError},
    sprite::LocalSprite,
};
use async_trait::async_trait;
use domain::sprite::{SandboxTier, SpriteKey};
use futures_util::future::join_all;
use ports::sandbox::{Sandbox, SandboxError, SandboxHost, SandboxReport, SpriteReport};
use std::{
    collections::HashMap,
    fs, io,
    path::PathBuf,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};
use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore},
    time::{Instant, timeout},
};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

const STOPPED: &str = "the server is shutting down";

/// Persistent sandboxes on this machine. Dropping it stops the sprites, [`LocalHost::shutdown`]
/// waits for that.
pub struct LocalHost {
    inner: Arc<Inner>,
}

struct Inner {
    root: PathBuf,
    report: SandboxReport,
    launcher: Launcher,
    own_user: bool,
    idle: Duration,
    answer: Duration,
    places: Arc<Semaphore>,
    slots: Mutex<HashMap<SpriteKey, Arc<Slot>>>,
    stopping: CancellationToken,
}

/// One sprite's place; the lock is held while it wakes or stops.
type Slot = tokio::sync::Mutex<Option<Arc<LocalSprite>>>;

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
        let tasks = TaskTracker::new();
        let mut launcher = Launcher {
            tier: SandboxTier::Plain,
            supervisor: settings.supervisor.clone(),
            accounts: home::accounts(&root),
            tasks: tasks.clone(),
        };
        let report = probe::choose(&settings, &root, &launcher, own_user).await?;
        let tier = report.tier;
        launcher.tier = tier;
        let inner = Arc::new(Inner {
            root,
            report,
            launcher,
            own_user: own_user && tier != SandboxTier::Plain,
            idle: settings.idle,
            answer: settings.answer,
            places: Arc::new(Semaphore::new(settings.max_awake.max(1))),
            slots: Mutex::default(),
            stopping: CancellationToken::new(),
        });
        let (watched, stopping) = (Arc::downgrade(&inner), inner.stopping.clone());
        let pause = (settings.idle / 4).max(Duration::from_millis(50));
        tasks.spawn(stopping.run_until_cancelled_owned(async move {
            loop {
                tokio::time::sleep(pause).await;
                let Some(inner) = watched.upgrade() else {
                    return;
                };
                inner.stop_idle().await;
            }
        }));
        Ok(Self { inner })
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
        self.inner.report.clone()
    }

    async fn open(&self, sprite: SpriteKey) -> Result<Arc<dyn Sandbox>, SandboxError> {
        let slot = self.inner.slot(sprite);
        let mut awake = slot.lock().await;
        if let Some(sprite) = awake.as_ref().filter(|sprite| sprite.is_awake()) {
            sprite.touch();
            return Ok(Arc::clone(sprite) as Arc<dyn Sandbox>);
        }
        // One that ended by itself may still be at it, in the same home.
        if let Some(dead) = awake.take() {
            dead.stop().await;
        }
        let place = self.inner.place(sprite).await?;
        let woken = Arc::new(self.inner.wake(sprite, place).await?);
        *awake = Some(Arc::clone(&woken));
        Ok(woken)
    }

    async fn inspect(&self, sprite: SpriteKey) -> Result<SpriteReport, SandboxError> {
        let home = self.inner.home(sprite);
        let disk_bytes = blocking(move || home.disk_bytes()).await?;
        let slot = self.inner.slots().get(&sprite).cloned();
        let awake = match slot {
            Some(slot) => slot.lock().await.clone().filter(|sprite| sprite.is_awake()),
            None => None,
        };
        let shells = awake.as_ref().map(|sprite| sprite.shells());
        Ok(SpriteReport {
            provisioned: disk_bytes.is_some(),
            awake: awake.is_some(),
            disk_bytes: disk_bytes.unwrap_or(0),
            shells: shells.unwrap_or_default(),
        })
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
    fn slots(&self) -> MutexGuard<'_, HashMap<SpriteKey, Arc<Slot>>> {
        self.slots.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn slot(&self, sprite: SpriteKey) -> Arc<Slot> {
        Arc::clone(self.slots().entry(sprite).or_default())
    }

    fn home(&self, sprite: SpriteKey) -> Home {
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
        let prepared = home.clone();
        blocking(move || prepared.prepare()).await?;
        let started = self.launcher.start(&home).await?;
        let woken = LocalSprite::new(started, Some(place), self.answer);
        tracing::info!(
            tenant.id = %sprite.tenant_id, agent.id = %sprite.agent_id, tier = %self.report.tier,
            "sprite.woken: the sandbox is awake"
        );
        Ok(woken)
    }

    /// One more place to be awake; somebody may have to make room, or be waited for.
    async fn place(&self, coming: SpriteKey) -> Result<OwnedSemaphorePermit, SandboxError> {
        const PATIENCE: Duration = Duration::from_mins(1);
        const PAUSE: Duration = Duration::from_millis(100);
        let give_up = Instant::now() + PATIENCE;
        loop {
            if let Ok(place) = Arc::clone(&self.places).try_acquire_owned() {
                return Ok(place);
            }
            if self.make_room(coming).await {
                continue;
            }
            let freed = timeout(PAUSE, Arc::clone(&self.places).acquire_owned()).await;
            if let Ok(Ok(place)) = freed {
                return Ok(place);
            }
            if Instant::now() >= give_up || self.stopping.is_cancelled() {
                let text = "all sandboxes that may be awake at once are busy";
                return Err(SandboxError::Unavailable(text.into()));
            }
        }
    }

    /// Stops the sprite that was left alone longest; false when none can be. A shell is a job's,
    /// which may only be thinking, so sprites without come first.
    async fn make_room(&self, coming: SpriteKey) -> bool {
        const THINKING: Duration = Duration::from_mins(1);
        let mut longest = None;
        for (key, slot) in self.places_taken() {
            // One that wakes or stops right now is not idle.
            let Ok(held) = slot.try_lock() else { continue };
            if key == coming {
                continue;
            }
            if let Some(sprite) = held.as_ref()
                && let Some(idle) = sprite.idle()
            {
                let free = sprite.shells().is_empty();
                let longer = longest.is_none_or(|(than, _)| (free, idle) > than);
                if longer && (free || idle >= THINKING) {
                    longest = Some(((free, idle), key));
                }
            }
        }
        match longest {
            Some((_, key)) => self.stop_if(key, Duration::ZERO).await,
            None => false,
        }
    }

    fn places_taken(&self) -> Vec<(SpriteKey, Arc<Slot>)> {
        let slots = self.slots();
        slots
            .iter()
            .map(|(key, slot)| (*key, Arc::clone(slot)))
            .collect()
    }

    async fn stop_idle(&self) {
        for (key, slot) in self.places_taken() {
            let sprite = slot.lock().await.clone();
            // A shell is a job's; what it holds would be lost.
            if sprite.is_some_and(|sprite| !sprite.is_awake() || sprite.shells().is_empty()) {
                self.stop_if(key, self.idle).await;
            }
        }
    }

    /// Stops a sprite that was left alone for so long; false when it was not.
    async fn stop_if(&self, key: SpriteKey, idle: Duration) -> bool {
        let Some(slot) = self.slots().get(&key).cloned() else {
            return false;
        };
        let mut held = slot.lock().await;
        let left_alone =
            |sprite: &mut Arc<LocalSprite>| sprite.idle().is_some_and(|left| left >= idle);
        let Some(sprite) = held.take_if(left_alone) else {
            return false;
        };
        sprite.stop().await;
        tracing::info!(
            tenant.id = %key.tenant_id, agent.id = %key.agent_id,
            "sprite.slept: the sandbox was idle and is stopped; its files stay"
        );
        true
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
