//! What providers answer when they do not answer: statuses, error bodies, error events.
//!
//! Everything a person or a log may see passes through here, so nothing long and no key leaves.

use domain::secret::{REDACTED, Secret};
use ports::inference::InferenceError;
use reqwest::{StatusCode, header::HeaderMap};
use serde_json::Value;
use std::time::Duration;

use domain::Timestamp;

/// The most of a provider's own words that is passed on.
const MAX_MESSAGE: usize = 300;

/// Why an answer failed, before it is known to whom it is told.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Failure {
    Busy(String, Option<Duration>),
    Unavailable(String),
    Interrupted(String),
    Rejected(u16, String),
}

impl Failure {
    /// Names the provider and removes its key from the text.
    pub(crate) fn of(self, provider: &str, key: Option<&Secret>) -> InferenceError {
        let provider = provider.to_owned();
        match self {
            Self::Busy(message, retry_after) => InferenceError::Busy {
                provider,
                message: clean(&message, key),
                retry_after,
            },
            Self::Unavailable(message) => InferenceError::Unavailable {
                provider,
                message: clean(&message, key),
            },
            Self::Interrupted(message) => InferenceError::Interrupted {
                provider,
                message: clean(&message, key),
            },
            Self::Rejected(status, message) => InferenceError::Rejected {
                provider,
                status,
                message: clean(&message, key),
            },
        }
    }

    /// Judges a response that is not a success.
    pub(crate) fn from_response(
        status: StatusCode,
        headers: &HeaderMap,
        body: &[u8],
        now: Timestamp,
    ) -> Self {
        let said = Said::parse(body);
        let message = said.message.clone().unwrap_or_else(|| {
            let reason = status.canonical_reason().unwrap_or("no reason given");
            format!("{} {reason}", status.as_u16())
        });
        let wait = retry_after(headers, now);
        let code = status.as_u16();
        match code {
            // Waiting does not refill an empty account.
            429 if said.is("insufficient_quota") => Self::Rejected(code, message),
            429 | 529 => Self::Busy(message, wait),
            503 if wait.is_some() => Self::Busy(message, wait),
            408 | 500..=599 if said.is_overloaded() => Self::Busy(message, wait),
            408 | 500..=599 => Self::Unavailable(message),
            300..=399 => Self::Rejected(
                code,
                format!("{message}: the endpoint redirects; set its base URL to the final address"),
            ),
            _ => Self::Rejected(code, message),
        }
    }

    /// Judges the error object of an event inside a stream.
    pub(crate) fn from_event(error: &Value) -> Self {
        let said = Said::from_error(error);
        let message = said
            .message
            .clone()
            .unwrap_or_else(|| "an error without a message".to_owned());
        let status = said.code.as_deref().and_then(|c| c.parse::<u16>().ok());
        if said.is_overloaded() || matches!(status, Some(429 | 529)) {
            return Self::Busy(message, None);
        }
        match status {
            Some(status @ 400..=499) => Self::Rejected(status, message),
            _ if said.is("invalid_request_error") => Self::Rejected(400, message),
            _ => Self::Interrupted(message),
        }
    }
}

/// Reads the body of an error in any of the shapes that providers use.
#[derive(Debug, Default)]
struct Said {
    message: Option<String>,
    kind: Option<String>,
    code: Option<String>,
}

impl Said {
    fn parse(body: &[u8]) -> Self {
        match serde_json::from_slice::<Value>(body) {
            Ok(Value::Array(list)) => list.first().map(Self::from_body).unwrap_or_default(),
            Ok(value) => Self::from_body(&value),
            Err(_) => {
                let text = String::from_utf8_lossy(body);
                let text = text.trim();
                // A page of HTML from a proxy explains nothing.
                let usable = !text.is_empty() && !text.starts_with('<');
                Self {
                    message: usable.then(|| text.to_owned()),
                    ..Self::default()
                }
            }
        }
    }

    fn from_body(body: &Value) -> Self {
        match body.get("error") {
            Some(error) if !error.is_null() => Self::from_error(error),
            _ => Self::from_error(body),
        }
    }

