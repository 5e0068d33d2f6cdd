//! The encryption keys: given, or generated at the first start and kept in the data directory.

use crate::{
    cli::Failure,
    config::{Config, ConfigError},
};
use crypto::{KeyRing, MalformedKey};
use domain::secret::Redactor;
use std::path::PathBuf;

/// Where a generated key is kept.
pub fn key_file(config: &Config) -> PathBuf {
    config.server.data_dir.join("encryption.key")
}

/// The keys of this server: the one that seals, and those that still open during a rotation.
pub(crate) fn key_ring(config: &Config, redactor: &Redactor) -> Result<KeyRing, Failure> {
    let keys = match &config.server.encryption_key {
        Some(key) => vec![key.clone()],
        None => crypto::load_or_create_keys(&key_file(config)).map_err(|error| {
            ConfigError::Invalid {
                name: "ENCRYPTION_KEY",
                problem: error.to_string(),
            }
        })?,
    };
    for key in &keys {
        redactor.learn(key);
    }
    let malformed = |name| {
        move |error: MalformedKey| ConfigError::Invalid {
            name,
            problem: error.to_string(),
        }
    };
    if keys.len() > 1 {
        tracing::warn!(
            "the rotation of the encryption key has not ended; run `nitejar rotate-keys`"
        );
    }
    let ring = KeyRing::of(&keys).map_err(malformed("ENCRYPTION_KEY"))?;
    match &config.server.encryption_key_previous {
        Some(previous) => Ok(ring
            .with_older(previous)
            .map_err(malformed("ENCRYPTION_KEY_PREVIOUS"))?),
        None => Ok(ring),
    }
}
