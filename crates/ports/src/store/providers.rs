//! Model providers that people added in the settings.

use super::StoreError;
use async_trait::async_trait;
use domain::{
    id::{ProviderId, TenantId},
    provider::Provider,
};

/// Model providers of a tenant.
#[async_trait]
pub trait ProviderRepository: Send + Sync {
    /// Writes a new one; `Conflict` when the name is taken.
    async fn insert(&self, provider: &Provider) -> Result<(), StoreError>;
    /// One provider.
    async fn find(&self, tenant: TenantId, id: ProviderId) -> Result<Option<Provider>, StoreError>;
    /// The one of this name.
    async fn named(&self, tenant: TenantId, name: &str) -> Result<Option<Provider>, StoreError>;
    /// All, by name.
    async fn list(&self, tenant: TenantId) -> Result<Vec<Provider>, StoreError>;
    /// Writes every field but the kind; `Conflict` when the name is taken.
    async fn update(&self, provider: &Provider) -> Result<(), StoreError>;
    /// Removes it; false when there is none.
    async fn delete(&self, tenant: TenantId, id: ProviderId) -> Result<bool, StoreError>;
}
