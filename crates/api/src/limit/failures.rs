//! The failures themselves: counted by a hash of what was tried, forgiven with time, and never more than so many.

use super::Tried;
use domain::Timestamp;
use ports::clock::Clock;
use services::Error;
use std::{
    collections::{HashMap, hash_map::RandomState},
    hash::BuildHasher as _,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

/// How many keys are remembered; beyond that the half with the fewest failures is forgotten.
const REMEMBERED: usize = 10_000;

/// How many failures are forgiven, at once and with time.
#[derive(Clone, Copy)]
struct Patience {
    burst: f64,
    per_second: f64,
}

/// Failures by whom or what they are counted against.
pub(crate) struct Failures {
    patience: Patience,
    clock: Arc<dyn Clock>,
    hasher: RandomState,
    buckets: Mutex<Buckets>,
}

/// By the hash of what was tried: small, whatever that was, and nobody outside can make two of them meet.
type Buckets = HashMap<u64, Bucket>;

#[derive(Clone, Copy)]
struct Bucket {
    failures: f64,
    /// When they were that many.
    at: Timestamp,
    /// Attempts that nobody knows the end of. They count like failures, so that a thousand at once are no more than
    /// as many in turn.
    pending: u32,
}

/// Something that may fail. It has failed unless it is forgiven: who hangs up before the answer has tried as well.
#[must_use]
pub(crate) struct Attempt<'a> {
    failures: &'a Failures,
    key: u64,
    failed: bool,
}

impl Attempt<'_> {
    /// It did not fail.
    pub(crate) fn forgive(mut self) {
        self.failed = false;
    }

    /// Gives the outcome back, and forgives all but a wrong guess.
    pub(crate) fn end<T>(
        self,
        outcome: Result<T, Error>,
        is_wrong: impl FnOnce(&Error) -> bool,
    ) -> Result<T, Error> {
        if !outcome.as_ref().is_err_and(is_wrong) {
            self.forgive();
        }
        outcome
    }
}

impl Drop for Attempt<'_> {
    fn drop(&mut self) {
        self.failures.end(self.key, self.failed);
    }
}

impl Failures {
    /// Of a peer in one place.
    pub(crate) fn of_peers(clock: Arc<dyn Clock>) -> Self {
        let patience = Patience {
            burst: 30.0,
            per_second: 0.5,
        };
        Self::with(patience, clock)
    }

    /// Of everybody who tries one account: slow enough that six digits cannot be guessed, and over in a minute for
    /// its owner.
    pub(crate) fn of_accounts(clock: Arc<dyn Clock>) -> Self {
        let patience = Patience {
            burst: 10.0,
            per_second: 1.0 / 60.0,
        };
        Self::with(patience, clock)
    }

    fn with(patience: Patience, clock: Arc<dyn Clock>) -> Self {
        Self {
            patience,
            clock,
            hasher: RandomState::new(),
            buckets: Mutex::default(),
        }
    }

