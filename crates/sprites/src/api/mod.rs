//! Requests to the service: addresses, the token, refusals as errors, and what may be repeated. It
//! knows no sprite and no process.

mod lines;
mod socket;

pub(crate) use lines::Lines;
pub(crate) use socket::Socket;

use crate::{
    error::SpritesError,
    settings::{SpritesSettings, Timing},
    wire::error::ErrorBody,
};
use domain::secret::Secret;
use reqwest::{Method, RequestBuilder, Response, StatusCode, Url, header};
use serde::de::DeserializeOwned;
use std::time::Duration;
use tokio::time::{sleep, timeout};

/// So often a request is sent at most.
const ATTEMPTS: u32 = 5;
/// A longer wait is for the caller to decide.
const LONGEST_WAIT: Duration = Duration::from_secs(10);
/// The most of a refusal that is read.
const REFUSAL_LIMIT: usize = 64 << 10;

/// What carrying a request out twice would do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Twice {
    /// The same as once.
    Same,
    /// Something else.
    Differs,
}

/// The address is not one of a service.
#[derive(Debug, thiserror::Error)]
#[error(
    "`{given}` is not the address of a Sprites API; write one like https://api.sprites.dev, without a user, query or fragment"
)]
pub struct BadAddress {
    given: String,
}

/// The way to a service.
pub(crate) struct Api {
    base: Url,
    token: Secret,
    http: reqwest::Client,
    pub(crate) timing: Timing,
}

impl Api {
    pub(crate) fn new(settings: SpritesSettings) -> Result<Self, BadAddress> {
        let bad = || BadAddress {
            // What is after an @ is a host; before it may be a password.
            given: settings
                .base_url
                .rsplit('@')
                .next()
                .unwrap_or_default()
                .to_owned(),
        };
        let mut base = Url::parse(settings.base_url.trim()).ok().ok_or_else(bad)?;
        let plain = base.username().is_empty()
            && base.password().is_none()
            && base.query().is_none()
            && base.fragment().is_none();
        if !plain || !matches!(base.scheme(), "http" | "https") || !base.has_host() {
            return Err(bad());
        }
        if !base.path().ends_with('/') {
            base.set_path(&format!("{}/", base.path()));
        }
        Ok(Self {
            base,
            token: settings.token,
            http: settings.http,
            timing: settings.timing,
        })
    }

    /// The address of the service, for people.
    pub(crate) fn address(&self) -> &str {
        self.base.as_str().trim_end_matches('/')
    }

    /// A request to `/v1` and these segments, each of them escaped.
    pub(crate) fn request(&self, method: Method, path: &[&str]) -> RequestBuilder {
        let mut url = self.base.clone();
        if let Ok(mut segments) = url.path_segments_mut() {
            segments.pop_if_empty().push("v1").extend(path);
        }
        self.http
            .request(method, url)
            .bearer_auth(self.token.expose())
    }

    /// Sends it, again when that is right, and gives the answer once its head is there.
    pub(crate) async fn send(
        &self,
        request: RequestBuilder,
        twice: Twice,
    ) -> Result<Response, SpritesError> {
        let mut backoff = self.timing.backoff;
        for attempt in 1.. {
            let Some(this) = request.try_clone() else {
                return Err(SpritesError::Protocol("the body cannot be sent".into()));
            };
            let error = match self.once(this).await {
                Ok(response) => return Ok(response),
                Err(error) => error,
            };
            let wait = match again(&error, twice) {
                Again::Later if attempt < ATTEMPTS => backoff,
                Again::After(wait) if attempt < ATTEMPTS => wait,
                _ => return Err(error),
            };
            tracing::debug!(%error, attempt, "a request to the Sprites API is repeated");
            sleep(wait).await;
            backoff *= 2;
        }
        Err(SpritesError::Protocol("no request was sent".into()))
    }

