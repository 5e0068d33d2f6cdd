//! Time that moves only when the driver says so, and then to the next instant somebody waits for.

use chrono::{TimeDelta, TimeZone, Utc};
use domain::Timestamp;
use std::{
    collections::BTreeMap,
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};
use tokio::sync::oneshot;

/// The one clock of a simulated world.
pub(crate) struct SimClock(Mutex<Timeline>);

struct Timeline {
    start: Timestamp,
    now: Timestamp,
    count: u64,
    sleepers: BTreeMap<(Timestamp, u64), oneshot::Sender<()>>,
}

impl SimClock {
    pub(crate) fn new() -> Self {
        let start = Utc.timestamp_opt(1_767_225_600, 0).unwrap();
        Self(Mutex::new(Timeline {
            start,
            now: start,
            count: 0,
            sleepers: BTreeMap::new(),
        }))
    }

    pub(crate) fn now(&self) -> Timestamp {
        self.line().now
    }

    /// Since the beginning.
    pub(crate) fn elapsed(&self) -> Duration {
        let line = self.line();
        (line.now - line.start).to_std().unwrap_or_default()
    }

    pub(crate) async fn sleep(&self, duration: Duration) {
        let (wake, woken) = oneshot::channel();
        {
            let mut line = self.line();
            line.count += 1;
            let at = line.now + TimeDelta::from_std(duration).unwrap_or(TimeDelta::days(1));
            let key = (at, line.count);
            line.sleepers.insert(key, wake);
        }
        // The sender is dropped only with the clock.
        drop(woken.await);
    }

    /// Goes to the next instant that somebody waits for and wakes who does; false when nobody waits.
    pub(crate) fn advance(&self) -> bool {
        let mut line = self.line();
        line.sleepers.retain(|_, sleeper| !sleeper.is_closed());
        let Some((next, _)) = line.sleepers.first_key_value().map(|(key, _)| *key) else {
            return false;
        };
        line.now = line.now.max(next);
        line.wake();
        true
    }

    /// Time passes while nobody runs: the machine slept, or its clock was set.
    pub(crate) fn jump(&self, by: Duration) {
        let mut line = self.line();
        line.now += TimeDelta::from_std(by).unwrap_or_default();
        line.wake();
    }

    fn line(&self) -> MutexGuard<'_, Timeline> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Timeline {
    fn wake(&mut self) {
        while let Some(first) = self.sleepers.first_entry()
            && first.key().0 <= self.now
        {
            // Who no longer waits needs no call.
            let _gone = first.remove().send(());
        }
    }
}
