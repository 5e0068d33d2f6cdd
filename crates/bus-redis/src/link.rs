//! One direction of the bus: how it connects, whether it works as far as is known, and when it tries again.
//! It tells a person once that it is lost and once that it is back, and never a password.

use domain::secret::REDACTED;
use redis::{
    AsyncConnectionConfig, Client, ConnectionInfo, RedisError, RedisResult,
    aio::MultiplexedConnection,
};
use std::{
    sync::atomic::{AtomicBool, AtomicU32, Ordering},
    time::Duration,
};

/// How long Redis may take to answer; later it counts as gone.
pub(crate) const ANSWER: Duration = Duration::from_secs(2);
/// The pause after the first failure; it doubles with every further one.
const SHORTEST: Duration = Duration::from_millis(50);
/// The longest pause.
const LONGEST: Duration = Duration::from_secs(2);

/// One direction.
pub(crate) struct Link {
    client: Client,
    config: AsyncConnectionConfig,
    direction: &'static str,
    up: AtomicBool,
    /// Failures in a row.
    failures: AtomicU32,
}

impl Link {
    /// A link that is not connected. `wait` is how long a command may keep Redis on purpose.
    pub(crate) fn new(client: Client, direction: &'static str, wait: Duration) -> Self {
        let config = AsyncConnectionConfig::new()
            .set_connection_timeout(Some(ANSWER))
            .set_response_timeout(Some(ANSWER + wait));
        Self {
            client,
            config,
            direction,
            up: AtomicBool::new(false),
            failures: AtomicU32::new(0),
        }
    }

    /// A fresh connection; the old one is never trusted again after an error.
    pub(crate) async fn connect(&self) -> RedisResult<MultiplexedConnection> {
        self.client
            .get_multiplexed_async_connection_with_config(&self.config)
            .await
    }

    /// Whether the last command got its answer.
    pub(crate) fn is_up(&self) -> bool {
        self.up.load(Ordering::Acquire)
    }

    /// A command got its answer.
    pub(crate) fn works(&self) {
        self.up.store(true, Ordering::Release);
        if self.failures.swap(0, Ordering::Relaxed) > 0 {
            tracing::info!(
                redis.address = %self.info().addr(),
                bus.direction = self.direction,
                "Redis carries news between the processes again"
            );
        }
    }

    /// A command failed; the answer is how long to wait before the next attempt.
    pub(crate) fn lost(&self, error: &RedisError) -> Duration {
        self.up.store(false, Ordering::Release);
        let failures = self.failures.fetch_add(1, Ordering::Relaxed);
        if failures == 0 {
            tracing::warn!(
                redis.address = %self.info().addr(),
                bus.direction = self.direction,
                error = self.text(error),
                "Redis carries no news between the processes; they go on through the database, and the \
                 connection is tried again until it works"
            );
        }
        SHORTEST.saturating_mul(1 << failures.min(16)).min(LONGEST)
    }

    /// Nobody uses it any more.
    pub(crate) fn close(&self) {
        self.up.store(false, Ordering::Release);
    }

    /// What went wrong. Some servers quote the whole command they do not know, which may be the one with
    /// the password.
    fn text(&self, error: &RedisError) -> String {
        let text = error.to_string();
        match self.info().redis_settings().password() {
            Some(password) if !password.is_empty() => text.replace(password, REDACTED),
            Some(_) | None => text,
        }
    }

    fn info(&self) -> &ConnectionInfo {
        self.client.get_connection_info()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use redis::ErrorKind;

    fn link() -> Link {
        let client = Client::open("redis://:canary@host").unwrap();
        Link::new(client, "outgoing", Duration::ZERO)
    }

    fn error() -> RedisError {
        let quoted = "unknown command 'HELLO', with args beginning with: 'canary'";
        RedisError::from((ErrorKind::Client, "refused", quoted.to_owned()))
    }

    #[test]
    fn a_server_that_quotes_the_password_is_not_quoted() {
        let text = link().text(&error());
        assert!(text.contains("HELLO"), "{text}");
        assert!(!text.contains("canary"), "{text}");
    }

    #[test]
    fn pauses_grow_to_a_limit_until_it_works() {
        let link = link();
        let pauses: Vec<_> = (0..40).map(|_| link.lost(&error())).collect();
        assert_eq!(pauses[0], SHORTEST);
        assert!(pauses.windows(2).all(|pair| pair[0] <= pair[1]));
        assert_eq!(pauses[39], LONGEST);
        assert!(!link.is_up());
        link.works();
        assert!(link.is_up());
        assert_eq!(link.lost(&error()), SHORTEST);
        assert!(!link.is_up());
    }
}
