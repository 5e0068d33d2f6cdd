//! The audit trail; rows are added, never changed.

use super::StoreError;
use async_trait::async_trait;
use domain::{
    Timestamp,
    audit::{AuditEntry, Link, Unreadable},
    id::TenantId,
};
use uuid::Uuid;

/// Which entries to list; every field narrows.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AuditFilter {
    /// Of this action.
    pub action: Option<String>,
    /// Of changes to this.
    pub subject_id: Option<Uuid>,
    /// By this one.
    pub actor_id: Option<Uuid>,
    /// Not before.
    pub from: Option<Timestamp>,
    /// Before.
    pub to: Option<Timestamp>,
}

/// The audit trail of a tenant.
#[async_trait]
pub trait AuditRepository: Send + Sync {
    /// The end of the chain; nobody else adds to it until the transaction ends.
    async fn lock(&self, tenant: TenantId) -> Result<Link, StoreError>;
    /// Keeps others from adding to the chain until the transaction ends, and so from every change that is noted. One
    /// in which nothing was ever noted holds nobody up.
    async fn hold(&self, tenant: TenantId) -> Result<(), StoreError>;
    /// Adds an entry at the end of a locked chain.
    async fn append(&self, entry: &AuditEntry) -> Result<(), StoreError>;
    /// The end of the chain as it is written down.
    async fn head(&self, tenant: TenantId) -> Result<Link, StoreError>;
    /// What is stored after a sequence number, oldest first, at most `limit`; what cannot be read is no failure here.
    async fn after(
        &self,
        tenant: TenantId,
        seq: i64,
        limit: u32,
    ) -> Result<Vec<Result<AuditEntry, Unreadable>>, StoreError>;
    /// Entries before a sequence number, newest first, at most `limit`.
    async fn list(
        &self,
        tenant: TenantId,
        filter: &AuditFilter,
        before: i64,
        limit: u32,
    ) -> Result<Vec<AuditEntry>, StoreError>;
}
