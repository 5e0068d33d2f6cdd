//! How connections are made: the pool that works, and the single one that owns the schema.

use crate::{error::OpenError, roles};
use domain::secret::Secret;
use sea_orm::sqlx::{
    self, ConnectOptions, Connection, Executor, PgConnection, PgPool,
    pool::PoolConnectionMetadata,
    postgres::{PgConnectOptions, PgPoolOptions},
};
use std::{
    fmt::Write,
    io::ErrorKind,
    time::{Duration, Instant},
};

/// How to reach the database.
#[derive(Clone)]
pub struct PostgresSettings {
    /// `postgres://user:password@host:port/database`; holds a secret, so it has no `Debug`.
    pub url: Secret,
    /// Connections that work at the same time, at most. Two or three more are used beside them: to
    /// migrate, and to hear of other processes.
    pub connections: u32,
}

impl PostgresSettings {
    /// The usual number of connections to this database.
    pub fn new(url: Secret) -> Self {
        Self {
            url,
            connections: 16,
        }
    }
}

/// How long somebody waits for a free connection, or for the server to come up.
const ACQUIRE: Duration = Duration::from_secs(5);
/// How long until a server that is starting is asked again.
const AGAIN: Duration = Duration::from_millis(100);
/// A connection that rested this long may have died unnoticed and is asked first.
const RESTED: Duration = Duration::from_millis(500);
/// How long such a connection may take to answer.
const ANSWER: Duration = Duration::from_secs(1);
/// How long an unused connection is kept.
const IDLE: Duration = Duration::from_mins(5);

/// What every connection of the pool is told. A process that is frozen inside a transaction would hold
/// its locks for ever, and with them everybody who appends to the same feed: the server ends such a
/// transaction well before anybody else gives up waiting. A server that is set to lose commits by
/// default must not lose ours. Of a client whose machine or network is gone the server hears nothing; it
/// asks, so that a session does not outlive it by hours.
const SESSION: &str = "\
    SET idle_in_transaction_session_timeout = '5s'; \
    SET lock_timeout = '8s'; \
    SET tcp_keepalives_idle = 10; SET tcp_keepalives_interval = 5; SET tcp_keepalives_count = 3; \
    SELECT set_config('synchronous_commit', 'on', false) \
    WHERE current_setting('synchronous_commit') = 'off'; \
    SET ROLE nitejar_system";

/// Reads the URL.
pub(crate) fn options(settings: &PostgresSettings) -> Result<PgConnectOptions, OpenError> {
    let options: PgConnectOptions = settings.url.expose().parse().map_err(OpenError::Url)?;
    let named = options.get_application_name().is_some();
    let options = options
        .statement_cache_capacity(300)
        .disable_statement_logging();
    Ok(if named {
        options
    } else {
        options.application_name("nitejar")
    })
}

/// Where that is, for people.
pub(crate) fn place(options: &PgConnectOptions) -> String {
    let mut place = match options.get_socket() {
        Some(socket) => socket.display().to_string(),
        None => format!("{}:{}", options.get_host(), options.get_port()),
    };
    let database = options.get_database().unwrap_or(options.get_username());
    // Writing to a string cannot fail.
    let _written = write!(
        place,
        " (database {database}, user {})",
        options.get_username()
    );
    place
}

/// The connections that work; opened when they are first needed.
pub(crate) fn pool(options: PgConnectOptions, most: u32) -> PgPool {
    PgPoolOptions::new()
        .max_connections(most.max(1))
        .acquire_timeout(ACQUIRE)
        .idle_timeout(IDLE)
        .test_before_acquire(false)
        .before_acquire(|connection, about| Box::pin(is_alive(connection, about)))
        .after_release(|connection, _about| Box::pin(is_idle(connection)))
        .after_connect(|connection, _about| {
            Box::pin(async move { connection.execute(SESSION).await.map(drop) })
        })
        .connect_lazy_with(options)
}

/// One connection as the user of the URL, who owns the schema. It is one connection for as long as the
/// pool lives, so that what it locks stays locked.
pub(crate) async fn owner(options: PgConnectOptions) -> Result<PgPool, OpenError> {
    let place = place(&options);
    PgPoolOptions::new()
        .max_connections(1)
        .acquire_timeout(ACQUIRE)
        .idle_timeout(None)
        .max_lifetime(None)
        .connect_with(options)
        .await
        .map_err(|source| OpenError::NotReachable { place, source })
}

/// Makes sure that the database answers and that the roles can be used. A server that is only just
/// starting is waited for.
pub(crate) async fn prepare(options: &PgConnectOptions) -> Result<(), OpenError> {
    let began = Instant::now();
    let source = loop {
        let left = ACQUIRE.saturating_sub(began.elapsed());
        let refused = match tokio::time::timeout(left, PgConnection::connect_with(options)).await {
            Ok(Ok(mut owner)) => {
                roles::ensure(&mut owner).await?;
                // It did what it was for; the server finds out by itself if the goodbye is lost.
                drop(owner.close().await);
                return Ok(());
            }
            Ok(Err(error)) => error,
            Err(_late) => sqlx::Error::Io(ErrorKind::TimedOut.into()),
        };
        if began.elapsed() + AGAIN > ACQUIRE || !is_starting(&refused) {
            break refused;
        }
        tokio::time::sleep(AGAIN).await;
    };
    let place = place(options);
    Err(OpenError::NotReachable { place, source })
}

fn is_starting(error: &sqlx::Error) -> bool {
    match error {
        sqlx::Error::Io(error) => error.kind() == ErrorKind::ConnectionRefused,
        // The server's own word for it.
        sqlx::Error::Database(error) => error.code().as_deref() == Some("57P03"),
        _ => false,
    }
}

/// One round trip, and only when there was time to die.
async fn is_alive(
    connection: &mut PgConnection,
    about: PoolConnectionMetadata,
) -> Result<bool, sqlx::Error> {
    if about.idle_for < RESTED {
        return Ok(true);
    }
    let answer = tokio::time::timeout(ANSWER, connection.ping()).await;
    Ok(matches!(answer, Ok(Ok(()))))
}

/// Whether what was asked is answered. When somebody stopped waiting for an answer, it may never come: such a
/// connection must not keep its place in the pool until TCP gives up.
async fn is_idle(connection: &mut PgConnection) -> Result<bool, sqlx::Error> {
    match tokio::time::timeout(ANSWER, connection.ping()).await {
        Ok(answer) => answer.map(|()| true),
        Err(_late) => Err(sqlx::Error::Io(ErrorKind::TimedOut.into())),
    }
}
