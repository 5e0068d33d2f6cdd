//! Who may be awake: sprites that were left alone go to sleep, and make room for others before that when
//! there is none.

use crate::{
    host::{Inner, Slot},
    sprite::LocalSprite,
};
use domain::sprite::SpriteKey;
use ports::sandbox::SandboxError;
use std::{
    sync::{Arc, Weak},
    time::Duration,
};
use tokio::{
    sync::OwnedSemaphorePermit,
    time::{Instant, timeout},
};

/// Puts sprites to sleep that were left alone for so long, as long as there is a host.
pub(crate) async fn watch(host: Weak<Inner>, idle: Duration) {
    let pause = (idle / 4).max(Duration::from_millis(50));
    loop {
        tokio::time::sleep(pause).await;
        let Some(host) = host.upgrade() else {
            return;
        };
        host.stop_idle().await;
    }
}

impl Inner {
    /// One more place to be awake; somebody may have to make room, or be waited for.
    pub(crate) async fn place(
        &self,
        coming: SpriteKey,
    ) -> Result<OwnedSemaphorePermit, SandboxError> {
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
    /// which may only be thinking, and somebody may come back to a process that nobody watches, so
    /// sprites without come first.
    async fn make_room(&self, coming: SpriteKey) -> bool {
        const THINKING: Duration = Duration::from_mins(1);
        let mut longest = None;
        for (key, slot) in self.places_taken() {
            // One that wakes or stops right now is not idle.
            let Ok(held) = slot.try_lock() else { continue };
            if key == coming || self.services.is_active(key) {
                continue;
            }
            if let Some(sprite) = held.as_ref()
                && let Some(idle) = sprite.idle()
            {
                let free = sprite.shells().is_empty() && !sprite.has_processes();
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

    pub(crate) fn places_taken(&self) -> Vec<(SpriteKey, Arc<Slot>)> {
        let slots = self.slots();
        slots
            .iter()
            .map(|(key, slot)| (*key, Arc::clone(slot)))
            .collect()
    }

    async fn stop_idle(&self) {
        for (key, slot) in self.places_taken() {
            // One that wakes, stops or is restored right now is not idle.
            let Ok(sprite) = slot.try_lock().map(|held| held.clone()) else {
                continue;
            };
            // A shell is a job's; what it holds would be lost. Processes and services are there to
            // run.
            let kept = |sprite: &LocalSprite| {
                let open = !sprite.shells().is_empty() || sprite.has_processes();
                open || self.services.is_active(key)
            };
            if sprite.is_some_and(|sprite| !sprite.is_awake() || !kept(&sprite)) {
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
