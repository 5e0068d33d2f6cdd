//! A limit on failures before any signature is looked at: who guesses is soon not heard any more,
//! while a vendor whose calls succeed is never slowed down.

use crate::{problem::ApiError, state::ApiState};
use axum::{
    extract::{ConnectInfo, Request, State},
    middleware::Next,
    response::{IntoResponse as _, Response},
};
use domain::Timestamp;
use std::{
    collections::HashMap,
    net::{IpAddr, Ipv4Addr, SocketAddr},
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

/// Failures a peer may make at once on one path.
const BURST: f64 = 30.0;
/// How many of them are forgiven per second.
const PER_SECOND: f64 = 0.5;
/// How many (peer, path) pairs are remembered; beyond that the oldest half is forgotten.
const REMEMBERED: usize = 10_000;

/// Failures by peer and path.
#[derive(Default)]
pub(crate) struct Failures(Mutex<HashMap<(IpAddr, String), Bucket>>);

#[derive(Clone, Copy)]
struct Bucket {
    failures: f64,
    at: Timestamp,
}

impl Bucket {
    fn now(self, now: Timestamp) -> f64 {
        let seconds = (now - self.at).as_seconds_f64().max(0.0);
        (self.failures - seconds * PER_SECOND).max(0.0)
    }
}

impl Failures {
    fn is_exhausted(&self, key: &(IpAddr, String), now: Timestamp) -> bool {
        let failures = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        failures
            .get(key)
            .is_some_and(|bucket| bucket.now(now) > BURST - 1.0)
    }

    fn count(&self, key: (IpAddr, String), now: Timestamp) {
        let mut failures = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if failures.len() >= REMEMBERED {
            let mut ages: Vec<Timestamp> = failures.values().map(|bucket| bucket.at).collect();
            ages.sort_unstable();
            if let Some(middle) = ages.get(REMEMBERED / 2).copied() {
                failures.retain(|_, bucket| bucket.at > middle);
            }
        }
        let bucket = failures.entry(key).or_insert(Bucket {
            failures: 0.0,
            at: now,
        });
        *bucket = Bucket {
            failures: bucket.now(now) + 1.0,
            at: now,
        };
    }
}

/// Refuses a peer that failed too often on this path.
pub(crate) async fn limit_failures(
    State((state, failures)): State<(ApiState, Arc<Failures>)>,
    request: Request,
    next: Next,
) -> Response {
    let clock = &state.platform.clock;
    let key = (peer(&request), request.uri().path().to_owned());
    if failures.is_exhausted(&key, clock.now()) {
        return ApiError::from(services::Error::LimitReached {
            message: "too many failed calls; wait before the next one".to_owned(),
            retry_after: Some(Duration::from_secs_f64(1.0 / PER_SECOND)),
        })
        .into_response();
    }
    let response = next.run(request).await;
    if response.status().is_client_error() {
        failures.count(key, clock.now());
    }
    response
}

/// Who calls. Behind a proxy on this machine or network that is whom the proxy names last; from
/// anywhere else the header could be anything.
fn peer(request: &Request) -> IpAddr {
    let direct = request
        .extensions()
        .get::<ConnectInfo<SocketAddr>>()
        .map_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED), |info| info.0.ip());
    let is_near = match direct.to_canonical() {
        IpAddr::V4(ip) => ip.is_loopback() || ip.is_private(),
        IpAddr::V6(ip) => ip.is_loopback() || ip.is_unique_local(),
    };
    if !is_near {
        return direct;
    }
    request
        .headers()
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
        let failures = Failures::default();
        let key = (IpAddr::V4(Ipv4Addr::LOCALHOST), "/x".to_owned());
        let mut now = Timestamp::UNIX_EPOCH;
        for _ in 0..30 {
            assert!(!failures.is_exhausted(&key, now));
            failures.count(key.clone(), now);
        }
        assert!(failures.is_exhausted(&key, now));
        now += TimeDelta::seconds(3);
        assert!(!failures.is_exhausted(&key, now));
    }

    #[test]
    fn memory_is_bounded() {
        let failures = Failures::default();
        for n in 0..25_000 {
            let now = Timestamp::UNIX_EPOCH + TimeDelta::seconds(n);
            failures.count((IpAddr::V4(Ipv4Addr::LOCALHOST), n.to_string()), now);
        }
        assert!(failures.0.lock().unwrap().len() <= REMEMBERED);
    }
}
