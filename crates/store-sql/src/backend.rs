//! What a database must bring so that the shared SQL runs on it.

use async_trait::async_trait;
use domain::id::TenantId;
use ports::{
    live::{CommitListener, Committed},
    store::{Durability, StoreError, Tidied},
};
use sea_orm::{DatabaseConnection, DatabaseTransaction, sea_query::SelectStatement};
use std::{any::Any, sync::Arc};

/// Whose rows a transaction may see. A database that can enforces it, as a second wall behind the tenant in
/// every statement.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scope {
    /// One tenant's.
    Tenant(TenantId),
    /// Everybody's: claims, ingest, credentials.
    System,
    /// Everybody's, for heartbeat and sweep: they must not wait behind the work of others, or a busy process
    /// would be thought dead.
    Pulse,
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
    fn reader(&self, scope: Scope) -> &DatabaseConnection;

    /// Begins a snapshot to read from.
    async fn read(&self, scope: Scope) -> Result<DatabaseTransaction, StoreError>;

    /// Begins a transaction that may write, with the way to end it.
    async fn write(
        &self,
        scope: Scope,
        durability: Durability,
    ) -> Result<(DatabaseTransaction, Box<dyn End>), StoreError>;

    /// Waits a moment for whoever holds these rows. Where one transaction writes at a time, nobody does.
    async fn await_rows(&self, _rows: &SelectStatement) -> Result<(), StoreError> {
        Ok(())
    }

    /// Gives a little unused space back. A database that looks after its own files has nothing to do.
    async fn tidy(&self) -> Result<Tidied, StoreError> {
        Ok(Tidied::default())
    }

    /// Keeps other processes out until what it returns is dropped; nothing to do where there are none.
    async fn alone(&self) -> Result<Box<dyn Any + Send>, StoreError>;

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
