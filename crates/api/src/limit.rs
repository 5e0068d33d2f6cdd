//! A limit on failures before any signature is looked at: who guesses is soon not heard any more,
//! while a vendor whose calls succeed is never slowed down.

use crate::{problem::ApiError, state::ApiState};
use axum::{
    extract::{ConnectInfo, Request, State},
    http::{Extensions, HeaderMap},
    middleware::Next,
    response::{IntoResponse as _, Response},
};
use domain::Timestamp;
use services::Error;
use std::{
    collections::HashMap,
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

/// How many keys are remembered; beyond that the oldest half is forgotten.
const REMEMBERED: usize = 10_000;

/// Marks an answer as a failure whose status says something else: a browser that is led elsewhere.
#[derive(Clone, Copy)]
pub(crate) struct Failed;

/// How many failures are forgiven, at once and with time.
#[derive(Clone, Copy)]
struct Patience {
    burst: f64,
    per_second: f64,
}

/// Failures by whom or what they are counted against.
pub(crate) struct Failures {
    patience: Patience,
    buckets: Mutex<HashMap<String, Bucket>>,
}

#[derive(Clone, Copy)]
struct Bucket {
    failures: f64,
    at: Timestamp,
}

impl Failures {
    /// Of a peer on one path.
    pub(crate) fn of_peers() -> Self {
        Self::with(Patience {
            burst: 30.0,
            per_second: 0.5,
        })
    }

    /// Of everybody who tries one account: slow enough that six digits cannot be guessed, and over in a minute for
    /// its owner.
    pub(crate) fn of_accounts() -> Self {
        Self::with(Patience {
            burst: 10.0,
            per_second: 1.0 / 60.0,
        })
    }

    fn with(patience: Patience) -> Self {
        Self {
            patience,
            buckets: Mutex::default(),
        }
    }

    /// Refuses when there were too many.
    fn check(&self, key: &str, now: Timestamp) -> Result<(), Error> {
        let buckets = self.buckets.lock().unwrap_or_else(PoisonError::into_inner);
        self.allowed(buckets.get(key), now).map(drop)
    }

    /// Counts a failure.
    fn count(&self, key: &str, now: Timestamp) {
        let mut buckets = self.buckets.lock().unwrap_or_else(PoisonError::into_inner);
        let failures = buckets.get(key).map_or(0.0, |b| self.level(*b, now));
        put(&mut buckets, key, failures + 1.0, now);
    }

    /// Counts a failure in advance, so that a thousand tries at once are no more than as many in turn; refuses when
    /// there were too many.
    pub(crate) fn begin(&self, key: &str, now: Timestamp) -> Result<(), Error> {
        let mut buckets = self.buckets.lock().unwrap_or_else(PoisonError::into_inner);
        let failures = self.allowed(buckets.get(key), now)?;
        put(&mut buckets, key, failures + 1.0, now);
        Ok(())
    }

    fn allowed(&self, bucket: Option<&Bucket>, now: Timestamp) -> Result<f64, Error> {
        let failures = bucket.map_or(0.0, |bucket| self.level(*bucket, now));
        if failures > self.patience.burst - 1.0 {
            return Err(Error::LimitReached {
                message: "too many failed calls; wait before the next one".to_owned(),
                retry_after: Some(Duration::from_secs_f64(1.0 / self.patience.per_second)),
            });
        }
        Ok(failures)
    }

    /// Takes one back: it did not fail.
    pub(crate) fn forgive(&self, key: &str) {
        let mut buckets = self.buckets.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(bucket) = buckets.get_mut(key) {
            bucket.failures -= 1.0;
            if bucket.failures <= 0.0 {
                buckets.remove(key);
            }
        }
    }

    fn level(&self, bucket: Bucket, now: Timestamp) -> f64 {
        let seconds = (now - bucket.at).as_seconds_f64().max(0.0);
        (bucket.failures - seconds * self.patience.per_second).max(0.0)
    }
}

fn put(buckets: &mut HashMap<String, Bucket>, key: &str, failures: f64, now: Timestamp) {
    if buckets.len() >= REMEMBERED {
        let mut ages: Vec<Timestamp> = buckets.values().map(|bucket| bucket.at).collect();
        ages.sort_unstable();
        if let Some(middle) = ages.get(REMEMBERED / 2).copied() {
            buckets.retain(|_, bucket| bucket.at > middle);
        }
    }
    buckets.insert(key.to_owned(), Bucket { failures, at: now });
}

/// Refuses a peer that failed too often on this path. Counted afterwards: a vendor may deliver any number of good
/// calls at once.
pub(crate) async fn limit_failures(
    State((state, failures)): State<(ApiState, Arc<Failures>)>,
    request: Request,
    next: Next,
) -> Response {
    let peer = network(peer(request.extensions(), request.headers()));
    let key = format!("{peer} {}", request.uri().path());
    if let Err(refused) = failures.check(&key, state.platform.clock.now()) {
        return ApiError::from(refused).into_response();
    }
    let response = next.run(request).await;
    let failed = response.extensions().get::<Failed>().is_some();
    if failed || response.status().is_client_error() {
        failures.count(&key, state.platform.clock.now());
    }
    response
}

/// Whom to count against: who has one IPv6 address has a whole /64 of them.
fn network(peer: IpAddr) -> IpAddr {
    match peer.to_canonical() {
        IpAddr::V6(ip) => {
            let prefix = u128::from(ip) & (u128::MAX << 64);
            IpAddr::V6(Ipv6Addr::from(prefix))
        }
        v4 @ IpAddr::V4(_) => v4,
    }
}

/// Who calls. Behind a proxy on this machine or network that is whom the proxy names last; from
/// anywhere else the header could be anything.
pub(crate) fn peer(extensions: &Extensions, headers: &HeaderMap) -> IpAddr {
    let direct = extensions
        .get::<ConnectInfo<SocketAddr>>()
        .map_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED), |info| info.0.ip());
    let is_near = match direct.to_canonical() {
        IpAddr::V4(ip) => ip.is_loopback() || ip.is_private(),
        IpAddr::V6(ip) => ip.is_loopback() || ip.is_unique_local(),
    };
    if !is_near {
        return direct;
    }
    headers
        .get_all("x-forwarded-for")
        .iter()
        .next_back()
        .and_then(|value| value.to_str().ok())
        .and_then(|value| value.rsplit(',').next())
        .and_then(|last| last.trim().parse().ok())
        .unwrap_or(direct)
}

