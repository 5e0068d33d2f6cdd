//! Tokens, single settings and kept answers.

use super::StoreError;
use async_trait::async_trait;
use domain::{
    Timestamp,
    access::ApiToken,
    id::{TenantId, TokenId},
};

/// Bearer tokens of a tenant.
#[async_trait]
pub trait AccessRepository: Send + Sync {
    /// Writes a new token.
    async fn insert_token(&self, token: &ApiToken) -> Result<(), StoreError>;
    /// All tokens, newest first; revoked and expired ones too.
    async fn list_tokens(&self, tenant: TenantId) -> Result<Vec<ApiToken>, StoreError>;
    /// Stops a token for good; false when there is none.
    async fn revoke_token(
        &self,
        tenant: TenantId,
        token: TokenId,
        now: Timestamp,
    ) -> Result<bool, StoreError>;
}

/// Single values by name.
#[async_trait]
pub trait SettingRepository: Send + Sync {
    /// The value.
    async fn find(
        &self,
        tenant: TenantId,
        name: &str,
    ) -> Result<Option<serde_json::Value>, StoreError>;
    /// Writes or replaces it.
    async fn put(
        &self,
        tenant: TenantId,
        name: &str,
        value: &serde_json::Value,
        now: Timestamp,
    ) -> Result<(), StoreError>;
}

/// An HTTP answer as it is given again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SavedResponse {
    /// The status.
    pub status: u16,
    /// The JSON body.
    pub body: String,
}

/// What is known of an idempotency key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum IdempotencyClaim {
    /// Nobody used it: the caller now owns it.
    Fresh,
    /// The first request is still under way.
    InProgress,
    /// It was used for a different request.
    Mismatch,
    /// The first request was answered like this.
    Done(SavedResponse),
}

/// Answers kept for repeated requests.
#[async_trait]
pub trait IdempotencyRepository: Send + Sync {
    /// Takes the key for a request with this fingerprint, or says what became of it. Keys older than
    /// `stale_before` are forgotten.
    async fn claim(
        &self,
        tenant: TenantId,
        key: &str,
        fingerprint: &str,
        now: Timestamp,
        stale_before: Timestamp,
    ) -> Result<IdempotencyClaim, StoreError>;
    /// Keeps the answer.
    async fn complete(
        &self,
        tenant: TenantId,
        key: &str,
        response: &SavedResponse,
    ) -> Result<(), StoreError>;
    /// Gives the key back: the request failed and changed nothing.
    async fn release(&self, tenant: TenantId, key: &str) -> Result<(), StoreError>;
}
