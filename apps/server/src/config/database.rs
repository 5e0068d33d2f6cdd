//! Where everything is stored, and what tells several processes of each other.

use super::{ConfigError, Source};
use domain::secret::Secret;
use std::{
    fmt,
    path::{Path, PathBuf},
};

/// The database.
#[derive(Clone)]
pub enum Database {
    /// One file, for one process.
    Sqlite(PathBuf),
    /// A PostgreSQL database, for any number of processes. The URL holds a password.
    Postgres(Secret),
}

impl Database {
    pub(super) fn from_source(source: &Source, data_dir: &Path) -> Result<Self, ConfigError> {
        let Some(url) = source.get("DATABASE_URL") else {
            return Ok(Self::Sqlite(data_dir.join("nitejar.db")));
        };
        if let Some(path) = url.strip_prefix("sqlite://") {
            if path.contains('?') {
                return Err(wrong(
                    "must be sqlite://<path> without a query; remove everything from the `?` on",
                ));
            }
            if !path.is_empty() {
                return Ok(Self::Sqlite(PathBuf::from(path)));
            }
        }
        let is_postgres = url.starts_with("postgres://") || url.starts_with("postgresql://");
        if !is_postgres || reqwest::Url::parse(url).is_err() {
            return Err(wrong(
                "must be sqlite://<path> or postgres://<user>:<password>@<host>/<database>",
            ));
        }
        Ok(Self::Postgres(Secret::new(url)))
    }

    /// The URL, where it may hold a password.
    pub const fn url(&self) -> Option<&Secret> {
        match self {
            Self::Sqlite(_) => None,
            Self::Postgres(url) => Some(url),
        }
    }

    /// Whether several processes may work on it at the same time.
    pub const fn is_shared(&self) -> bool {
        match self {
            Self::Sqlite(_) => false,
            Self::Postgres(_) => true,
        }
    }
}

impl fmt::Display for Database {
    /// Names it without its credentials.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Sqlite(path) => path.display().fmt(f),
            Self::Postgres(url) => {
                let url = reqwest::Url::parse(url.expose());
                let (host, name) = url.as_ref().map_or(("", ""), |url| {
                    (url.host_str().unwrap_or_default(), url.path())
                });
                write!(f, "postgres://{host}{name}")
            }
        }
    }
}

/// The Redis that joins several processes; it makes no sense without a database they share.
pub(super) fn redis_url(
    source: &Source,
    database: &Database,
) -> Result<Option<Secret>, ConfigError> {
    let Some(url) = source.get("REDIS_URL") else {
        return Ok(None);
    };
    let problem = if !database.is_shared() {
        "joins processes that share a database; set DATABASE_URL to a postgres:// URL, or unset REDIS_URL"
    } else if reqwest::Url::parse(url).is_err() {
        "must be a URL such as redis://localhost:6379 or rediss://<user>:<password>@<host>"
    } else {
        return Ok(Some(Secret::new(url)));
    };
    Err(ConfigError::Invalid {
        name: "REDIS_URL",
        problem: problem.to_owned(),
    })
}

/// The passwords inside a URL, wherever they stand in it.
pub(super) fn passwords(url: &Secret) -> Vec<Secret> {
    let Ok(url) = reqwest::Url::parse(url.expose()) else {
        return Vec::new();
    };
    let query = url.query_pairs().filter(|(name, _)| name == "password");
    let query = query.map(|(_, password)| Secret::new(password));
    query.chain(url.password().map(Secret::new)).collect()
}

fn wrong(problem: &str) -> ConfigError {
    ConfigError::Invalid {
        name: "DATABASE_URL",
        problem: problem.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(values: &[(&'static str, &str)]) -> Result<String, String> {
        let source = Source::from_values(values.iter().map(|(k, v)| (*k, (*v).to_owned())));
        let database = Database::from_source(&source, Path::new("./data"));
        let database = database.map_err(|error| error.to_string())?;
        redis_url(&source, &database).map_err(|error| error.to_string())?;
        Ok(database.to_string())
    }

    #[test]
    fn a_file_or_a_postgres_database_is_named_without_its_password() {
        assert_eq!(read(&[]), Ok("./data/nitejar.db".to_owned()));
        let url = [("DATABASE_URL", "postgres://ada:canary@db.example/jar")];
        assert_eq!(read(&url), Ok("postgres://db.example/jar".to_owned()));
    }

    #[test]
    fn what_does_not_fit_is_named_with_the_way_out() {
        let error = |values: &[(&'static str, &str)]| read(values).err().unwrap();
        assert!(
            error(&[("DATABASE_URL", "mysql://x")]).starts_with("DATABASE_URL: must be sqlite://")
        );
        assert!(error(&[("DATABASE_URL", "sqlite://x.db?mode=ro")]).ends_with("from the `?` on"));
        assert!(error(&[("REDIS_URL", "redis://x")]).contains("set DATABASE_URL to a postgres://"));
    }
}
