//! Keeping the files small while everybody works: space that pruning freed goes back to the system in small
//! steps, and a log that has grown is emptied when nobody reads from it.

use crate::connect;
use ports::store::{StoreError, Tidied};
use sea_orm::{
    ConnectionTrait, DatabaseConnection, DbBackend, Statement,
    sqlx::{self, ConnectOptions, Connection},
};
use std::{
    path::{Path, PathBuf},
    time::Duration,
};
use store_sql::{backend, db_error};

/// Unused pages that stay for what comes next: taking them out and putting them in again would be work for
/// nothing.
const SPARE: i64 = 2_048;
/// Pages given back at once; writers wait that long.
const STEP: i64 = 256;
/// How large the log may grow before it is emptied. SQLite starts it anew by itself when nobody reads from it,
/// but a file that once grew keeps its size.
const LOG_MOST: u64 = 64 * 1024 * 1024;

/// Gives a little space back.
pub(crate) async fn run(
    path: &Path,
    readers: &DatabaseConnection,
    writer: &DatabaseConnection,
) -> Result<Tidied, StoreError> {
    if size(&log_of(path)).await > Some(LOG_MOST) {
        empty_log(path).await?;
    }
    let unused = number(readers, "PRAGMA freelist_count").await? - SPARE;
    // A file that was made without bookkeeping of its pages cannot shrink; its pages are used again.
    let can_shrink = unused > 0 && number(readers, "PRAGMA auto_vacuum").await? == 2;
    if can_shrink {
        let step = format!("PRAGMA incremental_vacuum({})", unused.min(STEP));
        writer
            .execute_unprepared(&step)
            .await
            .map_err(db_error("database"))?;
    }
    Ok(Tidied {
        database_bytes: size(path).await,
        wal_bytes: size(&log_of(path)).await,
        more: can_shrink && unused > STEP,
    })
}

/// Moves the log into the database beside everybody else, and then, when nobody is in the way at that moment,
/// cuts it off. Never waits for anybody: there is a next time.
async fn empty_log(path: &Path) -> Result<(), StoreError> {
    let mut own = connect::existing(path)
        .busy_timeout(Duration::ZERO)
        .connect()
        .await
        .map_err(backend)?;
    for step in [
        "PRAGMA wal_checkpoint(PASSIVE)",
        "PRAGMA wal_checkpoint(TRUNCATE)",
    ] {
        sqlx::query(step).execute(&mut own).await.map_err(backend)?;
    }
    own.close().await.map_err(backend)
}

async fn number(db: &DatabaseConnection, question: &str) -> Result<i64, StoreError> {
    let statement = Statement::from_string(DbBackend::Sqlite, question);
    let row = db.query_one_raw(statement).await;
    row.map_err(db_error("database"))?
        .map_or(Ok(0), |row| row.try_get_by_index(0))
        .map_err(db_error("database"))
}

/// Asks for the size only: opening the file outside of SQLite and closing it again would drop SQLite's locks.
async fn size(path: &Path) -> Option<u64> {
    tokio::fs::metadata(path).await.ok().map(|file| file.len())
}

/// The write-ahead log of a database file.
fn log_of(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push("-wal");
    PathBuf::from(name)
}
