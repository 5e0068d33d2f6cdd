//! Tokens, what is kept for some people, single settings and kept answers.

use super::StoreError;
use async_trait::async_trait;
use domain::{
    Timestamp,
    access::{ApiToken, Hidden, People, Restrictable},
    id::{TenantId, TokenId, UserId},
};
use uuid::Uuid;

/// Bearer tokens of a tenant, and what is kept for some of its people.
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
    /// Notes that a token was used.
    async fn touch_token(
        &self,
        tenant: TenantId,
        token: TokenId,
        now: Timestamp,
    ) -> Result<(), StoreError>;
    /// For whom an agent or integration is.
    async fn people(
        &self,
        tenant: TenantId,
        kind: Restrictable,
        subject: Uuid,
    ) -> Result<People, StoreError>;
    /// Says for whom it is.
    async fn set_people(
        &self,
        tenant: TenantId,
        kind: Restrictable,
        subject: Uuid,
        people: &People,
    ) -> Result<(), StoreError>;
    /// All that is restricted and not for this person; with nobody, all that is restricted.
    async fn hidden(&self, tenant: TenantId, from: Option<UserId>) -> Result<Hidden, StoreError>;
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
    /// Removes it, if it is there.
    async fn delete(&self, tenant: TenantId, name: &str) -> Result<(), StoreError>;
}

/// An HTTP answer as it is given again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SavedResponse {
    /// The status.
    pub status: u16,
    /// The JSON body.
    pub body: String,
}

/// A request that wants an idempotency key.
#[derive(Clone, Copy, Debug)]
pub struct KeyClaim<'a> {
    /// The tenant.
    pub tenant: TenantId,
    /// The key.
    pub key: &'a str,
    /// What makes two requests the same.
    pub fingerprint: &'a str,
    /// The instance of the process that asks.
    pub holder: &'a str,
    /// The id that the request gets when it is the first with this key.
    pub request: Uuid,
    /// When it asks.
    pub now: Timestamp,
    /// Keys first used before this instant are forgotten.
    pub stale_before: Timestamp,
    /// Nobody works any more on a request that was begun before this instant.
    pub abandoned_before: Timestamp,
}

/// What is known of an idempotency key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum IdempotencyClaim {
    /// The caller now owns it: nobody used it, or whoever did is gone without an answer.
    Held {
        /// The id of the first request with this key; what that one made has it too.
        request: Uuid,
    },
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
    /// Takes the key, or says what became of it. Of many that ask at once, one gets it.
    async fn claim(&self, claim: KeyClaim<'_>) -> Result<IdempotencyClaim, StoreError>;
    /// Keeps the answer of the request that took the key at `claimed_at`, unless another took over.
    async fn complete(
        &self,
        tenant: TenantId,
        key: &str,
        claimed_at: Timestamp,
        response: &SavedResponse,
    ) -> Result<(), StoreError>;
    /// Gives the key back: the request failed and changed nothing. One that was taken over stays with its
    /// request, for the first may have changed something.
    async fn release(
        &self,
        tenant: TenantId,
        key: &str,
        claimed_at: Timestamp,
    ) -> Result<(), StoreError>;
}
