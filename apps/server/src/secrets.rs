//! Tokens, made and fingerprinted by the crypto crate.

use domain::secret::Secret;
use ports::secrets::Secrets;

/// The [`Secrets`] port over the crypto crate.
pub(crate) struct RingSecrets;

impl Secrets for RingSecrets {
    fn generate(&self) -> Secret {
        crypto::new_token()
    }

    fn hash(&self, token: &Secret) -> String {
        crypto::token_hash(token.expose())
    }

    fn digest(&self, content: &[u8]) -> String {
        crypto::digest(content)
    }
}
