//! Proving that somebody is who they say: passwords and codes that change with time.

use crate::BoxError;
use async_trait::async_trait;
use domain::{Timestamp, secret::Secret};

/// Makes and checks what people sign in with.
#[async_trait]
pub trait Credentials: Send + Sync {
    /// What is stored of a password; slow on purpose.
    async fn hash_password(&self, password: &Secret) -> Result<String, BoxError>;

    /// Whether the password is the one that was hashed. Without a hash it is not, and that takes as long.
    async fn verify_password(
        &self,
        password: &Secret,
        hash: Option<&str>,
    ) -> Result<bool, BoxError>;

    /// A fresh secret for an authenticator app, in base32.
    fn new_totp_secret(&self) -> Secret;

    /// The time step whose code this is (RFC 6238, six digits, 30 seconds), one step early or late included.
    fn totp_step(&self, secret: &Secret, code: &str, now: Timestamp) -> Option<i64>;

    /// A fresh code for the day the authenticator app is lost.
    fn new_recovery_code(&self) -> Secret;
}
