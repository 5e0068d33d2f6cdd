//! Why a database file cannot be used.

use std::path::PathBuf;

/// Why a database file cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The file can be neither made nor written.
    #[error(
        "cannot write the database file {}: its folder must exist, and both must belong to the \
         user the server runs as",
        path.display()
    )]
    NotWritable {
        /// The file.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: std::io::Error,
    },
    /// The file would lie, or lies, on a network file system.
    #[error(
        "the database file {} is on {kind}, a network file system, where SQLite's locks do not hold and the file \
         would break: choose a folder on a local disk, or use a PostgreSQL database",
        path.display()
    )]
    OnNetwork {
        /// The file.
        path: PathBuf,
        /// The type of file system.
        kind: String,
    },
    /// The file is there, but SQLite does not take it.
    #[error(
        "cannot open {} as a database: its folder must be writable too, and the file must be a \
         SQLite database",
        path.display()
    )]
    NotOpened {
        /// The file.
        path: PathBuf,
        /// What SQLite said.
        #[source]
        source: sea_orm::sqlx::Error,
    },
}

/// The store was closed, or its writer is gone.
#[derive(Debug, thiserror::Error)]
#[error("the store is closed")]
pub(crate) struct Closed;
