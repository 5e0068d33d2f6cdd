//! The store as the core sees it, on any backend.

use crate::{
    backend::{Backend, Scope},
    error::{backend, db_error},
    ingest,
    tx::{EndOfRead, SqlTx},
};
use async_trait::async_trait;
use domain::{Timestamp, id::TenantId};
use ports::{
    clock::Clock,
    ids::Ids,
    ingest::{Accept, Accepted},
    live::CommitListener,
    store::{BoxTx, Durability, Store, StoreError},
};
use std::sync::Arc;

/// Every store port, over the database that `B` connects.
pub struct SqlStore<B> {
    pub(crate) backend: B,
    ids: Arc<dyn Ids>,
    clock: Arc<dyn Clock>,
}

impl<B: Backend> SqlStore<B> {
    /// Connects; the schema may still be an old one (see [`Self::migrate`]).
    pub async fn connect(
        settings: B::Settings,
        ids: Arc<dyn Ids>,
        clock: Arc<dyn Clock>,
        listener: Arc<dyn CommitListener>,
    ) -> Result<Self, StoreError> {
        let backend = B::open(settings, listener).await?;
        Ok(Self {
            backend,
            ids,
            clock,
        })
    }

    pub(crate) fn now(&self) -> Timestamp {
        self.clock.now()
    }

    pub(crate) async fn begin(
        &self,
        scope: Scope,
        durability: Durability,
    ) -> Result<SqlTx, StoreError> {
        let (conn, end) = self.backend.write(scope, durability).await?;
        Ok(SqlTx::new(conn, end, Arc::clone(&self.ids)))
    }
}

#[async_trait]
impl<B: Backend> Store for SqlStore<B> {
    async fn read(&self, tenant: TenantId) -> Result<BoxTx, StoreError> {
        let conn = self.backend.read(Scope::Tenant(tenant)).await?;
        let tx = SqlTx::new(conn, Box::new(EndOfRead), Arc::clone(&self.ids));
        Ok(Box::new(tx))
    }

    async fn write(&self, tenant: TenantId, durability: Durability) -> Result<BoxTx, StoreError> {
        Ok(Box::new(
            self.begin(Scope::Tenant(tenant), durability).await?,
        ))
    }

    async fn ingest(&self, batch: Vec<Accept>) -> Result<Vec<Accepted>, StoreError> {
        if batch.is_empty() {
            return Ok(Vec::new());
        }
        let tx = self.begin(Scope::System, Durability::Durable).await?;
        let outcome = ingest::ingest(&tx, self.now(), &batch).await?;
        tx.commit().await?;
        Ok(outcome)
    }

    async fn ready(&self) -> Result<(), StoreError> {
        self.backend
            .reader(Scope::System)
            .ping()
            .await
            .map_err(db_error("connection"))?;
        if self.backend.is_current().await? {
            Ok(())
        } else {
            Err(backend(
                "the database schema is not the one this build expects: run `nitejar migrate`",
            ))
        }
    }
}
