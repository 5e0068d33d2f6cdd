//! Time as a capability, so that tests can own it.

use async_trait::async_trait;
use domain::Timestamp;
use std::time::Duration;

/// Tells the time and waits for it.
#[cfg_attr(feature = "mock", mockall::automock)]
#[async_trait]
pub trait Clock: Send + Sync {
    /// Now, cut to the microsecond (see [`Timestamp`]).
    fn now(&self) -> Timestamp;

    /// Returns once `duration` has passed on this clock.
    async fn sleep(&self, duration: Duration);
}