    async fn once(&self, request: RequestBuilder) -> Result<Response, SpritesError> {
        let response = timeout(self.timing.answer, request.send())
            .await
            .map_err(|_elapsed| SpritesError::Interrupted("no answer came in time".into()))?
            .map_err(SpritesError::from_client)?;
        let status = response.status();
        if status.is_success() || status == StatusCode::SWITCHING_PROTOCOLS {
            return Ok(response);
        }
        let pace = retry_after(&response);
        Err(refusal(status, self.body_of(response).await, pace))
    }

    async fn body_of(&self, response: Response) -> ErrorBody {
        // Whatever is wrong with the text, the status counts.
        let bytes = self
            .whole(response, REFUSAL_LIMIT)
            .await
            .unwrap_or_default();
        serde_json::from_slice(&bytes).unwrap_or_else(|_not_json| {
            let text = String::from_utf8_lossy(&bytes);
            let text: String = text.trim().chars().take(300).collect();
            ErrorBody {
                error: (!text.is_empty()).then_some(text),
                ..ErrorBody::default()
            }
        })
    }

    /// Sends it and reads the answer.
    pub(crate) async fn json<T: DeserializeOwned>(
        &self,
        request: RequestBuilder,
        twice: Twice,
    ) -> Result<T, SpritesError> {
        const LIMIT: usize = 64 << 20;
        let response = self.send(request, twice).await?;
        let bytes = self.whole(response, LIMIT).await?;
        serde_json::from_slice(&bytes).map_err(|error| SpritesError::Protocol(error.to_string()))
    }

    async fn whole(&self, mut response: Response, limit: usize) -> Result<Vec<u8>, SpritesError> {
        let mut bytes = Vec::new();
        while let Some(piece) = self.piece(&mut response).await? {
            if bytes.len() + piece.len() > limit {
                return Err(SpritesError::Protocol("the answer is too long".into()));
            }
            bytes.extend_from_slice(&piece);
        }
        Ok(bytes)
    }

    /// The next piece of a body.
    pub(crate) async fn piece(
        &self,
        response: &mut Response,
    ) -> Result<Option<bytes::Bytes>, SpritesError> {
        timeout(self.timing.answer, response.chunk())
            .await
            .map_err(|_elapsed| SpritesError::Interrupted("the answer stopped coming".into()))?
            .map_err(SpritesError::from_client)
    }
}

/// Whether a request may be sent again, and when.
enum Again {
    Never,
    /// When we think it is right.
    Later,
    /// When the service said.
    After(Duration),
}

fn again(error: &SpritesError, twice: Twice) -> Again {
    match error {
        SpritesError::NotReached(_) => Again::Later,
        SpritesError::TooMany {
            retry_after: Some(wait),
            ..
        } if *wait <= LONGEST_WAIT => Again::After(*wait),
        SpritesError::Failed {
            status: 502..=504, ..
        }
        | SpritesError::Interrupted(_)
            if twice == Twice::Same =>
        {
            Again::Later
        }
        _ => Again::Never,
    }
}

fn refusal(status: StatusCode, body: ErrorBody, pace: Option<Duration>) -> SpritesError {
    let body = Box::new(body);
    let status = status.as_u16();
    match status {
        401 | 403 => SpritesError::Unauthorized { status, body },
        404 => SpritesError::NotFound { body },
        409 => SpritesError::Conflict { body },
        410 => SpritesError::Gone { body },
        429 => SpritesError::TooMany {
            retry_after: pace.or(body.retry_after_seconds.map(Duration::from_secs)),
            body,
        },
        500.. if status != 501 => SpritesError::Failed { status, body },
        _ => SpritesError::Refused { status, body },
    }
}

/// Only seconds: dates, and the reset of a window, need the service's clock and ours to agree.
fn retry_after(response: &Response) -> Option<Duration> {
    let value = response.headers().get(header::RETRY_AFTER)?;
    let seconds = value.to_str().ok()?.trim().parse().ok()?;
    Some(Duration::from_secs(seconds))
}
