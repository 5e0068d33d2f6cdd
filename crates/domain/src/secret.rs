//! Text that must never be seen: keys, tokens, webhook secrets.

use serde_json::Value;
use std::{
    borrow::Cow,
    sync::{PoisonError, RwLock},
};
use zeroize::Zeroizing;

/// A secret in memory. It has no `Debug`, `Display` or `Serialize`, so it cannot reach a log, an
/// error or a response by accident; [`Secret::expose`] is the one, greppable way out.
#[derive(Clone)]
pub struct Secret(Zeroizing<String>);

impl Secret {
    /// Takes ownership of the plain text; it is wiped when dropped.
    pub fn new(text: impl Into<String>) -> Self {
        Self(Zeroizing::new(text.into()))
    }

    /// The plain text, for the one call that needs it.
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// Whether nothing was given.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// What a redacted secret is replaced with.
pub const REDACTED: &str = "[redacted]";

/// Shorter values are not treated as secrets: replacing them would tear ordinary text apart.
const SHORTEST: usize = 8;

/// Knows the exact values of every secret the process has opened and removes them from text on
/// its way to a log, an event or an error.
#[derive(Default)]
pub struct Redactor {
    known: RwLock<Vec<Secret>>,
}

impl Redactor {
    /// Remembers a secret; the same value is kept once.
    pub fn learn(&self, secret: &Secret) {
        if secret.expose().len() < SHORTEST {
            return;
        }
        let mut known = self.known.write().unwrap_or_else(PoisonError::into_inner);
        if known.iter().all(|k| k.expose() != secret.expose()) {
            known.push(secret.clone());
        }
    }

    /// The text without any known secret; borrowed when there was none.
    pub fn redact<'t>(&self, text: &'t str) -> Cow<'t, str> {
        let known = self.known.read().unwrap_or_else(PoisonError::into_inner);
        let mut clean = Cow::Borrowed(text);
        for secret in known.iter() {
            if clean.contains(secret.expose()) {
                clean = Cow::Owned(clean.replace(secret.expose(), REDACTED));
            }
        }
        clean
    }

    /// The same for every text in a JSON value; names of fields stay.
    pub fn redact_json(&self, value: &mut Value) {
        match value {
            Value::String(text) => {
                if let Cow::Owned(clean) = self.redact(text) {
                    *text = clean;
                }
            }
            Value::Array(items) => items.iter_mut().for_each(|item| self.redact_json(item)),
            Value::Object(fields) => fields
                .values_mut()
                .for_each(|value| self.redact_json(value)),
            Value::Null | Value::Bool(_) | Value::Number(_) => {}
        }
    }

    /// Where in the text a known secret may begin whose rest is still to come; the end where none does.
    pub fn open_end(&self, text: &str) -> usize {
        let known = self.known.read().unwrap_or_else(PoisonError::into_inner);
        let begun = known.iter().filter_map(|secret| {
            let secret = secret.expose();
            let parts = secret
                .char_indices()
                .rev()
                .map(|(end, _)| secret.get(..end));
            let begun = parts.flatten().find(|part| text.ends_with(part));
            begun.map(str::len)
        });
        text.len() - begun.max().unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_secrets_are_removed_and_other_text_is_borrowed() {
        let redactor = Redactor::default();
        redactor.learn(&Secret::new("123456:ABC-canary"));
        redactor.learn(&Secret::new("abc"));
        assert_eq!(
            redactor.redact("url/bot123456:ABC-canary/getMe"),
            "url/bot[redacted]/getMe"
        );
        assert!(matches!(
            redactor.redact("abc is too short to be a secret"),
            Cow::Borrowed(_)
        ));
    }

    #[test]
    fn an_end_that_may_begin_a_secret_is_found() {
        let redactor = Redactor::default();
        assert_eq!(redactor.open_end("any text"), 8);
        redactor.learn(&Secret::new("abcabd-é-canary"));
        redactor.learn(&Secret::new("bd-other-canary"));
        for (text, held) in [
            ("", ""),
            ("plain", ""),
            ("xa", "a"),
            ("x abcab", "abcab"),
            ("abcabcab", "abcab"),
            ("xbd", "bd"),
            ("abcabd", "abcabd"),
            ("abcabd-é", "abcabd-é"),
            ("abcabd-é-canary", ""),
            ("ab cd", ""),
        ] {
            assert_eq!(&text[redactor.open_end(text)..], held, "{text}");
        }
    }
}
