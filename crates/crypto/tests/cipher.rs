//! What sealing promises for any secret and any place.
#![expect(clippy::expect_used, reason = "test code")]

use crypto::{AesGcmCipher, KeyRing};
use domain::{id::TenantId, secret::Secret};
use ports::cipher::{Cipher, CipherError, SealedPlace};
use proptest::prelude::*;
use uuid::Uuid;

fn key(byte: u8) -> Secret {
    Secret::new(format!("{byte:02x}").repeat(32))
}

fn cipher(byte: u8) -> AesGcmCipher {
    AesGcmCipher::new(KeyRing::new(&key(byte)).expect("a key"))
}

fn place<'a>(tenant: u128, table: &'a str, column: &'a str, row: u128) -> SealedPlace<'a> {
    SealedPlace {
        tenant_id: TenantId::from_uuid(Uuid::from_u128(tenant)),
        table,
        column,
        row: Uuid::from_u128(row),
    }
}

fn opened(result: Result<Secret, CipherError>) -> Result<String, CipherError> {
    result.map(|secret| secret.expose().to_owned())
}

proptest! {
    #[test]
    fn what_is_sealed_opens_in_its_place_and_shows_nothing(text in ".{0,200}") {
        let at = place(1, "integrations", "config.bot_token", 2);
        let sealed = cipher(7).seal(at, &Secret::new(text.clone()));
        prop_assert!(sealed.starts_with("enc:v1:"));
        // Shorter texts may turn up in base64 by chance.
        prop_assert!(text.len() < 8 || !sealed.contains(&text));
        prop_assert_eq!(opened(cipher(7).open(at, &sealed)), Ok(text));
    }

    #[test]
    fn a_flipped_bit_never_opens(text in "[a-z]{8,40}", position in any::<prop::sample::Index>(), bit in 0..7_u8) {
        let at = place(1, "t", "c", 2);
        let sealed = cipher(7).seal(at, &Secret::new(text.clone()));
        let mut bytes = sealed.clone().into_bytes();
        let index = position.index(bytes.len());
        bytes[index] ^= 1 << bit;
        let altered = String::from_utf8(bytes).expect("still ASCII");
        let error = opened(cipher(7).open(at, &altered)).expect_err("altered");
        let in_body = index > sealed.rfind(':').expect("a body");
        if in_body {
            prop_assert!(matches!(error, CipherError::Tampered | CipherError::Malformed), "{error:?}");
        }
        prop_assert!(!error.to_string().contains(&text));
    }

    #[test]
    fn garbage_is_an_error_and_no_panic(text in "(enc:)?(v1:)?.{0,60}") {
        prop_assert!(cipher(7).open(place(1, "t", "c", 2), &text).is_err());
    }
}

#[test]
fn a_value_moved_to_another_place_is_tampered() {
    let sealed = cipher(7).seal(place(1, "ab", "c", 2), &Secret::new("canary"));
    let elsewhere = [
        place(9, "ab", "c", 2),
        place(1, "a", "bc", 2),
        place(1, "ab", "d", 2),
        place(1, "ab", "c", 9),
    ];
    for at in elsewhere {
        assert_eq!(
            opened(cipher(7).open(at, &sealed)),
            Err(CipherError::Tampered)
        );
    }
}

#[test]
fn a_foreign_key_is_named_and_an_older_one_still_opens() {
    let at = place(1, "t", "c", 2);
    let sealed = cipher(7).seal(at, &Secret::new("canary"));
    let key_id = KeyRing::new(&key(7))
        .expect("a key")
        .current_id()
        .to_owned();
    assert_eq!(
        opened(cipher(8).open(at, &sealed)),
        Err(CipherError::UnknownKey { key_id })
    );
    let rotated = KeyRing::of(&[key(8), key(7)]).expect("keys");
    let rotated = AesGcmCipher::new(rotated);
    assert_eq!(opened(rotated.open(at, &sealed)), Ok("canary".to_owned()));
    assert!(!rotated.is_current(&sealed) && cipher(7).is_current(&sealed));
    let again = rotated.seal(at, &Secret::new("canary"));
    assert!(rotated.is_current(&again) && cipher(8).is_current(&again));
    assert!(!rotated.is_current("canary") && !rotated.is_current("enc:v2:00000000:AAAA"));
}

#[test]
fn sealing_twice_gives_two_texts() {
    let at = place(1, "t", "c", 2);
    let secret = Secret::new("canary");
    assert_ne!(cipher(7).seal(at, &secret), cipher(7).seal(at, &secret));
}

#[test]
fn unversioned_and_foreign_text_is_told_apart() {
    let at = place(1, "t", "c", 2);
    for (text, error) in [
        ("enc:aXY=:dGFn:ZGF0YQ==", CipherError::Unversioned),
        ("enc:", CipherError::Unversioned),
        ("enc:v2:00000000:AAAA", CipherError::Malformed),
        ("enc:v1:00000000", CipherError::Malformed),
        ("enc:v1:not an id:AAAA", CipherError::Malformed),
        ("123456:plain-token", CipherError::Malformed),
    ] {
        assert_eq!(opened(cipher(7).open(at, text)), Err(error), "{text}");
    }
}
