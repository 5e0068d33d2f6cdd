//! Encryption of single values at rest.

use domain::{id::TenantId, secret::Secret};
use uuid::Uuid;

/// The place a sealed value belongs to. It is authenticated with the value, so that a sealed text
/// copied to another row, column or tenant does not open there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SealedPlace<'a> {
    /// The tenant.
    pub tenant_id: TenantId,
    /// The table.
    pub table: &'a str,
    /// The column, with the JSON field where one column holds several secrets.
    pub column: &'a str,
    /// The row.
    pub row: Uuid,
}

/// Why a value did not open. None of these ever carries plaintext or key material.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum CipherError {
    /// Sealed with a key that this server does not hold.
    #[error(
        "sealed with key {key_id}, which this server does not have; give that key in ENCRYPTION_KEY, or in \
         ENCRYPTION_KEY_PREVIOUS beside a newer one"
    )]
    UnknownKey {
        /// The id written beside the value.
        key_id: String,
    },
    /// Altered, or moved from another row.
    #[error(
        "the sealed value was altered or belongs to another row; restore it from a backup or enter the secret again"
    )]
    Tampered,
    /// `enc:` without a version.
    #[error(
        "`enc:` without a version is not accepted because it names no key; enter the secret again to store it as enc:v1"
    )]
    Unversioned,
    /// Not sealed text at all.
    #[error("not a sealed value; enter the secret again")]
    Malformed,
}

/// Seals and opens secrets as `enc:v1:<key id>:<base64>`.
pub trait Cipher: Send + Sync {
    /// Encrypts for one place.
    fn seal(&self, place: SealedPlace<'_>, secret: &Secret) -> String;

    /// Decrypts what was sealed for that very place.
    fn open(&self, place: SealedPlace<'_>, sealed: &str) -> Result<Secret, CipherError>;

    /// Whether a text was sealed with the key that seals now. It need not open.
    fn is_current(&self, sealed: &str) -> bool;
}
