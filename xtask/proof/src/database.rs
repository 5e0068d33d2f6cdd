//! Fresh databases for cases: a migrated template that is copied, on SQLite as a directory, on Postgres
//! by the server itself. It creates and drops; it never changes what a case has written.

use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use clap::ValueEnum;
use sea_orm::{ConnectOptions, ConnectionTrait, Database, DatabaseConnection};

use crate::server::Launch;

const FILE: &str = "nitejar.db";
/// One key for all, as the template is sealed with it; a made-up one, for data that is thrown away.
const KEY: &str = "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff";

/// Which database.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Kind {
    /// One file.
    Sqlite,
    /// A server.
    Postgres,
}

impl Kind {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Sqlite => "sqlite",
            Self::Postgres => "postgres",
        }
    }
}

/// Where fresh databases come from.
pub(crate) struct Databases {
    /// The Postgres server's own database.
    admin: Option<(String, DatabaseConnection)>,
    template: PathBuf,
    template_name: String,
}

/// One case's database.
pub(crate) struct Fresh {
    /// What the server gets as its environment.
    pub(crate) env: Vec<(String, String)>,
    url: String,
    name: String,
}

impl Databases {
    /// Makes the template by letting the binary migrate an empty database.
    pub(crate) async fn prepare(
        kind: Kind,
        postgres: Option<&str>,
        binary: &Path,
        out: &Path,
    ) -> Result<Self> {
        let template = out.join("template");
        std::fs::create_dir_all(&template)?;
        let template_name = format!("proof_{}_template", std::process::id());
        let admin = match kind {
            Kind::Sqlite => None,
            Kind::Postgres => {
                let url = postgres
                    .context("--postgres-url is needed for --db postgres")?
                    .to_owned();
                let connection = connect(&url).await?;
                connection
                    .execute_unprepared(&format!("CREATE DATABASE {template_name}"))
                    .await?;
                Some((url, connection))
            }
        };
        let databases = Self {
            admin,
            template,
            template_name,
        };
        let env = databases.env(&databases.template_name)?;
        let (data, log) = (databases.template.clone(), out.join("template.log"));
        let launch = Launch {
            binary: binary.to_owned(),
            data,
            log,
            port: 0,
            env,
        };
        launch.run("migrate").await?;
        Ok(databases)
    }

    /// A copy of the template; `data` is the server's directory and must not exist yet.
    pub(crate) async fn fresh(&self, name: &str, data: &Path) -> Result<Fresh> {
        self.copy(data)?;
        let name = format!(
            "proof_{}_{}",
            std::process::id(),
            name.to_ascii_lowercase()
                .replace(|c: char| !c.is_ascii_alphanumeric(), "_")
        );
        let url = match &self.admin {
            None => format!("sqlite://{}?mode=rw", data.join(FILE).display()),
            Some((url, admin)) => {
                admin
                    .execute_unprepared(&format!(
                        "CREATE DATABASE {name} TEMPLATE {}",
                        self.template_name
                    ))
                    .await?;
                named(url, &name)?
            }
        };
        Ok(Fresh {
            env: self.env(&name)?,
            url,
            name,
        })
    }

    /// A server's directory as the template's; it must not exist yet.
    pub(crate) fn copy(&self, data: &Path) -> Result<()> {
        let copied = std::process::Command::new("cp")
            .arg("-a")
            .arg(&self.template)
            .arg(data)
            .status()?;
        ensure!(copied.success(), "cannot copy {}", self.template.display());
        Ok(())
    }

    /// Gives a Postgres database back; a SQLite file goes with its directory.
    pub(crate) async fn drop(&self, fresh: &Fresh) -> Result<()> {
        if let Some((_, admin)) = &self.admin {
            admin
                .execute_unprepared(&format!(
                    "DROP DATABASE IF EXISTS {} WITH (FORCE)",
                    fresh.name
                ))
                .await?;
        }
        Ok(())
    }

    fn env(&self, name: &str) -> Result<Vec<(String, String)>> {
        let mut env = vec![("ENCRYPTION_KEY".to_owned(), KEY.to_owned())];
        if let Some((url, _)) = &self.admin {
            env.push(("DATABASE_URL".to_owned(), named(url, name)?));
        }
        Ok(env)
    }

    /// Removes the template.
    pub(crate) async fn finish(&self) -> Result<()> {
        if let Some((_, admin)) = &self.admin {
            admin
                .execute_unprepared(&format!(
                    "DROP DATABASE {} WITH (FORCE)",
                    self.template_name
                ))
                .await?;
        }
        Ok(())
    }
}

impl Fresh {
    /// A connection that looks at the database while the server works on it.
    pub(crate) async fn watch(&self) -> Result<DatabaseConnection> {
        connect(&self.url).await
    }
}

/// The same server, another database.
fn named(url: &str, name: &str) -> Result<String> {
    let (address, query) = url.split_once('?').unwrap_or((url, ""));
    let (server, _) = address
        .rsplit_once('/')
        .with_context(|| format!("{url} names no database"))?;
    let query = if query.is_empty() {
        String::new()
    } else {
        format!("?{query}")
    };
    Ok(format!("{server}/{name}{query}"))
}

async fn connect(url: &str) -> Result<DatabaseConnection> {
    let mut options = ConnectOptions::new(url);
    options
        .max_connections(4)
        .sqlx_logging(false)
        .acquire_timeout(Duration::from_secs(20));
    Database::connect(options)
        .await
        .with_context(|| format!("cannot connect to {url}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn another_database_of_the_same_server_keeps_how_it_is_reached() {
        let url = "postgres://postgres@localhost/postgres?host=/tmp/x";
        assert_eq!(
            named(url, "a").unwrap(),
            "postgres://postgres@localhost/a?host=/tmp/x"
        );
        assert_eq!(
            named("postgres://u@h:1/x", "b").unwrap(),
            "postgres://u@h:1/b"
        );
    }
}
