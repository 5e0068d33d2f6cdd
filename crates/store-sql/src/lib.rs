//! All SQL of Nitejar, written once for SQLite and PostgreSQL.
//!
//! The crates for the two databases bring a [`Backend`]: how to connect, migrate, open and end
//! transactions. Everything else is here and knows no dialect. Nothing outside may see an entity.

mod backend;
mod conn;
mod entity;
mod error;
mod hidden;
mod ingest;
mod lease;
mod prune;
mod query;
mod repo;
mod sealed;
mod store;
mod system;
mod tx;
mod upkeep;

pub use backend::{Backend, End, Scope};
pub use error::{backend, db_error};
pub use store::SqlStore;
