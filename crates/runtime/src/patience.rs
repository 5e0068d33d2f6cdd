//! How long leases wait for the database. A network that is cut without a word would else hold up claims and
//! signs of life until TCP gives up, which takes a quarter of an hour; what was asked by then is in doubt.

use crate::engine::Engine;
use chrono::TimeDelta;
use domain::{
    Timestamp,
    queue::{HEARTBEAT_EXPIRY, SWEEP_EVERY},
};
use ports::store::StoreError;
use std::time::Duration;

/// How long one answer may take. A sign of life, a sweep, the pause and the next sign of life fit into the
/// life of a lease even when each answer comes at the last moment.
const ANSWER: Duration = Duration::from_secs(2);
const _: () = assert!(3 * ANSWER.as_secs() + SWEEP_EVERY.as_secs() <= HEARTBEAT_EXPIRY.as_secs());

/// For how long a claim that was given up may still be carried out: the database ends transactions that
/// wait longer than this for their client.
const DOUBT: Duration = HEARTBEAT_EXPIRY;

#[derive(Debug, thiserror::Error)]
#[error("the database did not answer within {} seconds; what it was asked may still happen", ANSWER.as_secs())]
struct NoAnswer;

/// Waits for an answer as long as one may take.
pub(crate) async fn within<T>(
    engine: &Engine,
    answer: impl Future<Output = Result<T, StoreError>>,
) -> Result<T, StoreError> {
    tokio::select! {
        // A process that was stopped for a while finds both; the answer counts.
        biased;
        answer = answer => answer,
        () = engine.sleep(ANSWER) => Err(StoreError::Backend(Box::new(NoAnswer))),
    }
}

/// Whether more may be held in the database than is known here, because a claim failed.
#[derive(Default)]
pub(crate) struct Doubt(Option<Timestamp>);

impl Doubt {
    /// Takes note of how a claim went.
    pub(crate) fn note<T, E>(&mut self, claim: &Result<T, E>, now: Timestamp) {
        if claim.is_err() {
            self.0 = now.checked_add_signed(TimeDelta::from_std(DOUBT).unwrap_or_default());
        }
    }

    /// Whether there is any.
    pub(crate) fn is_open(&self, now: Timestamp) -> bool {
        self.0.is_some_and(|until| now < until)
    }
}
