//! SQLite as a backend of the shared SQL.

use crate::{
    connect::{self, SqliteSettings},
    tidy,
    writer::Writer,
};
use async_trait::async_trait;
use migrations::Migrator;
use ports::{
    live::CommitListener,
    store::{Durability, StoreError, Tidied},
};
use sea_orm::{DatabaseConnection, DatabaseTransaction, TransactionTrait};
use sea_orm_migration::MigratorTrait;
use std::{any::Any, path::PathBuf, sync::Arc};
use store_sql::{Backend, End, Scope, backend, db_error};

/// One open SQLite file.
pub struct Sqlite {
    path: PathBuf,
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
        let is_empty = connect::prepare(path).await.map_err(backend)?;
        let connection = connect::writer(path, is_empty).await.map_err(backend)?;
        Ok(Self {
            readers: connect::readers(path, settings.readers),
            writer: Writer::start(connection.clone(), listener),
            connection,
            path: settings.path,
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

    fn reader(&self, _scope: Scope) -> &DatabaseConnection {
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

    async fn tidy(&self) -> Result<Tidied, StoreError> {
        tidy::run(&self.path, &self.readers, &self.connection).await
    }

    async fn alone(&self) -> Result<Box<dyn Any + Send>, StoreError> {
        // The server's lock on the file keeps others out.
        Ok(Box::new(()))
    }

    async fn close(&self) {
        self.writer.stop().await;
        for connection in [&self.readers, &self.connection] {
            if let Err(error) = connection.close_by_ref().await {
                tracing::warn!(
                    error = %ports::Causes(&error),
                    "a database connection did not close cleanly"
                );
            }
        }
    }
}