    fn from_error(error: &Value) -> Self {
        let word = |name: &str| match error.get(name) {
            Some(Value::String(text)) => Some(text.clone()),
            Some(Value::Number(number)) => Some(number.to_string()),
            _ => None,
        };
        Self {
            message: error
                .as_str()
                .map(str::to_owned)
                .or_else(|| word("message"))
                .or_else(|| word("detail")),
            kind: word("type"),
            code: word("code"),
        }
    }

    fn is(&self, word: &str) -> bool {
        self.kind.as_deref() == Some(word) || self.code.as_deref() == Some(word)
    }

    fn is_overloaded(&self) -> bool {
        [
            "overloaded_error",
            "rate_limit_error",
            "rate_limit_exceeded",
            "server_overloaded",
        ]
        .iter()
        .any(|word| self.is(word))
    }
}

/// How long the provider asks to wait: seconds, milliseconds or a date.
fn retry_after(headers: &HeaderMap, now: Timestamp) -> Option<Duration> {
    let text = |name| headers.get(name)?.to_str().ok().map(str::trim);
    if let Some(millis) = text("retry-after-ms").and_then(|t| t.parse::<f64>().ok()) {
        return Duration::try_from_secs_f64(millis / 1000.0).ok();
    }
    let value = text("retry-after")?;
    if let Ok(seconds) = value.parse::<f64>() {
        return Duration::try_from_secs_f64(seconds).ok();
    }
    let date = chrono::DateTime::parse_from_rfc2822(value).ok()?;
    let wait = date.with_timezone(&chrono::Utc) - now;
    Some(wait.to_std().unwrap_or(Duration::ZERO))
}

/// One line, without the key, cut to a sensible length.
fn clean(message: &str, key: Option<&Secret>) -> String {
    let mut text = message.split_whitespace().collect::<Vec<_>>().join(" ");
    if let Some(key) = key.filter(|key| !key.is_empty()) {
        text = text.replace(key.expose(), REDACTED);
    }
    match text.char_indices().nth(MAX_MESSAGE) {
        Some((end, _)) => {
            text.truncate(end);
            text + "…"
        }
        None => text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(name: &'static str, value: &'static str) -> HeaderMap {
        let mut headers = HeaderMap::new();
        headers.insert(name, value.parse().unwrap());
        headers
    }

    fn judge(status: u16, headers: &HeaderMap, body: &str) -> Failure {
        let now = Timestamp::from_timestamp(1_445_412_470, 0).unwrap();
        let status = StatusCode::from_u16(status).unwrap();
        Failure::from_response(status, headers, body.as_bytes(), now)
    }

    #[test]
    fn retry_after_is_read_as_seconds_and_as_a_date() {
        let body = r#"{"type":"error","error":{"type":"rate_limit_error","message":"slow"}}"#;
        let busy = |seconds| Failure::Busy("slow".to_owned(), Some(Duration::from_secs(seconds)));
        assert_eq!(judge(429, &headers("retry-after", "7"), body), busy(7));
        let date = "Wed, 21 Oct 2015 07:28:00 GMT";
        assert_eq!(judge(529, &headers("retry-after", date), body), busy(10));
        let past = "Wed, 21 Oct 2015 07:00:00 GMT";
        assert_eq!(judge(503, &headers("retry-after", past), body), busy(0));
    }

    #[test]
    fn an_empty_account_is_not_worth_waiting_for() {
        let body = r#"{"error":{"message":"no money","code":"insufficient_quota"}}"#;
        assert_eq!(
            judge(429, &HeaderMap::new(), body),
            Failure::Rejected(429, "no money".to_owned())
        );
    }

    #[test]
    fn pages_of_html_are_not_repeated() {
        assert_eq!(
            judge(502, &HeaderMap::new(), "<html>bad</html>"),
            Failure::Unavailable("502 Bad Gateway".to_owned())
        );
    }

    #[test]
    fn keys_and_long_texts_never_leave() {
        let key = Secret::new("sk-very-secret");
        let text = format!("bad key sk-very-secret {}", "é".repeat(900));
        let cleaned = clean(&text, Some(&key));
        assert!(cleaned.starts_with("bad key [redacted] é"));
        assert_eq!(cleaned.chars().count(), MAX_MESSAGE + 1);
    }
}
