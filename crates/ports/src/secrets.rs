//! Making secrets and recognising them again without keeping them.

use domain::secret::Secret;

/// Makes and fingerprints tokens.
pub trait Secrets: Send + Sync {
    /// A fresh token that nobody can guess; letters, digits, `-` and `_` only.
    fn generate(&self) -> Secret;

    /// What is stored of a token: hex SHA-256. The token cannot be had back from it.
    fn hash(&self, token: &Secret) -> String;

    /// Hex SHA-256 of what is no secret: the links of the audit trail.
    fn digest(&self, content: &[u8]) -> String;
}
