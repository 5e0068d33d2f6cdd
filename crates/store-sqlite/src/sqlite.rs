//! SQLite as a backend of the shared SQL.

use crate::{
    connect::{self, SqliteSettings},
    writer::Writer,
};
use async_trait::async_trait;
use migrations::Migrator;
use ports::{
    live::CommitListener,
    store::{Durability, StoreError},
};
use sea_orm::{DatabaseConnection, DatabaseTransaction, TransactionTrait};
use sea_orm_migration::MigratorTrait;
use std::sync::Arc;
use store_sql::{Backend, End, Scope, backend, db_error};

/// One open SQLite file.
pub struct Sqlite {
    readers: DatabaseConnection,
    connection: DatabaseConnection,
    writer: Writer,
}

#[async_trait]
impl Backend for Sqlite {
    type Settings = SqliteSettings;

    async fn open(
        settings: SqliteSettings,
        listener: Arc<dyn CommitListener>,
    ) -> Result<Self, StoreError> {
        let path = &settings.path;
        connect::prepare(path).await.map_err(backend)?;
        let connection = connect::writer(path).await.map_err(backend)?;
        Ok(Self {
            readers: connect::readers(path, settings.readers),
            writer: Writer::start(connection.clone(), listener),
            connection,
        })
    }

    async fn migrate(&self) -> Result<(), StoreError> {
        // A database that has run nothing cannot be asked; the migrator says what is wrong, if anything.
        if matches!(migrations::is_current(&self.connection).await, Ok(true)) {
            return Ok(());
        }
        Migrator::up(&self.connection, None)
            .await
            .map_err(db_error("schema"))
    }

    async fn is_current(&self) -> Result<bool, StoreError> {
        migrations::is_current(&self.readers)
            .await
            .map_err(db_error("schema"))
    }

    fn reader(&self) -> &DatabaseConnection {
        &self.readers
    }

    async fn read(&self, _scope: Scope) -> Result<DatabaseTransaction, StoreError> {
        self.readers.begin().await.map_err(db_error("transaction"))
    }

    async fn write(
        &self,
        _scope: Scope,
        durability: Durability,
    ) -> Result<(DatabaseTransaction, Box<dyn End>), StoreError> {
        self.writer.begin(durability).await
    }

    async fn close(&self) {
        self.writer.stop().await;
        for connection in [&self.readers, &self.connection] {
            if let Err(error) = connection.close_by_ref().await {
                tracing::warn!(
                    error = &error as &dyn std::error::Error,
                    "a database connection did not close cleanly"
                );
            }
        }
    }
}
