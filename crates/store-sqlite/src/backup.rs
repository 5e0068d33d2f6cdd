//! Copies of a database file, made by SQLite itself while others write, and the look at one before it is put
//! in place. Nothing here copies a file that is in use.

use crate::connect;
use sea_orm::sqlx::{self, ConnectOptions, Connection, SqliteConnection};
use std::{
    fs::File,
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
};

/// Why a copy could not be made or is of no use.
#[derive(Debug, thiserror::Error)]
pub enum BackupError {
    /// A path that SQLite cannot be given.
    #[error("{} is not valid UTF-8; choose another place", .0.display())]
    NotUnicode(PathBuf),
    /// A file cannot be made or made durable.
    #[error("{} cannot be written", path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: std::io::Error,
    },
    /// SQLite did not do it.
    #[error("{} cannot be read as a database", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// What SQLite said.
        #[source]
        source: sqlx::Error,
    },
    /// SQLite finds the file damaged.
    #[error("{} is damaged: {found}", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// The first thing SQLite found.
        found: String,
    },
}

/// The schema of a database file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Schema {
    /// The newest step of its history.
    pub version: String,
    /// Whether this build knows its whole history. If not, a newer build made it.
    pub is_known: bool,
}

/// Copies a database as it stands at this instant to a file that does not exist yet, readable by its owner
/// alone and safe from power loss when this returns. Others may read and write meanwhile.
pub async fn back_up(database: &Path, copy: &Path) -> Result<Schema, BackupError> {
    let target = copy
        .to_str()
        .ok_or_else(|| BackupError::NotUnicode(copy.to_owned()))?;
    let failed = |source| BackupError::Read {
        path: database.to_owned(),
        source,
    };
    let unwritable = |source| BackupError::Write {
        path: copy.to_owned(),
        source,
    };
    let mut db = connect::existing(database)
        .connect()
        .await
        .map_err(failed)?;
    // SQLite fills an empty file and leaves its mode alone.
    File::options()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(copy)
        .map_err(unwritable)?;
    let copied = sqlx::query("VACUUM INTO ?1")
        .bind(target)
        .execute(&mut db)
        .await;
    copied.map_err(failed)?;
    let schema = schema(&mut db).await.map_err(failed)?;
    db.close().await.map_err(failed)?;
    // Nobody else has the copy open, so that closing it drops no lock.
    File::open(copy)
        .and_then(|file| file.sync_all())
        .map_err(unwritable)?;
    Ok(schema)
}

/// Reads a file that nobody uses from end to end and tells its schema.
pub async fn inspect(file: &Path) -> Result<Schema, BackupError> {
    let failed = |source| BackupError::Read {
        path: file.to_owned(),
        source,
    };
    let mut db = connect::existing(file)
        .read_only(true)
        .immutable(true)
        .connect()
        .await
        .map_err(failed)?;
    let found: String = sqlx::query_scalar("PRAGMA integrity_check(1)")
        .fetch_one(&mut db)
        .await
        .map_err(failed)?;
    if found != "ok" {
        return Err(BackupError::Damaged {
            path: file.to_owned(),
            found,
        });
    }
    let schema = schema(&mut db).await.map_err(failed)?;
    db.close().await.map_err(failed)?;
    Ok(schema)
}

async fn schema(db: &mut SqliteConnection) -> Result<Schema, sqlx::Error> {
    let applied: Vec<String> =
        sqlx::query_scalar("SELECT version FROM seaql_migrations ORDER BY version")
            .fetch_all(db)
            .await?;
    let known = migrations::history();
    Ok(Schema {
        is_known: applied.iter().all(|name| known.contains(name)),
        version: applied.into_iter().next_back().unwrap_or_default(),
    })
}
