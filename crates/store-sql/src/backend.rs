//! What a database must bring so that the shared SQL runs on it.

use async_trait::async_trait;
use domain::id::TenantId;
use ports::{
    live::{CommitListener, Committed},
    store::{Durability, StoreError},
};
use sea_orm::{DatabaseConnection, DatabaseTransaction};
use std::sync::Arc;

/// Whose rows a transaction may see. A database that can enforces it, as a second wall behind the tenant in
/// every statement.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scope {
    /// One tenant's.
    Tenant(TenantId),
    /// Everybody's: claims, sweeps, ingest, credentials.
    System,
}

/// One connected database.
#[async_trait]
pub trait Backend: Send + Sync + Sized + 'static {
    /// How to reach it.
    type Settings: Send;

    /// Connects. The listener hears of every commit, in commit order, once it is durable in its class.
    async fn open(
        settings: Self::Settings,
        listener: Arc<dyn CommitListener>,
    ) -> Result<Self, StoreError>;

    /// Brings the schema up to date; cheap when it is.
    async fn migrate(&self) -> Result<(), StoreError>;

    /// Whether the schema is the one this build expects.
    async fn is_current(&self) -> Result<bool, StoreError>;

    /// Where single reads go that need no transaction and no tenant.
    fn reader(&self) -> &DatabaseConnection;

    /// Begins a snapshot to read from.
    async fn read(&self, scope: Scope) -> Result<DatabaseTransaction, StoreError>;

    /// Begins a transaction that may write, with the way to end it.
    async fn write(
        &self,
        scope: Scope,
        durability: Durability,
    ) -> Result<(DatabaseTransaction, Box<dyn End>), StoreError>;

    /// Finishes what is queued and lets go of the database.
    async fn close(&self);
}

/// How a transaction of a backend ends well. Dropping both halves rolls back.
#[async_trait]
pub trait End: Send + Sync {
    /// Makes the transaction durable in its class, then tells the commit listener.
    async fn commit(
        self: Box<Self>,
        transaction: DatabaseTransaction,
        committed: Committed,
    ) -> Result<(), StoreError>;
}
