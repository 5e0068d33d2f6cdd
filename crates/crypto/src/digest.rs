//! Hashes of tokens and checks of signatures. Every comparison of a secret happens here, in
//! constant time.

use domain::secret::Secret;
use ring::hmac;

/// Separates the comparison from any other HMAC in the process; it is not a secret.
const COMPARE: &[u8] = b"nitejar constant time comparison";

/// The form in which a token is stored and looked up: hex SHA-256. Tokens are 256 random bits, so
/// no salt or stretching is needed.
pub fn token_hash(token: &str) -> String {
    digest(token.as_bytes())
}

/// Hex SHA-256.
pub fn digest(content: &[u8]) -> String {
    hex::encode(ring::digest::digest(&ring::digest::SHA256, content))
}

/// Whether `signature` is the HMAC-SHA256 of `message` under `key`.
pub fn verify_hmac_sha256(key: &Secret, message: &[u8], signature: &[u8]) -> bool {
    let key = hmac::Key::new(hmac::HMAC_SHA256, key.expose().as_bytes());
    hmac::verify(&key, message, signature).is_ok()
}

/// Whether two secrets are equal. Both sides are hashed first, so neither content nor length of
/// the expected one shows in the time it takes.
pub fn constant_time_eq(given: &[u8], expected: &[u8]) -> bool {
    let key = hmac::Key::new(hmac::HMAC_SHA256, COMPARE);
    hmac::verify(&key, given, hmac::sign(&key, expected).as_ref()).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_signature_fits_only_its_key_and_message() {
        // RFC 4231, test case 2.
        let signature =
            hex::decode("5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843")
                .expect("hex");
        let key = Secret::new("Jefe");
        let message = b"what do ya want for nothing?";
        assert!(verify_hmac_sha256(&key, message, &signature));
        assert!(!verify_hmac_sha256(&key, b"something else", &signature));
        assert!(!verify_hmac_sha256(
            &Secret::new("Jeff"),
            message,
            &signature
        ));
        assert!(!verify_hmac_sha256(&key, message, &[]));
    }

    #[test]
    fn secrets_of_any_length_compare_by_value() {
        assert!(constant_time_eq(b"", b""));
        assert!(constant_time_eq(b"same", b"same"));
        assert!(!constant_time_eq(b"same", b"sama"));
        assert!(!constant_time_eq(b"short", b"shorter"));
    }

    #[test]
    fn token_hashes_are_plain_sha256() {
        assert_eq!(
            token_hash("abc"),
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
        );
    }
}
