//! Codes that change with time (RFC 6238 over RFC 4226): HMAC-SHA-1, six digits, steps of 30 seconds, as every
//! authenticator app knows them. That a code is good only once is the caller's business.

use crate::{constant_time_eq, random};
use domain::secret::Secret;
use ring::hmac;

const STEP_SECONDS: i64 = 30;
const ALPHABET: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";

/// A fresh shared secret: 160 random bits in base32.
pub(crate) fn new_secret() -> Secret {
    Secret::new(base32(&random::bytes::<20>()))
}

/// The code that an authenticator app with this secret shows at this second.
pub fn totp_code(secret: &Secret, seconds: i64) -> Option<String> {
    code_at(&key_of(secret)?, seconds.div_euclid(STEP_SECONDS))
}

/// The step whose code this is: the present one, the one before or the one after.
pub(crate) fn step_of(secret: &Secret, code: &str, seconds: i64) -> Option<i64> {
    let key = key_of(secret)?;
    let now = seconds.div_euclid(STEP_SECONDS);
    let mut found = None;
    // All three are looked at, whichever fits.
    for step in [now - 1, now, now + 1] {
        let expected = code_at(&key, step)?;
        if constant_time_eq(code.as_bytes(), expected.as_bytes()) {
            found = Some(step);
        }
    }
    found
}

fn key_of(secret: &Secret) -> Option<hmac::Key> {
    let key = from_base32(secret.expose())?;
    let algorithm = hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY;
    Some(hmac::Key::new(algorithm, &key))
}

/// RFC 4226, 5.3.
fn code_at(key: &hmac::Key, step: i64) -> Option<String> {
    let tag = hmac::sign(key, &step.to_be_bytes());
    let tag = tag.as_ref();
    let offset = usize::from(tag.last()? & 0x0f);
    let word = tag.get(offset..offset + 4)?.try_into().ok()?;
    let number = u32::from_be_bytes(word) & 0x7fff_ffff;
    Some(format!("{:06}", number % 1_000_000))
}

/// RFC 4648, without padding.
pub(crate) fn base32(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len().div_ceil(5) * 8);
    let (mut held, mut bits) = (0_u32, 0);
    for byte in bytes {
        held = (held << 8) | u32::from(*byte);
        bits += 8;
        while bits >= 5 {
            bits -= 5;
            text.push(digit(held >> bits));
        }
    }
    if bits > 0 {
        text.push(digit(held << (5 - bits)));
    }
    text
}

fn digit(value: u32) -> char {
    let index = usize::try_from(value & 31).unwrap_or_default();
    ALPHABET.get(index).copied().map_or('A', char::from)
}

fn from_base32(text: &str) -> Option<Vec<u8>> {
    let mut bytes = Vec::with_capacity(text.len() * 5 / 8);
    let (mut held, mut bits) = (0_u32, 0);
    for char in text.bytes() {
        let value = ALPHABET.iter().position(|digit| *digit == char)?;
        held = (held << 5) | u32::try_from(value).ok()?;
        bits += 5;
        if bits >= 8 {
            bits -= 8;
            bytes.push(u8::try_from((held >> bits) & 0xff).ok()?);
        }
    }
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_those_of_rfc_6238() {
        // Appendix B, SHA-1, the last six of eight digits.
        let secret = Secret::new(base32(b"12345678901234567890"));
        assert_eq!(secret.expose(), "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ");
        for (seconds, code) in [
            (59, "287082"),
            (1_111_111_109, "081804"),
            (1_111_111_111, "050471"),
            (1_234_567_890, "005924"),
            (2_000_000_000, "279037"),
            (20_000_000_000, "353130"),
        ] {
            assert_eq!(step_of(&secret, code, seconds), Some(seconds / 30));
        }
    }

    #[test]
    fn a_code_is_good_one_step_early_and_one_late_and_no_more() {
        let secret = Secret::new(base32(b"12345678901234567890"));
        let step = 59 / 30;
        for (seconds, found) in [
            (-1, None),
            (0, Some(step)),
            (59, Some(step)),
            (89, Some(step)),
            (90, None),
        ] {
            assert_eq!(step_of(&secret, "287082", seconds), found, "{seconds}");
        }
        for code in ["", "28708", "2870822", "287083", "２８７０８２"] {
            assert_eq!(step_of(&secret, code, 59), None, "{code}");
        }
    }

    #[test]
    fn base32_is_that_of_rfc_4648() {
        for (bytes, text) in [
            ("", ""),
            ("f", "MY"),
            ("fo", "MZXQ"),
            ("foo", "MZXW6"),
            ("foob", "MZXW6YQ"),
            ("foobar", "MZXW6YTBOI"),
        ] {
            assert_eq!(base32(bytes.as_bytes()), text);
            assert_eq!(from_base32(text).unwrap(), bytes.as_bytes());
        }
        assert!(from_base32("not base32!").is_none());
    }
}
