//! Delivers updates to the bot's webhook, in order, again and again until they are taken.

use super::state::Shared;
use serde_json::Value;
use std::{io, sync::Arc, time::Duration};

/// Telegram waits longer; a stand-in has no time.
const FIRST_PAUSE: Duration = Duration::from_millis(50);
const LONGEST_PAUSE: Duration = Duration::from_secs(1);
/// As long as Telegram waits for an answer.
const PATIENCE: Duration = Duration::from_mins(1);

/// The client that plays Telegram's side of a webhook call.
#[expect(
    clippy::disallowed_methods,
    reason = "the stand-in plays another company's server: it has its own client"
)]
pub(super) fn client() -> io::Result<reqwest::Client> {
    // Somebody else may have installed a provider already, which serves as well.
    let _already = rustls::crypto::ring::default_provider().install_default();
    let client = reqwest::Client::builder().timeout(PATIENCE).build();
    client.map_err(io::Error::other)
}

/// Works until it is dropped.
pub(super) async fn deliver(client: reqwest::Client, shared: Arc<Shared>) {
    let mut pause = FIRST_PAUSE;
    loop {
        let (webhook, update) = shared
            .wait_for(|state| Some((state.webhook.clone()?, state.pending.front()?.clone())))
            .await;
        let mut request = client.post(&webhook.url).json(&update);
        if let Some(secret) = &webhook.secret {
            request = request.header("X-Telegram-Bot-Api-Secret-Token", secret);
        }
        let failure = match request.send().await {
            Ok(response) if response.status().is_success() => None,
            Ok(response) => Some(format!(
                "Wrong response from the webhook: {}",
                response.status()
            )),
            Err(error) => Some(error.without_url().to_string()),
        };
        let taken = failure.is_none();
        shared.update(|state| {
            let is_same = |front: &Value| front.get("update_id") == update.get("update_id");
            if taken && state.pending.front().is_some_and(is_same) {
                state.pending.pop_front();
            }
            if failure.is_some() {
                state.webhook_error = failure;
            }
        });
        if taken {
            pause = FIRST_PAUSE;
        } else {
            tokio::time::sleep(pause).await;
            pause = (pause * 2).min(LONGEST_PAUSE);
        }
    }
}
