//! A clock that moves only when told, and ids that count.

use async_trait::async_trait;
use chrono::{TimeDelta, TimeZone, Utc};
use domain::Timestamp;
use ports::{clock::Clock, ids::Ids};
use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};
use tokio::sync::watch;
use uuid::Uuid;

/// Time that a test owns. It starts at 2026-01-01T00:00:00Z; sleepers wake when it is advanced past
/// their instant.
#[derive(Clone)]
pub struct FakeClock {
    now: Arc<watch::Sender<Timestamp>>,
}

impl Default for FakeClock {
    fn default() -> Self {
        let start = Utc
            .timestamp_opt(1_767_225_600, 0)
            .single()
            .unwrap_or_default();
        Self {
            now: Arc::new(watch::Sender::new(start)),
        }
    }
}

impl FakeClock {
    /// Moves time forward and wakes whoever slept until then.
    pub fn advance(&self, by: Duration) {
        let by = TimeDelta::from_std(by).unwrap_or(TimeDelta::MAX);
        self.now.send_modify(|now| *now += by);
    }
}

#[async_trait]
impl Clock for FakeClock {
    fn now(&self) -> Timestamp {
        *self.now.borrow()
    }

    async fn sleep(&self, duration: Duration) {
        let until = self.now() + TimeDelta::from_std(duration).unwrap_or(TimeDelta::MAX);
        let mut changes = self.now.subscribe();
        // The sender lives in `self`, so waiting cannot fail while we are here.
        let _woken = changes.wait_for(|now| *now >= until).await;
    }
}

/// Ids in counting order, valid as UUID v7.
#[derive(Default)]
pub struct SeqIds(AtomicU64);

impl Ids for SeqIds {
    fn next(&self) -> Uuid {
        let n = u128::from(self.0.fetch_add(1, Ordering::Relaxed) + 1);
        Uuid::from_u128(0x0190_0000_0000_7000_8000_0000_0000_0000 | n)
    }
}
