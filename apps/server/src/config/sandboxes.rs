//! Where agents' computers are.

use super::{ConfigError, Source, server};
use domain::{secret::Secret, sprite::SandboxTier};
use sprites_local::Quotas;
use std::num::NonZeroU64;

/// The service that is used when no other is named.
const SPRITES_API: &str = "https://api.sprites.dev";

/// Sprites on this machine, or at a service.
pub struct SandboxesConfig {
    /// The weakest tier the server starts with, for sprites on this machine.
    pub min_tier: SandboxTier,
    /// The service, when sprites are not on this machine.
    pub sprites: Option<SpritesConfig>,
    /// What sprites on this machine may take.
    pub quotas: Quotas,
}

/// A service that speaks the Sprites API.
pub struct SpritesConfig {
    /// Its address.
    pub api_url: String,
    /// What opens it.
    pub token: Secret,
}

impl SandboxesConfig {
    pub(super) fn from_source(source: &Source) -> Result<Self, ConfigError> {
        let api_url = server::base_url(source, "SPRITES_API_URL")?;
        let token = source.get("SPRITE_TOKEN").map(Secret::new);
        if api_url.is_some() && token.is_none() {
            return Err(ConfigError::Invalid {
                name: "SPRITE_TOKEN",
                problem: "is needed with SPRITES_API_URL: the token of that service; without both, sprites are on this machine".to_owned(),
            });
        }
        Ok(Self {
            min_tier: source
                .parse("SANDBOX_MIN_TIER", "namespaces, landlock or plain")?
                .unwrap_or(SandboxTier::Landlock),
            quotas: quotas(source)?,
            sprites: token.map(|token| SpritesConfig {
                api_url: api_url.unwrap_or_else(|| SPRITES_API.to_owned()),
                token,
            }),
        })
    }
}

fn quotas(source: &Source) -> Result<Quotas, ConfigError> {
    let usual = Quotas::default();
    let number = |name, usual| -> Result<u64, ConfigError> {
        let given = source.parse::<NonZeroU64>(name, "a number, 1 or more")?;
        Ok(given.map_or(usual, NonZeroU64::get))
    };
    Ok(Quotas {
        disk_bytes: number("SPRITE_DISK_BYTES", usual.disk_bytes)?,
        tenant_disk_bytes: number("SPRITES_DISK_BYTES", usual.tenant_disk_bytes)?,
        memory_bytes: number("SPRITE_MEMORY_BYTES", usual.memory_bytes)?,
        processes: number("SPRITE_PROCESSES", usual.processes)?,
        ..usual
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(values: &[(&'static str, &str)]) -> Result<SandboxesConfig, String> {
        let source = Source::from_values(values.iter().map(|(k, v)| (*k, (*v).to_owned())));
        SandboxesConfig::from_source(&source).map_err(|error| error.to_string())
    }

    #[test]
    fn a_token_moves_sprites_to_the_service() {
        assert!(read(&[]).unwrap().sprites.is_none());
        let vendor = read(&[("SPRITE_TOKEN", "org/1/secret")]).unwrap();
        assert_eq!(vendor.sprites.unwrap().api_url, SPRITES_API);
        let own = [
            ("SPRITE_TOKEN", "t"),
            ("SPRITES_API_URL", "http://10.0.0.5:8090/"),
        ];
        let own = read(&own).unwrap().sprites.unwrap();
        assert_eq!(own.api_url, "http://10.0.0.5:8090");
    }

    #[test]
    fn a_quota_is_a_number_that_is_not_nothing() {
        let set = [("SPRITE_MEMORY_BYTES", "512"), ("SPRITE_PROCESSES", "64")];
        let quotas = read(&set).unwrap().quotas;
        assert_eq!((quotas.memory_bytes, quotas.processes), (512, 64));
        assert_eq!(quotas.disk_bytes, Quotas::default().disk_bytes);
        let error = read(&[("SPRITE_DISK_BYTES", "0")]).err().unwrap();
        assert!(error.starts_with("SPRITE_DISK_BYTES"), "{error}");
    }

    #[test]
    fn an_address_without_a_token_is_refused() {
        let error = read(&[("SPRITES_API_URL", "http://10.0.0.5:8090")]).err();
        assert!(error.unwrap().starts_with("SPRITE_TOKEN: is needed"));
    }
}
