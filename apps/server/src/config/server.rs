//! Where the server listens, where it keeps its data, and its own secrets.

use super::{ConfigError, Database, Source, database};
use domain::secret::Secret;
use std::{net::IpAddr, path::PathBuf};

/// Listening, data and secrets.
pub struct ServerConfig {
    /// The address to listen on.
    pub host: IpAddr,
    /// The port to listen on.
    pub port: u16,
    /// Database file, generated key, local sprites.
    pub data_dir: PathBuf,
    /// Where everything is stored.
    pub database: Database,
    /// What joins several processes.
    pub redis_url: Option<Secret>,
    /// The master key, when it is not generated.
    pub encryption_key: Option<Secret>,
    /// A key that still opens what was sealed before a rotation.
    pub encryption_key_previous: Option<Secret>,
    /// The passwords inside those URLs, which may be quoted without the rest.
    pub passwords: Vec<Secret>,
    /// The public URL; without it no webhooks are registered.
    pub app_base_url: Option<String>,
    /// A token for the owner, for automation.
    pub admin_token: Option<Secret>,
}

impl ServerConfig {
    pub(super) fn from_source(source: &Source) -> Result<Self, ConfigError> {
        let data_dir = PathBuf::from(source.get("DATA_DIR").unwrap_or("./data"));
        let database = Database::from_source(source, &data_dir)?;
        let redis_url = database::redis_url(source, &database)?;
        let urls = database.url().into_iter().chain(&redis_url);
        Ok(Self {
            passwords: urls.flat_map(database::passwords).collect(),
            redis_url,
            database,
            host: source
                .parse("HOST", "an IP address")?
                .unwrap_or(IpAddr::from([127, 0, 0, 1])),
            port: source.parse("PORT", "a port number")?.unwrap_or(3000),
            data_dir,
            encryption_key: source.get("ENCRYPTION_KEY").map(Secret::new),
            encryption_key_previous: source.get("ENCRYPTION_KEY_PREVIOUS").map(Secret::new),
            app_base_url: base_url(source, "APP_BASE_URL")?,
            admin_token: admin_token(source)?,
        })
    }
}

/// A URL that paths are appended to.
pub(super) fn base_url(source: &Source, name: &'static str) -> Result<Option<String>, ConfigError> {
    let Some(text) = source.get(name) else {
        return Ok(None);
    };
    let wrong = |problem: &str| ConfigError::Invalid {
        name,
        problem: problem.to_owned(),
    };
    let url = reqwest::Url::parse(text)
        .map_err(|_unparsable| wrong("must be a URL such as https://nitejar.example.com"))?;
    if !matches!(url.scheme(), "http" | "https") || url.host_str().is_none() {
        return Err(wrong("must be an http or https URL with a host"));
    }
    if url.query().is_some() || url.fragment().is_some() {
        return Err(wrong("must have neither a query nor a fragment"));
    }
    Ok(Some(text.trim_end_matches('/').to_owned()))
}

fn admin_token(source: &Source) -> Result<Option<Secret>, ConfigError> {
    match source.get("NITEJAR_ADMIN_TOKEN") {
        Some(token) if token.len() < 16 => Err(ConfigError::Invalid {
            name: "NITEJAR_ADMIN_TOKEN",
            problem: "must have at least 16 characters; make one with `openssl rand -hex 32`"
                .to_owned(),
        }),
        token => Ok(token.map(Secret::new)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(values: &[(&'static str, &str)]) -> Result<ServerConfig, String> {
        let source = Source::from_values(values.iter().map(|(k, v)| (*k, (*v).to_owned())));
        ServerConfig::from_source(&source).map_err(|error| error.to_string())
    }

    #[test]
    fn with_nothing_set_it_listens_on_loopback_only() {
        let config = read(&[]).unwrap();
        assert_eq!(
            (config.host.to_string().as_str(), config.port),
            ("127.0.0.1", 3000)
        );
    }

    #[test]
    fn what_does_not_fit_is_named_with_the_way_out() {
        let error = |values: &[(&'static str, &str)]| read(values).err().unwrap();
        assert!(
            error(&[("APP_BASE_URL", "example.com")]).starts_with("APP_BASE_URL: must be a URL")
        );
        assert!(error(&[("PORT", "70000")]).contains("is not a port number"));
        let short = error(&[("NITEJAR_ADMIN_TOKEN", "short-canary")]);
        assert!(short.contains("at least 16") && !short.contains("canary"));
    }
}
