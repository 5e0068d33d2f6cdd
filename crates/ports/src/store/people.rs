//! People with a login, their logins, and the links that let them in once.

use super::StoreError;
use async_trait::async_trait;
use domain::{
    Timestamp,
    id::{TenantId, UserId, UserLinkId, UserSessionId},
    login::{Totp, User, UserLink, UserSession},
};

/// Users of a tenant. Deleted ones are absent from everything here.
#[async_trait]
pub trait UserRepository: Send + Sync {
    /// Writes a new one; `Conflict` when the address or the subject is taken.
    async fn insert(&self, user: &User) -> Result<(), StoreError>;
    /// Writes everything but when they were here last; `Conflict` as with `insert`.
    async fn update(&self, user: &User) -> Result<(), StoreError>;
    /// One of them.
    async fn find(&self, tenant: TenantId, id: UserId) -> Result<Option<User>, StoreError>;
    /// The one with this address, lower case.
    async fn find_by_email(
        &self,
        tenant: TenantId,
        email: &str,
    ) -> Result<Option<User>, StoreError>;
    /// The one whom the identity provider calls so.
    async fn find_by_subject(
        &self,
        tenant: TenantId,
        subject: &str,
    ) -> Result<Option<User>, StoreError>;
    /// All of them, oldest first.
    async fn list(&self, tenant: TenantId) -> Result<Vec<User>, StoreError>;
    /// Those owners who are not shut out; they stay so until the transaction, one that may write, ends.
    async fn owners(&self, tenant: TenantId) -> Result<Vec<User>, StoreError>;
    /// Writes the step and the recovery codes that are left after a code was used; false when they are not those
    /// of `user` any more: somebody else was faster.
    async fn spend_code(&self, user: &User, after: &Totp) -> Result<bool, StoreError>;
    /// Takes everything from a user but the name: address, password, second factor, logins, links, tokens, grants,
    /// accounts on channels.
    async fn delete(&self, tenant: TenantId, id: UserId, now: Timestamp) -> Result<(), StoreError>;
}

/// Logins and links of a tenant.
#[async_trait]
pub trait LoginRepository: Send + Sync {
    /// Writes a new login, and forgets those that have ended.
    async fn insert_session(&self, session: &UserSession) -> Result<(), StoreError>;
    /// Logins, newest first; `user` narrows.
    async fn sessions(
        &self,
        tenant: TenantId,
        user: Option<UserId>,
    ) -> Result<Vec<UserSession>, StoreError>;
    /// Notes that a login was used, and its user seen.
    async fn touch_session(&self, session: &UserSession, now: Timestamp) -> Result<(), StoreError>;
    /// Ends a login.
    async fn delete_session(&self, tenant: TenantId, id: UserSessionId) -> Result<(), StoreError>;
    /// Ends all logins of a user but one.
    async fn delete_sessions(
        &self,
        tenant: TenantId,
        user: UserId,
        but: Option<UserSessionId>,
    ) -> Result<(), StoreError>;
    /// Writes a new link.
    async fn insert_link(&self, link: &UserLink) -> Result<(), StoreError>;
    /// Links that were not used, newest first.
    async fn links(&self, tenant: TenantId) -> Result<Vec<UserLink>, StoreError>;
    /// Uses a link up; false when it was used before or is gone. Of several who try, one does.
    async fn use_link(
        &self,
        tenant: TenantId,
        id: UserLinkId,
        now: Timestamp,
    ) -> Result<bool, StoreError>;
    /// Takes a link back; false when there is none.
    async fn delete_link(&self, tenant: TenantId, id: UserLinkId) -> Result<bool, StoreError>;
}
