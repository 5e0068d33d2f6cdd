//! The real clock and the real source of ids.

use async_trait::async_trait;
use chrono::{SubsecRound, Utc};
use domain::Timestamp;
use ports::{clock::Clock, ids::Ids};
use std::time::Duration;
use uuid::Uuid;

/// The machine's clock.
pub struct SystemClock;

#[async_trait]
impl Clock for SystemClock {
    #[expect(clippy::disallowed_methods, reason = "this is the Clock port")]
    fn now(&self) -> Timestamp {
        Utc::now().trunc_subsecs(6)
    }

    async fn sleep(&self, duration: Duration) {
        tokio::time::sleep(duration).await;
    }
}

/// UUID v7 with the library's process-wide counter, so that later ids are larger.
pub struct SystemIds;

impl Ids for SystemIds {
    #[expect(clippy::disallowed_methods, reason = "this is the Ids port")]
    fn next(&self) -> Uuid {
        Uuid::now_v7()
    }
}
