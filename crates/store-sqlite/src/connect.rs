//! How the file is opened: one connection that writes, several that cannot.

use crate::{error::OpenError, filesystem};
use sea_orm::{
    DatabaseConnection, SqlxSqliteConnector,
    sqlx::{
        ConnectOptions,
        sqlite::{
            SqliteAutoVacuum, SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions,
            SqliteSynchronous,
        },
    },
};
use std::{
    path::{Path, PathBuf},
    time::Duration,
};

/// How to reach the database.
#[derive(Clone, Debug)]
pub struct SqliteSettings {
    /// The file; made, readable by its owner alone, when it is missing.
    pub path: PathBuf,
    /// Connections that read, at most. Each costs a thread and up to 2 MiB of page cache while it is
    /// open, and is closed when nobody needs it.
    pub readers: u32,
}

impl SqliteSettings {
    /// The usual number of readers on this file.
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self {
            path: path.into(),
            readers: 4,
        }
    }
}

/// How long a connection waits for the lock of another process (a backup, a second server).
const BUSY: Duration = Duration::from_secs(5);
/// How long an unused reader is kept.
const IDLE: Duration = Duration::from_mins(1);

/// Makes sure that the file can be written, and that nobody but its owner can read it when it is new. Whether it
/// is empty still.
pub(crate) async fn prepare(path: &Path) -> Result<bool, OpenError> {
    filesystem::refuse_network(path)?;
    let mut options = tokio::fs::OpenOptions::new();
    options.append(true).create(true);
    #[cfg(unix)]
    options.mode(0o600);
    let unwritable = |source| OpenError::NotWritable {
        path: path.to_owned(),
        source,
    };
    let file = options.open(path).await.map_err(unwritable)?;
    let found = file.metadata().await.map_err(unwritable)?;
    Ok(found.len() == 0)
}

/// The one connection that writes. It is never replaced, because what it was last told about syncing
/// would be lost with it.
pub(crate) async fn writer(path: &Path, is_empty: bool) -> Result<DatabaseConnection, OpenError> {
    let mut options = common(path)
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(SqliteSynchronous::Full);
    if is_empty {
        // Only before the first table; later, saying it again would be a write at every start.
        options = options.auto_vacuum(SqliteAutoVacuum::Incremental);
    }
    let pool = SqlitePoolOptions::new()
        .max_connections(1)
        .idle_timeout(None)
        .max_lifetime(None)
        .test_before_acquire(false)
        .connect_with(options)
        .await
        .map_err(|source| OpenError::NotOpened {
            path: path.to_owned(),
            source,
        })?;
    Ok(SqlxSqliteConnector::from_sqlx_sqlite_pool(pool))
}

/// The connections that read; opened when they are first needed, so that starting stays fast.
pub(crate) fn readers(path: &Path, most: u32) -> DatabaseConnection {
    let options = common(path).pragma("query_only", "ON");
    let pool = SqlitePoolOptions::new()
        .max_connections(most.max(1))
        .idle_timeout(IDLE)
        .max_lifetime(None)
        .test_before_acquire(false)
        .connect_lazy_with(options);
    SqlxSqliteConnector::from_sqlx_sqlite_pool(pool)
}

/// A connection of its own to a file that is there.
pub(crate) fn existing(path: &Path) -> SqliteConnectOptions {
    SqliteConnectOptions::new()
        .filename(path)
        .create_if_missing(false)
        .busy_timeout(BUSY)
        .disable_statement_logging()
}

fn common(path: &Path) -> SqliteConnectOptions {
    SqliteConnectOptions::new()
        .filename(path)
        .busy_timeout(BUSY)
        .foreign_keys(true)
        // Kibibytes, when negative.
        .pragma("cache_size", "-2048")
        .pragma("mmap_size", "0")
        .statement_cache_capacity(200)
        .disable_statement_logging()
}