    /// Begins an attempt; refuses when there were too many.
    pub(crate) fn begin(&self, tried: &Tried<'_>) -> Result<Attempt<'_>, Error> {
        let (key, now) = (self.hasher.hash_one(tried), self.clock.now());
        let mut buckets = self.lock();
        self.allow(buckets.get(&key), now)?;
        self.bucket(&mut buckets, key, now).pending += 1;
        Ok(Attempt {
            failures: self,
            key,
            failed: true,
        })
    }

    /// Refuses when there were too many.
    pub(super) fn check(&self, tried: &Tried<'_>) -> Result<(), Error> {
        let bucket = self.lock().get(&self.hasher.hash_one(tried)).copied();
        self.allow(bucket.as_ref(), self.clock.now())
    }

    /// Counts a failure.
    pub(super) fn count(&self, tried: &Tried<'_>) {
        let key = self.hasher.hash_one(tried);
        self.add(&mut self.lock(), key, self.clock.now());
    }

    fn end(&self, key: u64, failed: bool) {
        let now = self.clock.now();
        let mut buckets = self.lock();
        if let Some(bucket) = buckets.get_mut(&key) {
            bucket.pending = bucket.pending.saturating_sub(1);
            if self.level(bucket, now) <= 0.0 {
                buckets.remove(&key);
            }
        }
        if failed {
            self.add(&mut buckets, key, now);
        }
    }

    fn allow(&self, bucket: Option<&Bucket>, now: Timestamp) -> Result<(), Error> {
        let level = bucket.map_or(0.0, |bucket| self.level(bucket, now));
        if level > self.patience.burst - 1.0 {
            return Err(Error::LimitReached {
                message: "too many failed calls; wait before the next one".to_owned(),
                retry_after: Some(Duration::from_secs_f64(1.0 / self.patience.per_second)),
            });
        }
        Ok(())
    }

    fn add(&self, buckets: &mut Buckets, key: u64, now: Timestamp) {
        let bucket = self.bucket(buckets, key, now);
        bucket.failures = self.left(bucket, now) + 1.0;
        bucket.at = now;
    }

    /// The bucket with this key, an empty one where there is none.
    fn bucket<'b>(&self, buckets: &'b mut Buckets, key: u64, now: Timestamp) -> &'b mut Bucket {
        if buckets.len() >= REMEMBERED && !buckets.contains_key(&key) {
            self.make_room(buckets, now);
        }
        buckets.entry(key).or_insert(Bucket {
            failures: 0.0,
            at: now,
            pending: 0,
        })
    }

    /// Forgets what counts least: to have one full bucket forgotten, somebody would have to fill thousands.
    fn make_room(&self, buckets: &mut Buckets, now: Timestamp) {
        let mut levels: Vec<f64> = buckets.values().map(|b| self.level(b, now)).collect();
        levels.sort_unstable_by(f64::total_cmp);
        let middle = levels.get(REMEMBERED / 2).copied().unwrap_or_default();
        buckets.retain(|_, bucket| self.level(bucket, now) > middle);
    }

    /// How many failures count now.
    fn level(&self, bucket: &Bucket, now: Timestamp) -> f64 {
        self.left(bucket, now) + f64::from(bucket.pending)
    }

    /// What time has left of the failures.
    fn left(&self, bucket: &Bucket, now: Timestamp) -> f64 {
        let seconds = (now - bucket.at).as_seconds_f64().max(0.0);
        (bucket.failures - seconds * self.patience.per_second).max(0.0)
    }

    fn lock(&self) -> MutexGuard<'_, Buckets> {
        self.buckets.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use test_kit::fakes::FakeClock;

    fn peers() -> (Failures, FakeClock) {
        let clock = FakeClock::default();
        (Failures::of_peers(Arc::new(clock.clone())), clock)
    }

    fn accounts() -> (Failures, FakeClock) {
        let clock = FakeClock::default();
        (Failures::of_accounts(Arc::new(clock.clone())), clock)
    }

    fn fail(failures: &Failures, tried: &Tried<'_>) {
        drop(failures.begin(tried).unwrap());
    }

    #[test]
    fn failures_add_up_and_are_forgiven_with_time() {
        let (failures, clock) = peers();
        let (x, y) = (Tried::address("x"), Tried::address("y"));
        for _ in 0..30 {
            assert!(failures.check(&x).is_ok());
            failures.count(&x);
        }
        assert!(failures.check(&x).is_err());
        assert!(failures.begin(&x).is_err());
        assert!(failures.begin(&y).is_ok());
        clock.advance(Duration::from_secs(3));
        assert!(failures.begin(&x).is_ok());
    }

    #[test]
    fn what_did_not_fail_does_not_count() {
        let (failures, clock) = accounts();
        let x = Tried::address("x");
        for _ in 0..1_000 {
            failures.begin(&x).unwrap().forgive();
        }
        assert!(failures.lock().is_empty());
        // Nor does it make up for what failed meanwhile.
        let long = failures.begin(&x).unwrap();
        (0..9).for_each(|_| fail(&failures, &x));
        clock.advance(Duration::from_secs(30));
        long.forgive();
        fail(&failures, &x);
        assert!(failures.begin(&x).is_err());
    }

    #[test]
    fn many_at_once_are_no_more_than_as_many_in_turn() {
        let (failures, clock) = accounts();
        let x = Tried::address("x");
        let begun: Vec<_> = (0..10).map(|_| failures.begin(&x).unwrap()).collect();
        clock.advance(Duration::from_hours(1));
        assert!(failures.begin(&x).is_err());
        drop(begun);
        assert!(failures.begin(&x).is_err());
        clock.advance(Duration::from_mins(1));
        assert!(failures.begin(&x).is_ok());
    }

    #[test]
    fn memory_is_bounded_and_what_counts_most_stays() {
        let (failures, clock) = accounts();
        let victim = Tried::address("ada@example.com");
        (0..10).for_each(|_| fail(&failures, &victim));
        for n in 0..25_000 {
            clock.advance(Duration::from_micros(1));
            fail(&failures, &Tried::Link(&n.to_string()));
        }
        assert!(failures.lock().len() <= REMEMBERED);
        assert!(failures.begin(&victim).is_err());
    }

    #[test]
    fn an_address_is_one_however_it_is_written_and_too_long_ones_are_nobodys() {
        let (failures, _) = accounts();
        fail(&failures, &Tried::address(" ADA@example.com"));
        fail(&failures, &Tried::address("ada@example.com "));
        assert_eq!(failures.lock().len(), 1);
        for n in 0..8 {
            fail(
                &failures,
                &Tried::address(&format!("{n}{}", "x".repeat(1_000_000))),
            );
        }
        assert_eq!(failures.lock().len(), 2);
    }
}
