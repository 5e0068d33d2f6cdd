//! A clock that moves only when told, ids that count, and an issuer that vouches for whom it is told to.

use async_trait::async_trait;
use chrono::{TimeDelta, TimeZone, Utc};
use domain::{Timestamp, secret::Secret};
use ports::{
    clock::Clock,
    ids::Ids,
    sso::{Attempt, IdentityProvider, Registration, SsoError, Vouched},
};
use std::{
    sync::{
        Arc, Mutex, PoisonError,
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

/// Vouches for whoever is named, and for nobody before that. Proves nothing: what is proof is the adapter's business.
#[derive(Default)]
pub struct FakeIssuer {
    vouched: Mutex<Option<Vouched>>,
}

impl FakeIssuer {
    /// The `state` of every login.
    pub const STATE: &str = "a-state";

    /// Vouches for somebody from now on.
    pub fn vouch(&self, vouched: Vouched) {
        *self.vouched.lock().unwrap_or_else(PoisonError::into_inner) = Some(vouched);
    }
}

#[async_trait]
impl IdentityProvider for FakeIssuer {
    async fn discover(&self, _issuer: &str) -> Result<(), SsoError> {
        Ok(())
    }

    async fn begin(&self, registration: &Registration) -> Result<(String, Attempt), SsoError> {
        let attempt = Attempt {
            state: Secret::new(Self::STATE),
            nonce: Secret::new("a-nonce"),
            verifier: Secret::new("a-verifier"),
        };
        Ok((format!("{}/authorize", registration.issuer), attempt))
    }

    async fn finish(
        &self,
        _registration: &Registration,
        _attempt: &Attempt,
        _code: &Secret,
    ) -> Result<Vouched, SsoError> {
        let vouched = self.vouched.lock().unwrap_or_else(PoisonError::into_inner);
        let nobody = || SsoError::Refused("nobody is known".to_owned());
        vouched.clone().ok_or_else(nobody)
    }
}
