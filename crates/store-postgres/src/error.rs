//! Why a database cannot be used. Nothing here may show the URL: it holds the password.

use sea_orm::sqlx;

/// Why a database cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The URL says nothing that can be connected to.
    #[error(
        "the database URL cannot be read: it must look like \
         postgres://user:password@host:5432/database, with special characters of the password \
         percent-encoded"
    )]
    Url(#[source] sqlx::Error),
    /// Nobody answers, or not to this user.
    #[error(
        "cannot connect to PostgreSQL at {place}: the server must be running and reachable from here, \
         and the user, password and database of the URL must exist"
    )]
    NotReachable {
        /// Where, without the password.
        place: String,
        /// What was said.
        #[source]
        source: sqlx::Error,
    },
    /// The server went away while it was being prepared.
    #[error("the connection to PostgreSQL was lost while it was being prepared: start again")]
    Lost(#[source] sqlx::Error),
    /// The user of the URL may not become the roles the server works as.
    #[error(
        "the user {user} may not make or use the roles that keep tenants apart: let an administrator \
         run this once and start again: {sql}"
    )]
    Roles {
        /// Who is connected, quoted.
        user: String,
        /// What helps.
        sql: String,
        /// What was said.
        #[source]
        source: sqlx::Error,
    },
}

/// The database did not answer in time.
#[derive(Debug, thiserror::Error)]
#[error(
    "PostgreSQL at {place} did not answer within {seconds} s: check that it is running and reachable"
)]
pub(crate) struct Silent {
    pub(crate) place: String,
    pub(crate) seconds: u64,
}
