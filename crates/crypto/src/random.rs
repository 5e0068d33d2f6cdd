//! Random secrets from the operating system.

use base64::prelude::{BASE64_URL_SAFE_NO_PAD, Engine as _};
use domain::secret::Secret;
use ring::rand::{SecureRandom, SystemRandom};

/// Marks our tokens, so that secret scanners find leaked ones.
const TOKEN_PREFIX: &str = "nj_";

/// A fresh bearer token: `nj_` and 32 random bytes in base64url.
pub fn new_token() -> Secret {
    Secret::new(format!("{TOKEN_PREFIX}{}", text()))
}

/// 32 random bytes in base64url, for webhook secrets.
pub fn random_secret() -> Secret {
    Secret::new(text())
}

/// Random bytes.
#[expect(
    clippy::expect_used,
    reason = "without randomness nothing may be sealed or handed out; stopping is the only safe answer"
)]
pub(crate) fn bytes<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    SystemRandom::new()
        .fill(&mut bytes)
        .expect("the operating system gives random bytes");
    bytes
}

fn text() -> String {
    BASE64_URL_SAFE_NO_PAD.encode(bytes::<32>())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_are_marked_long_and_never_the_same() {
        let (a, b) = (new_token(), new_token());
        assert!(a.expose().starts_with(TOKEN_PREFIX));
        assert_eq!(a.expose().len(), TOKEN_PREFIX.len() + 43);
        assert_ne!(a.expose(), b.expose());
    }
}
