//! The store on PostgreSQL.
//!
//! Connections, roles, transactions and the bus are here; the SQL itself is in `store-sql`. Nothing here knows a
//! table but the one that lists which migrations ran.

mod bus;
mod connect;
mod error;
mod postgres;
mod roles;
mod schema;

pub use bus::PostgresBus;
pub use connect::PostgresSettings;
pub use error::OpenError;
pub use postgres::Postgres;

/// Every store port, on one PostgreSQL database.
pub type PostgresStore = store_sql::SqlStore<Postgres>;
