//! The store on one SQLite file.
//!
//! One connection writes, several read. All writers queue for the one (see `writer.rs`); the SQL
//! itself is in `store-sql`. Nothing here knows a table.

mod backup;
mod connect;
mod error;
mod filesystem;
mod sqlite;
mod tidy;
mod writer;

pub use backup::{BackupError, Schema, back_up, inspect};
pub use connect::SqliteSettings;
pub use error::OpenError;
pub use sqlite::Sqlite;

/// Every store port, on one SQLite file.
pub type SqliteStore = store_sql::SqlStore<Sqlite>;
