//! PostgreSQL as a backend of the shared SQL.

use crate::{
    connect::{self, PostgresSettings},
    roles, schema,
};
use async_trait::async_trait;
use domain::id::TenantId;
use ports::{
    live::{CommitListener, Committed},
    store::{Durability, StoreError},
};
use sea_orm::{
    ConnectionTrait, DatabaseConnection, DatabaseTransaction, DbErr, RuntimeErr,
    SqlxPostgresConnector, TransactionTrait,
    sea_query::SelectStatement,
    sqlx::{PgPool, postgres::PgConnectOptions},
};
use std::{any::Any, sync::Arc};
use store_sql::{Backend, End, Scope, backend, db_error};

/// One PostgreSQL database.
pub struct Postgres {
    options: PgConnectOptions,
    pool: PgPool,
    connection: DatabaseConnection,
    /// For heartbeat and sweep alone.
    pulse: DatabaseConnection,
    listener: Arc<dyn CommitListener>,
}

#[async_trait]
impl Backend for Postgres {
    type Settings = PostgresSettings;

    async fn open(
        settings: PostgresSettings,
        listener: Arc<dyn CommitListener>,
    ) -> Result<Self, StoreError> {
        let options = connect::options(&settings).map_err(backend)?;
        connect::prepare(&options).await.map_err(backend)?;
        let pool = connect::pool(options.clone(), settings.connections);
        let pulse = connect::pool(options.clone(), 1);
        Ok(Self {
            options,
            connection: SqlxPostgresConnector::from_sqlx_postgres_pool(pool.clone()),
            pool,
            pulse: SqlxPostgresConnector::from_sqlx_postgres_pool(pulse),
            listener,
        })
    }

    async fn migrate(&self) -> Result<(), StoreError> {
        // A database that has run nothing cannot be asked; the migrator says what is wrong, if anything.
        if matches!(self.is_current().await, Ok(true)) {
            return Ok(());
        }
        schema::migrate(self.options.clone()).await
    }

    async fn is_current(&self) -> Result<bool, StoreError> {
        schema::is_current(&self.connection, &self.pool).await
    }

    fn reader(&self, scope: Scope) -> &DatabaseConnection {
        match scope {
            Scope::Tenant(_) | Scope::System => &self.connection,
            Scope::Pulse => &self.pulse,
        }
    }

    async fn read(&self, scope: Scope) -> Result<DatabaseTransaction, StoreError> {
        let mut how = "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY".to_owned();
        if let Scope::Tenant(tenant) = scope {
            how.push_str("; ");
            how.push_str(&only(tenant));
        }
        begin(&self.connection, &how).await
    }

    async fn write(
        &self,
        scope: Scope,
        durability: Durability,
    ) -> Result<(DatabaseTransaction, Box<dyn End>), StoreError> {
        let mut how = Vec::new();
        if let Scope::Tenant(tenant) = scope {
            how.push(only(tenant));
        }
        if durability == Durability::Relaxed {
            how.push("SET LOCAL synchronous_commit = off".to_owned());
        }
        let transaction = begin(self.reader(scope), &how.join("; ")).await?;
        Ok((transaction, Box::new(Commit(Arc::clone(&self.listener)))))
    }

    async fn await_rows(&self, rows: &SelectStatement) -> Result<(), StoreError> {
        let transaction = begin(&self.connection, MOMENT).await?;
        match transaction.query_all(rows).await {
            Err(error) if !is_lock_timeout(&error) => Err(db_error("row")(error)),
            Ok(_) | Err(_) => Ok(()),
        }
    }

    async fn alone(&self) -> Result<Box<dyn Any + Send>, StoreError> {
        schema::alone(self.options.clone()).await
    }

    async fn close(&self) {
        self.pool.close().await;
        if let Err(error) = self.pulse.close_by_ref().await {
            tracing::warn!(error = %ports::Causes(&error), "a database connection did not close cleanly");
        }
    }
}

/// Begins, and says in one round trip what the transaction is like, unless it is like the session.
async fn begin(
    connection: &DatabaseConnection,
    how: &str,
) -> Result<DatabaseTransaction, StoreError> {
    let transaction = connection.begin().await.map_err(db_error("transaction"))?;
    if !how.is_empty() {
        transaction
            .execute_unprepared(how)
            .await
            .map_err(db_error("transaction"))?;
    }
    Ok(transaction)
}

/// How long a transaction waits for rows that somebody holds for no good reason.
const MOMENT: &str = "SET LOCAL lock_timeout = '250ms'";

fn is_lock_timeout(error: &DbErr) -> bool {
    let (DbErr::Query(RuntimeErr::SqlxError(error)) | DbErr::Exec(RuntimeErr::SqlxError(error))) =
        error
    else {
        return false;
    };
    error
        .as_database_error()
        .is_some_and(|error| error.code().as_deref() == Some("55P03"))
}

/// Hides every other tenant until the transaction ends.
fn only(tenant: TenantId) -> String {
    format!(
        "SET LOCAL ROLE {}; SET LOCAL nitejar.tenant = '{}'",
        roles::APP,
        tenant.as_uuid()
    )
}

/// Commits, then tells. Transactions commit side by side here, so two may be told in either order.
struct Commit(Arc<dyn CommitListener>);

#[async_trait]
impl End for Commit {
    async fn commit(
        self: Box<Self>,
        transaction: DatabaseTransaction,
        committed: Committed,
    ) -> Result<(), StoreError> {
        transaction
            .commit()
            .await
            .map_err(db_error("transaction"))?;
        if !committed.is_silent() {
            self.0.committed(committed);
        }
        Ok(())
    }
}
