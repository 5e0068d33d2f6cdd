//! `enc:v1`: AES-256-GCM bound to the place a value is stored at. The format is on disk in every
//! installation; a change to it is a new version beside this one, never an edit.

use crate::{keys::KeyRing, random};
use base64::prelude::{BASE64_STANDARD, Engine as _};
use domain::secret::Secret;
use ports::cipher::{Cipher, CipherError, SealedPlace};
use ring::aead::{Aad, NONCE_LEN, Nonce};

const PREFIX: &str = "enc:";
const VERSION: &str = "v1:";

/// Seals as `enc:v1:<key id>:<base64 of nonce, ciphertext and tag>`.
pub struct AesGcmCipher {
    keys: KeyRing,
}

impl AesGcmCipher {
    /// A cipher with these keys.
    pub fn new(keys: KeyRing) -> Self {
        Self { keys }
    }
}

impl Cipher for AesGcmCipher {
    #[expect(
        clippy::expect_used,
        reason = "ring refuses only texts above 64 GiB, which no secret is"
    )]
    fn seal(&self, place: SealedPlace<'_>, secret: &Secret) -> String {
        let key = self.keys.current();
        let nonce: [u8; NONCE_LEN] = random::bytes();
        let mut body = secret.expose().as_bytes().to_vec();
        let tag = key
            .aead
            .seal_in_place_separate_tag(
                Nonce::assume_unique_for_key(nonce),
                Aad::from(canonical(place)),
                &mut body,
            )
            .expect("a secret fits into one AES-GCM message");
        let sealed = [&nonce, body.as_slice(), tag.as_ref()].concat();
        format!(
            "{PREFIX}{VERSION}{}:{}",
            key.id,
            BASE64_STANDARD.encode(sealed)
        )
    }

    fn open(&self, place: SealedPlace<'_>, sealed: &str) -> Result<Secret, CipherError> {
        let (key_id, text) = split(sealed)?;
        let key = self
            .keys
            .find(key_id)
            .ok_or_else(|| CipherError::UnknownKey {
                key_id: key_id.to_owned(),
            })?;
        let mut buffer = BASE64_STANDARD
            .decode(text)
            .map_err(|_not_base64| CipherError::Malformed)?;
        let nonce: [u8; NONCE_LEN] = *buffer.first_chunk().ok_or(CipherError::Malformed)?;
        let plain = key
            .aead
            .open_within(
                Nonce::assume_unique_for_key(nonce),
                Aad::from(canonical(place)),
                &mut buffer,
                NONCE_LEN..,
            )
            .map_err(|_unspecified| CipherError::Tampered)?
            .len();
        // The plaintext now starts the buffer; the rest of its capacity is wiped with the secret.
        buffer.truncate(plain);
        String::from_utf8(buffer)
            .map(Secret::new)
            .map_err(|_not_text| CipherError::Malformed)
    }

    fn is_current(&self, sealed: &str) -> bool {
        split(sealed).is_ok_and(|(key_id, _)| key_id == self.keys.current_id())
    }
}

/// Key id and base64 of a sealed text.
fn split(sealed: &str) -> Result<(&str, &str), CipherError> {
    let rest = sealed.strip_prefix(PREFIX).ok_or(CipherError::Malformed)?;
    if let Some(body) = rest.strip_prefix(VERSION) {
        let (key_id, text) = body.split_once(':').ok_or(CipherError::Malformed)?;
        // The id is repeated in an error, so only what can be an id gets there.
        let plausible = key_id.len() == 8 && key_id.bytes().all(|b| b.is_ascii_hexdigit());
        return if plausible {
            Ok((key_id, text))
        } else {
            Err(CipherError::Malformed)
        };
    }
    let version = rest.split(':').next().and_then(|v| v.strip_prefix('v'));
    let versioned = version.is_some_and(|v| !v.is_empty() && v.bytes().all(|b| b.is_ascii_digit()));
    Err(if versioned {
        CipherError::Malformed
    } else {
        CipherError::Unversioned
    })
}

/// Tenant, table, column and row, each with its length before it, so that no two places read alike.
fn canonical(place: SealedPlace<'_>) -> Vec<u8> {
    let tenant = place.tenant_id.as_uuid();
    let fields: [&[u8]; 4] = [
        tenant.as_bytes(),
        place.table.as_bytes(),
        place.column.as_bytes(),
        place.row.as_bytes(),
    ];
    let mut aad = Vec::new();
    for field in fields {
        aad.extend_from_slice(&(field.len() as u64).to_be_bytes());
        aad.extend_from_slice(field);
    }
    aad
}
