//! How a request is refused: a status and the documented body, whatever went wrong. What the
//! sandbox says of a cause is passed on; nothing of the server's own is.

use crate::registry::CreateError;
use axum::{
    Json,
    http::{HeaderName, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use ports::sandbox::SandboxError;
use serde_json::{Map, Value, json};
use sprites::wire::error::{CONCURRENT_LIMIT, CREATION_RATE_LIMITED};
use std::time::Duration;

/// A request that is not done, and why.
#[derive(Debug)]
pub(crate) struct Refusal {
    status: StatusCode,
    body: Map<String, Value>,
    headers: Vec<(HeaderName, HeaderValue)>,
}

impl Refusal {
    /// `error` is for programs (or all there is to say), `message` for people.
    pub(crate) fn new(status: StatusCode, error: &str, message: &str) -> Self {
        let body = [("error", error), ("message", message)];
        Self {
            status,
            body: body
                .map(|(name, text)| (name.to_owned(), text.into()))
                .into_iter()
                .collect(),
            headers: Vec::new(),
        }
    }

    /// What was asked makes no sense, or not here.
    pub(crate) fn bad(message: impl AsRef<str>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, message.as_ref(), message.as_ref())
    }

    /// It is not there.
    pub(crate) fn missing(message: impl AsRef<str>) -> Self {
        Self::new(StatusCode::NOT_FOUND, message.as_ref(), message.as_ref())
    }

    /// Something of our own failed; the log has more.
    pub(crate) fn internal(error: &dyn std::error::Error) -> Self {
        tracing::error!(%error, "a request failed");
        let message = "the server failed; its log says more";
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, "internal error", message)
    }

    /// The same with another status.
    pub(crate) fn status(mut self, status: StatusCode) -> Self {
        self.status = status;
        self
    }

    /// The same with one more field.
    pub(crate) fn with(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.body.insert(name.to_owned(), value.into());
        self
    }

    /// The same with one more header.
    pub(crate) fn header(mut self, name: HeaderName, value: u64) -> Self {
        self.headers.push((name, value.into()));
        self
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let mut response = (self.status, Json(Value::Object(self.body))).into_response();
        response.headers_mut().extend(self.headers);
        response
    }
}

impl From<SandboxError> for Refusal {
    fn from(error: SandboxError) -> Self {
        let text = error.to_string();
        match error {
            SandboxError::NotFound { .. } => Self::missing(text),
            SandboxError::Refused(_) => Self::bad(text),
            SandboxError::Conflict(_) => Self::bad(text).status(StatusCode::CONFLICT),
            SandboxError::Exhausted { retry_after, .. } => {
                let refusal = Self::bad(text).status(StatusCode::TOO_MANY_REQUESTS);
                match retry_after {
                    Some(wait) => refusal.header(header::RETRY_AFTER, whole_seconds(wait)),
                    None => refusal,
                }
            }
            SandboxError::Lost(_) => Self::bad(text).status(StatusCode::BAD_GATEWAY),
            SandboxError::Unavailable(_) => Self::bad(text).status(StatusCode::SERVICE_UNAVAILABLE),
        }
    }
}

impl From<CreateError> for Refusal {
    fn from(error: CreateError) -> Self {
        let text = error.to_string();
        let too_many = |code| Self::new(StatusCode::TOO_MANY_REQUESTS, code, &text);
        match error {
            CreateError::BadName(_) => Self::bad(text),
            CreateError::Exists(_) => Self::bad(text).status(StatusCode::CONFLICT),
            CreateError::Storage(error) => Self::internal(&error),
            CreateError::TooMany { limit, count } => too_many(CONCURRENT_LIMIT)
                .with("limit", limit)
                .with("current_count", count)
                .with("upgrade_available", false),
            CreateError::TooFast {
                limit,
                window,
                retry_after,
            } => {
                const LIMIT: HeaderName = HeaderName::from_static("x-ratelimit-limit");
                const REMAINING: HeaderName = HeaderName::from_static("x-ratelimit-remaining");
                const RESET: HeaderName = HeaderName::from_static("x-ratelimit-reset");
                let wait = whole_seconds(retry_after);
                let now = u64::try_from(crate::system::now().timestamp()).unwrap_or_default();
                too_many(CREATION_RATE_LIMITED)
                    .with("limit", limit)
                    .with("window_seconds", window.as_secs())
                    .with("retry_after_seconds", wait)
                    .with("upgrade_available", false)
                    .header(header::RETRY_AFTER, wait)
                    .header(LIMIT, u64::try_from(limit).unwrap_or(u64::MAX))
                    .header(REMAINING, 0)
                    .header(RESET, now + wait)
            }
        }
    }
}

/// Rounded up, so that whoever waits as told does not come too early.
fn whole_seconds(wait: Duration) -> u64 {
    wait.as_secs() + u64::from(wait.subsec_nanos() > 0)
}

/// Where nothing is.
pub(crate) async fn nowhere() -> Refusal {
    let message = "this server has nothing at this path";
    Refusal::new(StatusCode::NOT_FOUND, "not found", message)
}

/// Multiplexed operations; clients fall back to a connection for each at once.
pub(crate) async fn no_control() -> Refusal {
    let message = "use a WebSocket for each command";
    Refusal::new(StatusCode::NOT_FOUND, "control not supported", message)
}

/// How the server is; for everybody who can reach it.
pub(crate) fn health(tier: &str, missing: &[String]) -> Json<Value> {
    Json(json!({
        "status": "ok",
        "version": env!("CARGO_PKG_VERSION"),
        "tier": tier,
        "missing": missing,
    }))
}
