//! Bringing the schema up to date, by one process at a time.

use crate::{connect, error::Silent};
use migrations::Migrator;
use ports::store::StoreError;
use sea_orm::{
    DatabaseConnection, SqlxPostgresConnector,
    sqlx::{self, Executor, PgPool, postgres::PgConnectOptions},
};
use sea_orm_migration::MigratorTrait;
use std::{any::Any, time::Duration};
use store_sql::{backend, db_error};

/// What processes that migrate exclude each other with: `nitejar` in ASCII.
const LOCK: i64 = 0x006e_6974_656a_6172;

/// What processes that make what only the first start makes exclude each other with.
const SETUP: i64 = LOCK + 1;

/// How long the database may take to say how it is.
const ANSWER: Duration = Duration::from_secs(2);

/// Whether a table that holds rows of tenants lets everybody see them. New tables begin like that.
const OPEN: &str = "SELECT EXISTS ( \
        SELECT FROM pg_class \
        JOIN pg_attribute ON attrelid = pg_class.oid AND NOT attisdropped \
             AND attname = CASE relname WHEN 'tenants' THEN 'id' ELSE 'tenant_id' END \
        WHERE relnamespace = current_schema()::regnamespace AND relkind IN ('r', 'p') \
              AND NOT (relrowsecurity AND relforcerowsecurity))";

/// Runs what has not run yet, then closes what it left open. The lock goes with its connection,
/// whatever happens on the way.
pub(crate) async fn migrate(options: PgConnectOptions) -> Result<(), StoreError> {
    let owner = connect::owner(options).await.map_err(backend)?;
    let done = run(&owner).await;
    owner.close().await;
    done
}

/// Waits until no other process is in here; what it returns holds the lock by holding its connection.
pub(crate) async fn alone(options: PgConnectOptions) -> Result<Box<dyn Any + Send>, StoreError> {
    let owner = connect::owner(options).await.map_err(backend)?;
    let lock = sqlx::query("SELECT pg_advisory_lock($1)").bind(SETUP);
    lock.execute(&owner).await.map_err(backend)?;
    Ok(Box::new(owner))
}

async fn run(owner: &PgPool) -> Result<(), StoreError> {
    let free: bool = sqlx::query_scalar("SELECT pg_try_advisory_lock($1)")
        .bind(LOCK)
        .fetch_one(owner)
        .await
        .map_err(backend)?;
    if !free {
        tracing::info!("another process migrates the database; waiting for it");
        let lock = sqlx::query("SELECT pg_advisory_lock($1)").bind(LOCK);
        lock.execute(owner).await.map_err(backend)?;
    }
    let connection = SqlxPostgresConnector::from_sqlx_postgres_pool(owner.clone());
    Migrator::up(&connection, None)
        .await
        .map_err(db_error("schema"))?;
    owner
        .execute("SELECT nitejar_close_tables()")
        .await
        .map_err(backend)?;
    Ok(())
}

/// Whether the schema is this build's and every table is closed; an answer in bounded time.
pub(crate) async fn is_current(
    connection: &DatabaseConnection,
    pool: &PgPool,
) -> Result<bool, StoreError> {
    let ask = async {
        let open: bool = sqlx::query_scalar(OPEN)
            .fetch_one(pool)
            .await
            .map_err(backend)?;
        let current = migrations::is_current(connection).await;
        Ok(current.map_err(db_error("schema"))? && !open)
    };
    tokio::time::timeout(ANSWER, ask).await.map_err(|_late| {
        backend(Silent {
            place: connect::place(&pool.connect_options()),
            seconds: ANSWER.as_secs(),
        })
    })?
}