#[cfg(test)]
mod tests {
    use super::*;
    use chrono::TimeDelta;

    #[test]
    fn failures_add_up_and_are_forgiven_with_time() {
        let failures = Failures::of_peers();
        let mut now = Timestamp::UNIX_EPOCH;
        for _ in 0..30 {
            assert!(failures.check("x", now).is_ok());
            failures.count("x", now);
        }
        assert!(failures.check("x", now).is_err());
        assert!(failures.begin("x", now).is_err());
        assert!(failures.begin("y", now).is_ok());
        now += TimeDelta::seconds(3);
        assert!(failures.begin("x", now).is_ok());
    }

    #[test]
    fn what_did_not_fail_does_not_count() {
        let failures = Failures::of_accounts();
        for _ in 0..1_000 {
            assert!(failures.begin("x", Timestamp::UNIX_EPOCH).is_ok());
            failures.forgive("x");
        }
        assert!(failures.buckets.lock().unwrap().is_empty());
    }

    #[test]
    fn memory_is_bounded() {
        let failures = Failures::of_peers();
        for n in 0..25_000 {
            let now = Timestamp::UNIX_EPOCH + TimeDelta::seconds(n);
            failures.begin(&n.to_string(), now).unwrap();
        }
        assert!(failures.buckets.lock().unwrap().len() <= REMEMBERED);
    }

    #[test]
    fn who_has_one_address_of_a_network_has_them_all() {
        let of = |text: &str| network(text.parse().unwrap());
        assert_eq!(of("2001:db8::1"), of("2001:db8::ffff:1"));
        assert_ne!(of("2001:db8::1"), of("2001:db8:0:1::1"));
        assert_ne!(of("192.0.2.1"), of("192.0.2.2"));
        assert_eq!(of("::ffff:192.0.2.1"), of("192.0.2.1"));
    }
}
