//! Where Redis is and how much of it is used. Read from nowhere: the server fills it in.

use domain::secret::{REDACTED, Secret};
use redis::{Client, ConnectionAddr, IntoConnectionInfo, ProtocolVersion, RedisError};
use thiserror::Error;

/// What the bus needs to know. It has no `Debug`, because the URL may hold a password.
pub struct RedisSettings {
    /// `redis://`, `rediss://` (TLS), `redis+unix://` or `unix://`.
    pub url: Secret,
    /// What the key of the stream begins with; deployments that share a Redis need different ones.
    pub prefix: String,
    /// How many entries the stream keeps, about; each is at most 32 KiB. A process that is further behind hears of
    /// a gap.
    pub max_length: usize,
}

impl RedisSettings {
    /// The usual settings for the Redis at this URL.
    pub fn new(url: Secret) -> Self {
        Self {
            url,
            prefix: "nitejar".to_owned(),
            max_length: 4_096,
        }
    }

    /// A client that has not connected yet.
    pub(crate) fn client(&self) -> Result<Client, RedisBusError> {
        let info = self
            .url
            .expose()
            .into_connection_info()
            .map_err(|error| refused(&error))?;
        if let ConnectionAddr::TcpTls { insecure: true, .. } = info.addr() {
            let cause = "#insecure would accept any certificate";
            return Err(RedisBusError::Url(cause.to_owned()));
        }
        // The other version answers in other shapes, and nothing of it is needed.
        let handshake = info.redis_settings().clone();
        let handshake = handshake.set_protocol(ProtocolVersion::RESP2);
        Client::open(info.set_redis_settings(handshake)).map_err(|error| refused(&error))
    }
}

/// Why there is no bus. That Redis cannot be reached is no reason: the bus keeps trying.
#[derive(Debug, Error)]
pub enum RedisBusError {
    /// The URL names no Redis. The text holds the cause and nothing of the URL.
    #[error(
        "the Redis URL cannot be used: {0}; write redis://[[user]:password@]host[:port][/database], the same \
         with rediss:// for TLS, or redis+unix:///path/of/the/socket"
    )]
    Url(String),
}

/// The cause alone: its detail quotes the URL.
fn refused(error: &RedisError) -> RedisBusError {
    let text = error.to_string();
    let cause = match error.detail() {
        Some(detail) => text.replace(detail, REDACTED),
        None => text,
    };
    RedisBusError::Url(cause)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn client(url: &str) -> Result<Client, RedisBusError> {
        RedisSettings::new(Secret::new(url)).client()
    }

    #[test]
    fn every_scheme_is_understood() {
        for (url, address) in [
            ("redis://user:canary@host:1/2", "host:1"),
            ("rediss://:canary@host", "host:6379"),
            ("redis+unix:///run/redis.sock?db=2", "/run/redis.sock"),
            ("unix:///run/redis.sock?protocol=resp3", "/run/redis.sock"),
        ] {
            let client = client(url).unwrap();
            let info = client.get_connection_info();
            assert_eq!(info.addr().to_string(), address);
            assert_eq!(info.redis_settings().protocol(), ProtocolVersion::RESP2);
        }
    }

    #[test]
    fn a_url_that_cannot_be_used_is_refused_without_its_password() {
        for url in [
            "http://:canary@host",
            "redis://:canary@host/name",
            "redis://:canary@",
            "redis://:canary@host:port",
            "redis://:can/ary@host",
            "redis://:canary@host?protocol=canary",
            "rediss://:canary@host#insecure",
            "canary",
            "",
        ] {
            let error = client(url).unwrap_err();
            let shown = format!("{error} {error:?}");
            assert!(shown.contains("redis+unix://"), "{shown}");
            assert!(!shown.contains("canary"), "{shown}");
        }
    }
}
