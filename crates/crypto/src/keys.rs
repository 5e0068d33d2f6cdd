//! Key material: how it is read from text and which key opens what. Raw bytes never leave here.

use base64::{
    Engine as _,
    alphabet::{STANDARD, URL_SAFE},
    engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig},
};
use domain::secret::Secret;
use ring::{
    aead::{AES_256_GCM, LessSafeKey, UnboundKey},
    digest::{Context, SHA256},
};
use zeroize::Zeroizing;

/// Bytes of a key.
pub(crate) const KEY_BYTES: usize = 32;
/// Keeps the id apart from any other use of a hash of the key.
const ID_DOMAIN: &[u8] = b"nitejar encryption key id v1\0";
/// Enough to tell a handful of keys apart, too little to help anyone guess one.
const ID_CHARACTERS: usize = 8;

/// Text that is not a key. It says what was found in lengths only, never the text.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "an encryption key is 32 bytes written as 64 hex digits or 44 base64 characters, but {found}; \
     make one with `openssl rand -hex 32`"
)]
pub struct MalformedKey {
    /// What was found instead.
    found: String,
}

/// The keys this server holds: one that seals, and older ones that still open.
pub struct KeyRing {
    current: SealingKey,
    older: Vec<SealingKey>,
}

impl KeyRing {
    /// A ring of one key, given as hex or base64 text; white space around it is ignored.
    pub fn new(current: &Secret) -> Result<Self, MalformedKey> {
        Ok(Self {
            current: SealingKey::parse(current)?,
            older: Vec::new(),
        })
    }

    /// The ring with one more key that opens what was sealed before a rotation.
    pub fn with_older(mut self, older: &Secret) -> Result<Self, MalformedKey> {
        self.older.push(SealingKey::parse(older)?);
        Ok(self)
    }

    /// A ring of keys of which the first one seals.
    pub fn of(keys: &[Secret]) -> Result<Self, MalformedKey> {
        let none = Secret::new("");
        let (current, older) = keys.split_first().unwrap_or((&none, &[]));
        older.iter().try_fold(Self::new(current)?, Self::with_older)
    }

    /// The id of the key that seals; safe to show.
    pub fn current_id(&self) -> &str {
        &self.current.id
    }

    /// How many keys it holds.
    pub fn count(&self) -> usize {
        self.older.len() + 1
    }

    /// Whether it opens what was sealed with the key of this id.
    pub fn opens(&self, id: &str) -> bool {
        self.find(id).is_some()
    }

    pub(crate) fn current(&self) -> &SealingKey {
        &self.current
    }

    pub(crate) fn find(&self, id: &str) -> Option<&SealingKey> {
        std::iter::once(&self.current)
            .chain(&self.older)
            .find(|key| key.id == id)
    }
}

/// One key, ready for use.
pub(crate) struct SealingKey {
    pub(crate) id: String,
    pub(crate) aead: LessSafeKey,
}

impl SealingKey {
    fn parse(text: &Secret) -> Result<Self, MalformedKey> {
        let bytes = decode(text.expose().trim())?;
        let malformed = || MalformedKey {
            found: format!("this one is {} bytes", bytes.len()),
        };
        if bytes.len() != KEY_BYTES {
            return Err(malformed());
        }
        // ring's only complaint is a wrong length, which is excluded above.
        let unbound = UnboundKey::new(&AES_256_GCM, &bytes).map_err(|_unspecified| malformed())?;
        Ok(Self {
            id: key_id(&bytes),
            aead: LessSafeKey::new(unbound),
        })
    }
}

fn key_id(key: &[u8]) -> String {
    let mut hash = Context::new(&SHA256);
    hash.update(ID_DOMAIN);
    hash.update(key);
    let mut id = hex::encode(hash.finish());
    id.truncate(ID_CHARACTERS);
    id
}

/// 64 characters of hex are also valid base64 (of 48 bytes), so hex goes first.
fn decode(text: &str) -> Result<Zeroizing<Vec<u8>>, MalformedKey> {
    if text.is_empty() {
        return Err(MalformedKey {
            found: "none was given".to_owned(),
        });
    }
    if let Ok(bytes) = hex::decode(text) {
        return Ok(Zeroizing::new(bytes));
    }
    let lenient =
        GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent);
    [&STANDARD, &URL_SAFE]
        .into_iter()
        .find_map(|alphabet| GeneralPurpose::new(alphabet, lenient).decode(text).ok())
        .map(Zeroizing::new)
        .ok_or_else(|| MalformedKey {
            found: format!(
                "these {} characters are neither hex nor base64",
                text.chars().count()
            ),
        })
}

#[cfg(test)]
mod tests {
    use super::*;
    use base64::prelude::{BASE64_STANDARD, BASE64_URL_SAFE_NO_PAD};

    #[test]
    fn one_key_has_one_id_in_every_spelling() {
        let bytes = [0xfb; KEY_BYTES];
        let spellings = [
            hex::encode(bytes),
            hex::encode_upper(bytes),
            format!(" {}\n", hex::encode(bytes)),
            BASE64_STANDARD.encode(bytes),
            BASE64_URL_SAFE_NO_PAD.encode(bytes),
        ];
        let ids = spellings.map(|text| {
            let ring = KeyRing::new(&Secret::new(text)).expect("a key");
            ring.current_id().to_owned()
        });
        assert!(ids.iter().all(|id| *id == ids[0] && id.len() == 8));
        // Written beside every sealed value: it must never change.
        assert_eq!(ids[0], "32f65d4c");
    }

    #[test]
    fn a_bad_key_is_refused_without_being_shown() {
        for (text, found) in [
            ("", "none was given"),
            ("hunter2hunter2!", "these 15 characters are neither"),
            ("abcdef", "this one is 3 bytes"),
        ] {
            let error = KeyRing::new(&Secret::new(text)).err().expect("refused");
            let shown = error.to_string();
            assert!(shown.contains(found), "{shown}");
            assert!(text.is_empty() || !shown.contains(text), "{shown}");
        }
    }
}
