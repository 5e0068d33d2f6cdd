//! The life of an opened database: its schema, its size, its end. What is forgotten is in `prune.rs`.

use crate::{backend::Backend, prune, store::SqlStore};
use async_trait::async_trait;
use ports::store::{Maintenance, Prunable, Prune, Pruned, StoreError, Tidied, Upkeep};
use std::any::Any;

#[async_trait]
impl<B: Backend> Upkeep for SqlStore<B> {
    async fn migrate(&self) -> Result<(), StoreError> {
        self.backend.migrate().await
    }

    async fn alone(&self) -> Result<Box<dyn Any + Send>, StoreError> {
        self.backend.alone().await
    }

    async fn close(&self) {
        self.backend.close().await;
    }
}

#[async_trait]
impl<B: Backend> Maintenance for SqlStore<B> {
    async fn prune(&self, prune: Prune<'_>) -> Result<Pruned, StoreError> {
        match prune.what {
            Prunable::IdempotencyKeys => prune::idempotency_keys(self, prune).await,
            Prunable::Events | Prunable::ToolOutput | Prunable::Transcripts => {
                prune::jobs(self, prune).await
            }
        }
    }

    async fn tidy(&self) -> Result<Tidied, StoreError> {
        self.backend.tidy().await
    }
}
