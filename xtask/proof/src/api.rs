//! The public API as a person or a vendor uses it, also while the server is down: what cannot be
//! reached is tried again, what is refused is not.

use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use reqwest::{Client, RequestBuilder, StatusCode};
use serde_json::Value;

pub(crate) const TOKEN: &str = "proof-owner-token-0123456789abcdef";
/// How long a caller goes on while the server is down or busy.
const PATIENCE: Duration = Duration::from_secs(40);
const PAUSE: Duration = Duration::from_millis(20);
/// A request that was under way when the server died must have an end after this time.
const STUCK: Duration = Duration::from_secs(11);

/// A client of one server.
#[derive(Clone)]
pub(crate) struct Api {
    client: Client,
    base: String,
}

/// The final answer to a request.
pub(crate) struct Answer {
    pub(crate) ok: bool,
    /// An earlier request may have been carried out, but its answer was lost.
    pub(crate) repeated: bool,
    /// The server goes on to say that the first request with this key is under way, though nobody is left to end it.
    pub(crate) stuck: bool,
    pub(crate) body: Value,
}

impl Api {
    pub(crate) fn new(client: &Client, port: u16) -> Self {
        Self {
            client: client.clone(),
            base: format!("http://127.0.0.1:{port}"),
        }
    }

    /// Whether it is ready to serve at this moment.
    pub(crate) async fn is_ready(&self) -> bool {
        let asked = self
            .client
            .get(format!("{}/readyz", self.base))
            .send()
            .await;
        asked.is_ok_and(|response| response.status().is_success())
    }

    /// Posts once, as the server is expected to be up and to agree.
    pub(crate) async fn create(&self, path: &str, body: &Value) -> Result<Value> {
        let response = self
            .client
            .post(self.url(path))
            .bearer_auth(TOKEN)
            .json(body)
            .send()
            .await?;
        let status = response.status();
        let text = response.text().await?;
        ensure!(status.is_success(), "POST {path} answered {status}: {text}");
        serde_json::from_str(&text)
            .with_context(|| format!("POST {path} did not answer JSON: {text}"))
    }

    /// Posts until the server has an opinion; the key makes repeating safe.
    pub(crate) async fn post(&self, path: &str, body: &Value, key: &str) -> Result<Answer> {
        let request = self
            .client
            .post(self.url(path))
            .bearer_auth(TOKEN)
            .json(body);
        until_answered(&request.header("Idempotency-Key", key)).await
    }

    /// Delivers an update as Telegram would, until it is taken or refused.
    pub(crate) async fn deliver(
        &self,
        integration: &str,
        secret: &str,
        update: &Value,
    ) -> Result<Answer> {
        let request = self
            .client
            .post(self.url(&format!("/webhooks/telegram/{integration}")))
            .json(update);
        until_answered(&request.header("X-Telegram-Bot-Api-Secret-Token", secret)).await
    }

    /// Delivers an update once; true when it was taken.
    pub(crate) async fn deliver_once(
        &self,
        integration: &str,
        secret: &str,
        update: &Value,
    ) -> bool {
        let request = self
            .client
            .post(self.url(&format!("/webhooks/telegram/{integration}")))
            .json(update);
        let sent = request
            .header("X-Telegram-Bot-Api-Secret-Token", secret)
            .send()
            .await;
        sent.is_ok_and(|response| response.status().is_success())
    }

    /// A figure of `/metrics`, summed over its labels; 0 when it is not there.
    pub(crate) async fn metric(&self, name: &str) -> Result<f64> {
        let response = self
            .client
            .get(self.url("/metrics"))
            .bearer_auth(TOKEN)
            .send()
            .await?;
        let text = response.error_for_status()?.text().await?;
        let lines = text.lines().filter_map(|line| {
            let rest = line.strip_prefix(name)?;
            let is_name = rest.starts_with([' ', '{']);
            is_name.then(|| rest.rsplit(' ').next()?.parse::<f64>().ok())?
        });
        Ok(lines.sum())
    }

    fn url(&self, path: &str) -> String {
        format!("{}{path}", self.base)
    }
}

async fn until_answered(request: &RequestBuilder) -> Result<Answer> {
    let started = Instant::now();
    let mut under_way: Option<Instant> = None;
    let mut repeated = false;
    loop {
        let again = request
            .try_clone()
            .context("a request that cannot be repeated")?;
        let problem = match answer(again).await {
            Ok((status, body)) => {
                let in_progress =
                    body.get("code").and_then(Value::as_str) == Some("request_in_progress");
                let stuck =
                    in_progress && under_way.get_or_insert_with(Instant::now).elapsed() > STUCK;
                let later = in_progress || status.is_server_error() || status.as_u16() == 429;
                if stuck || !later {
                    return Ok(Answer {
                        ok: status.is_success(),
                        repeated,
                        stuck,
                        body,
                    });
                }
                format!("{status} {body}")
            }
            Err(error) => {
                repeated = true;
                error.to_string()
            }
        };
        ensure!(
            started.elapsed() < PATIENCE,
            "no answer within {PATIENCE:?}: {problem}"
        );
        tokio::time::sleep(PAUSE).await;
    }
}

/// The whole answer; one whose connection breaks is none.
async fn answer(request: RequestBuilder) -> Result<(StatusCode, Value)> {
    let response = request.send().await?;
    let status = response.status();
    Ok((
        status,
        serde_json::from_str(&response.text().await?).unwrap_or_default(),
    ))
}

/// The client of the whole run.
#[expect(
    clippy::disallowed_methods,
    reason = "the proof is no part of the server whose client is shared"
)]
pub(crate) fn client() -> Result<Client> {
    Ok(Client::builder().timeout(Duration::from_secs(10)).build()?)
}
