//! Calls of the Bot API over HTTP. The only place that builds a URL, because the token is in it.

use crate::error::ApiError;
use bytes::{Bytes, BytesMut};
use domain::secret::{Redactor, Secret};
use reqwest::{Response, Url, header::RETRY_AFTER};
use serde::{Deserialize, de::DeserializeOwned};
use serde_json::Value;
use std::{error::Error, time::Duration};

/// More than any answer of the Bot API: a hundred updates of the largest messages.
const ANSWER_LIMIT: u64 = 32 << 20;

/// One bot on one Bot API server.
pub(crate) struct BotApi {
    client: reqwest::Client,
    base: Url,
    token: Secret,
    redactor: Redactor,
}

/// Why a file was not fetched.
pub(crate) enum FetchError {
    Api(ApiError),
    /// It has more bytes than the caller takes.
    TooLarge,
}

#[derive(Deserialize)]
struct Envelope {
    ok: bool,
    result: Option<Value>,
    error_code: Option<u16>,
    description: Option<String>,
    parameters: Option<Parameters>,
}

#[derive(Default, Deserialize)]
struct Parameters {
    retry_after: Option<u64>,
    migrate_to_chat_id: Option<i64>,
}

impl BotApi {
    /// `told` is another secret the server gets to know and might repeat in an error.
    pub(crate) fn new(client: reqwest::Client, base: Url, token: Secret, told: &Secret) -> Self {
        let redactor = Redactor::default();
        redactor.learn(&token);
        redactor.learn(told);
        Self {
            client,
            base,
            token,
            redactor,
        }
    }

    /// Calls a method and returns what it answers.
    pub(crate) async fn call<T: DeserializeOwned>(
        &self,
        method: &str,
        params: &Value,
        timeout: Duration,
    ) -> Result<T, ApiError> {
        let url = self.url(&[], method)?;
        let request = self.client.post(url).json(params).timeout(timeout);
        let response = request.send().await.map_err(|error| self.failed(error))?;
        let status = response.status().as_u16();
        let wait = retry_after(&response);
        let body = match read(response, ANSWER_LIMIT).await {
            Ok(body) => body,
            Err(FetchError::Api(error)) => return Err(error),
            Err(FetchError::TooLarge) => return Err(self.nonsense()),
        };
        let Ok(envelope) = serde_json::from_slice::<Envelope>(&body) else {
            return Err(self.unreadable(status, wait));
        };
        if envelope.ok {
            let result = envelope.result.unwrap_or(Value::Null);
            return serde_json::from_value(result).map_err(|_other_shape| self.nonsense());
        }
        let parameters = envelope.parameters.unwrap_or_default();
        let description = envelope.description.unwrap_or_default();
        Err(ApiError::Declined {
            code: envelope.error_code.unwrap_or(status),
            description: self.redactor.redact(&description).into_owned(),
            retry_after: parameters.retry_after.map(Duration::from_secs).or(wait),
            migrate_to: parameters.migrate_to_chat_id,
        })
    }

    /// Fetches a file by the path `getFile` gave.
    pub(crate) async fn fetch(
        &self,
        path: &str,
        limit: u64,
        timeout: Duration,
    ) -> Result<Bytes, FetchError> {
        let url = self.url(&["file"], path).map_err(FetchError::Api)?;
        let request = self.client.get(url).timeout(timeout);
        let sent = request.send().await;
        let response = sent.map_err(|error| FetchError::Api(self.failed(error)))?;
        let status = response.status();
        if !status.is_success() {
            let wait = retry_after(&response);
            return Err(FetchError::Api(self.unreadable(status.as_u16(), wait)));
        }
        if response.content_length().is_some_and(|bytes| bytes > limit) {
            return Err(FetchError::TooLarge);
        }
        read(response, limit).await
    }

    /// `<base>/<before>/bot<token>/<path>`.
    fn url(&self, before: &[&str], path: &str) -> Result<Url, ApiError> {
        let mut url = self.base.clone();
        url.path_segments_mut()
            .map_err(|()| self.nonsense())?
            .pop_if_empty()
            .extend(before)
            .push(&format!("bot{}", self.token.expose()))
            .extend(path.split('/'));
        Ok(url)
    }

    /// Sorts a failed request by whether Telegram can have seen it.
    fn failed(&self, error: reqwest::Error) -> ApiError {
        let surely_unsent = error.is_connect() || error.is_builder();
        let is_timeout = error.is_timeout();
        let cause = root_cause(error);
        let host = self.host();
        if surely_unsent {
            ApiError::Unreachable(format!(
                "{host} cannot be reached; check the network and `api_base_url` ({cause})"
            ))
        } else if is_timeout {
            ApiError::NoAnswer(format!("{host} did not answer in time ({cause})"))
        } else {
            ApiError::NoAnswer(format!("the connection to {host} broke ({cause})"))
        }
    }

    /// An answer that is not the Bot API's, as proxies and wrong addresses give.
    fn unreadable(&self, status: u16, retry_after: Option<Duration>) -> ApiError {
        if (200..300).contains(&status) {
            return self.nonsense();
        }
        ApiError::Declined {
            code: status,
            description: format!("{} answered {status}", self.host()),
            retry_after,
            migrate_to: None,
        }
    }

    fn nonsense(&self) -> ApiError {
        let host = self.host();
        ApiError::NoAnswer(format!(
            "{host} answered something that is not the Bot API; check `api_base_url`"
        ))
    }

    fn host(&self) -> &str {
        self.base.host_str().unwrap_or("the Bot API server")
    }
}

async fn read(mut response: Response, limit: u64) -> Result<Bytes, FetchError> {
    let mut body = BytesMut::new();
    let broken = |error| {
        let cause = root_cause(error);
        FetchError::Api(ApiError::NoAnswer(format!(
            "the answer broke off ({cause})"
        )))
    };
    while let Some(chunk) = response.chunk().await.map_err(broken)? {
        if (body.len() + chunk.len()) as u64 > limit {
            return Err(FetchError::TooLarge);
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body.freeze())
}

fn retry_after(response: &Response) -> Option<Duration> {
    let seconds = response.headers().get(RETRY_AFTER)?.to_str().ok()?;
    seconds.parse().ok().map(Duration::from_secs)
}

/// The innermost cause; the outer ones only say that a request failed. The URL is cut off first.
fn root_cause(error: reqwest::Error) -> String {
    let error = error.without_url();
    let mut cause: &dyn Error = &error;
    while let Some(source) = cause.source() {
        cause = source;
    }
    cause.to_string()
}
