//! The databases that are measured, each empty and gone afterwards.

use std::path::Path;
use std::sync::Arc;

use anyhow::Result;
use clap::ValueEnum;
use domain::secret::Secret;
use ports::store::Upkeep;
use store_postgres::{PostgresSettings, PostgresStore};
use store_sqlite::{SqliteSettings, SqliteStore};
use tempfile::TempDir;
use test_kit::postgres::Database as Throwaway;
use test_kit::store::{Harness, Made, Parts};

/// Which database.
#[derive(Clone, Copy, ValueEnum)]
pub(crate) enum Kind {
    /// A file.
    Sqlite,
    /// A PostgreSQL server.
    Postgres,
}

/// An empty database for one server.
pub(crate) struct Database(Option<Throwaway>);

impl Kind {
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Sqlite => "SQLite",
            Self::Postgres => "PostgreSQL",
        }
    }

    /// A database for a server whose own default is a file in its data directory.
    pub(crate) async fn database(self) -> Database {
        match self {
            Self::Sqlite => Database(None),
            Self::Postgres => Database(Some(Throwaway::create().await)),
        }
    }

    /// An empty store to work on directly; its file, if it is one, lies on the disk of `out`.
    pub(crate) async fn store(self, out: &Path) -> Result<Harness> {
        let directory = tempfile::tempdir_in(out)?;
        Ok(match self {
            Self::Sqlite => Harness::start(|parts| sqlite(parts, directory)).await,
            Self::Postgres => Harness::start(postgres).await,
        })
    }
}

impl Database {
    /// What the server is told.
    pub(crate) fn url(&self) -> Option<&str> {
        self.0.as_ref().map(Throwaway::url)
    }
}

#[expect(
    clippy::expect_used,
    reason = "without a store there is nothing to measure"
)]
async fn sqlite(parts: Parts, directory: TempDir) -> Made {
    let settings = SqliteSettings::new(directory.path().join("bench.db"));
    let store = SqliteStore::connect(settings, parts.ids, parts.clock, parts.listener)
        .await
        .expect("an SQLite file");
    store.migrate().await.expect("a schema");
    (Arc::new(store), Box::new(directory))
}

#[expect(
    clippy::expect_used,
    reason = "without a store there is nothing to measure"
)]
async fn postgres(parts: Parts) -> Made {
    let database = Throwaway::create().await;
    let settings = PostgresSettings::new(Secret::new(database.url()));
    let store = PostgresStore::connect(settings, parts.ids, parts.clock, parts.listener)
        .await
        .expect("a PostgreSQL database");
    store.migrate().await.expect("a schema");
    (Arc::new(store), Box::new(database))
}
