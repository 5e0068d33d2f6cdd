//! Encryption at rest, key files, random tokens, signature checks and codes that change with time, all on ring;
//! passwords on argon2.
//!
//! Nothing here reads configuration or talks to a database: the server hands in key material and
//! gets back a [`ports::cipher::Cipher`]. No type that holds a key has `Debug`.

mod cipher;
mod digest;
mod key_file;
mod keys;
mod password;
mod random;
mod rotation;
mod totp;

pub use cipher::AesGcmCipher;
pub use digest::{constant_time_eq, digest, token_hash, verify_hmac_sha256};
pub use key_file::{KeyFileError, load_or_create_keys};
pub use keys::{KeyRing, MalformedKey};
pub use password::{Argon2Credentials, PasswordCost};
pub use random::{new_token, random_secret};
pub use rotation::Rotation;
pub use totp::totp_code;
