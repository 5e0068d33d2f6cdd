//! Where the server listens, where it keeps its data, and its own secrets.

use super::{ConfigError, Source};
use domain::secret::Secret;
use std::{
    net::IpAddr,
    path::{Path, PathBuf},
};

/// Listening, data and secrets.
pub struct ServerConfig {
    /// The address to listen on.
    pub host: IpAddr,
    /// The port to listen on.
    pub port: u16,
    /// Database file, generated key, local sprites.
    pub data_dir: PathBuf,
    /// The database file.
    pub database: PathBuf,
    /// The master key, when it is not generated.
    pub encryption_key: Option<Secret>,
    /// The public URL; without it no webhooks are registered.
    pub app_base_url: Option<String>,
    /// A token for the owner, for automation.
    pub admin_token: Option<Secret>,
}

impl ServerConfig {
    pub(super) fn from_source(source: &Source) -> Result<Self, ConfigError> {
        let data_dir = PathBuf::from(source.get("DATA_DIR").unwrap_or("./data"));
        Ok(Self {
            host: source
                .parse("HOST", "an IP address")?
                .unwrap_or(IpAddr::from([127, 0, 0, 1])),
            port: source.parse("PORT", "a port number")?.unwrap_or(3000),
            database: database(source, &data_dir)?,
            data_dir,
            encryption_key: source.get("ENCRYPTION_KEY").map(Secret::new),
            app_base_url: base_url(source)?,
            admin_token: admin_token(source)?,
        })
    }
}

fn database(source: &Source, data_dir: &Path) -> Result<PathBuf, ConfigError> {
    match source.get("DATABASE_URL") {
        None => Ok(data_dir.join("nitejar.db")),
        Some(url) => {
            let problem = match url.strip_prefix("sqlite://") {
                Some(path) if path.contains('?') => {
                    "must be sqlite://<path> without a query; remove everything from the `?` on"
                }
                Some(path) if !path.is_empty() => return Ok(PathBuf::from(path)),
                Some(_) | None => "must be sqlite://<path>; this version stores in SQLite only",
            };
            Err(ConfigError::Invalid {
                name: "DATABASE_URL",
                problem: problem.to_owned(),
            })
        }
    }
}

fn base_url(source: &Source) -> Result<Option<String>, ConfigError> {
    let Some(text) = source.get("APP_BASE_URL") else {
        return Ok(None);
    };
    let wrong = |problem: &str| ConfigError::Invalid {
        name: "APP_BASE_URL",
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
        assert_eq!(config.database, Path::new("./data/nitejar.db"));
    }

    #[test]
    fn what_does_not_fit_is_named_with_the_way_out() {
        let error = |values: &[(&'static str, &str)]| read(values).err().unwrap();
        assert!(
            error(&[("DATABASE_URL", "postgres://x")])
                .starts_with("DATABASE_URL: must be sqlite://")
        );
        assert!(error(&[("DATABASE_URL", "sqlite://x.db?mode=ro")]).ends_with("from the `?` on"));
        assert!(
            error(&[("APP_BASE_URL", "example.com")]).starts_with("APP_BASE_URL: must be a URL")
        );
        assert!(error(&[("PORT", "70000")]).contains("is not a port number"));
        let short = error(&[("NITEJAR_ADMIN_TOKEN", "short-canary")]);
        assert!(short.contains("at least 16") && !short.contains("canary"));
    }
}
