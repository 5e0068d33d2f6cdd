//! Delivers updates to the bot's webhook: in the order of a chat, side by side across chats, again
//! and again with growing pauses until they are taken. Only planned chaos breaks the order.

use super::{
    chaos::Twist,
    log::{self, LogEntry, LogKind},
    methods::integer,
    state::{Shared, State, Webhook},
};
use futures_util::{FutureExt as _, StreamExt as _, future::BoxFuture, stream::FuturesUnordered};
use serde_json::Value;
use std::{collections::BTreeMap, io, sync::Arc, time::Duration};
use tokio::time::{Instant, sleep, sleep_until, timeout};

/// Telegram waits longer; a stand-in has no time.
const FIRST_PAUSE: Duration = Duration::from_millis(50);
const LONGEST_PAUSE: Duration = Duration::from_secs(1);
/// As long as Telegram waits for an answer.
const PATIENCE: Duration = Duration::from_mins(1);
/// Telegram's default for `max_connections`.
const CONNECTIONS: usize = 40;

/// The client that plays Telegram's side of a webhook call.
#[expect(
    clippy::disallowed_methods,
    reason = "the stand-in plays another company's server: it has its own client"
)]
pub(crate) fn client() -> io::Result<reqwest::Client> {
    // Somebody else may have installed a provider already, which serves as well.
    let _already = rustls::crypto::ring::default_provider().install_default();
    let client = reqwest::Client::builder().timeout(PATIENCE).build();
    client.map_err(io::Error::other)
}

/// What is known of one chat's deliveries.
#[derive(Default)]
struct Line {
    busy: bool,
    failures: u32,
    not_before: Option<Instant>,
}

struct Postman {
    client: reqwest::Client,
    shared: Arc<Shared>,
    lines: BTreeMap<i64, Line>,
    /// Updates held back, until when.
    held: BTreeMap<i64, Instant>,
    flying: FuturesUnordered<BoxFuture<'static, Delivery>>,
}

/// What came of one delivery.
struct Delivery {
    update: Value,
    failure: Option<String>,
}

/// Works until it is dropped.
pub(super) async fn deliver(client: reqwest::Client, shared: Arc<Shared>) {
    let mut changes = shared.changes();
    let mut postman = Postman {
        client,
        shared,
        lines: BTreeMap::new(),
        held: BTreeMap::new(),
        flying: FuturesUnordered::new(),
    };
    loop {
        let wake = postman.start();
        tokio::select! {
            Some(delivery) = postman.flying.next() => postman.settle(delivery),
            // The sender lives in `shared`, so this cannot fail.
            _news = changes.changed() => {}
            () = sleep_until(wake.unwrap_or_else(Instant::now)), if wake.is_some() => {}
        }
    }
}

impl Postman {
    /// Starts every delivery that may start; returns when to look again.
    fn start(&mut self) -> Option<Instant> {
        let shared = Arc::clone(&self.shared);
        let (ready, wake) = shared.quietly(|state| self.ready(state, Instant::now()));
        for offer in ready {
            let (client, shared) = (self.client.clone(), Arc::clone(&shared));
            self.flying.push(offer.make(client, shared).boxed());
        }
        wake
    }

    /// What may go now, each chat's next one, and when more may.
    fn ready(&mut self, state: &mut State, now: Instant) -> (Vec<Offer>, Option<Instant>) {
        let (mut ready, mut wake) = (Vec::new(), None::<Instant>);
        let Some(webhook) = &state.webhook else {
            return (ready, wake);
        };
        let room = CONNECTIONS.saturating_sub(self.flying.len());
        for update in &state.pending {
            if ready.len() == room {
                break;
            }
            let id = update_id(update);
            let until = self.held.entry(id);
            let until = *until.or_insert_with(|| now + state.weather.hold(id));
            let line = self.lines.entry(chat(update)).or_default();
            let due = line.not_before.map_or(until, |pause| pause.max(until));
            if line.busy {
                continue;
            }
            if due > now {
                wake = Some(wake.map_or(due, |earlier| earlier.min(due)));
                continue;
            }
            line.busy = true;
            ready.push(Offer {
                webhook: webhook.clone(),
                update: update.clone(),
                twist: state.weather.delivery(id),
            });
        }
        (ready, wake)
    }

    /// Takes an accepted update out of the queue; gives the chat of another one a pause.
    fn settle(&mut self, delivery: Delivery) {
        let Delivery { update, failure } = delivery;
        let (id, chat) = (update_id(&update), chat(&update));
        if failure.is_none() {
            self.lines.remove(&chat);
            self.held.remove(&id);
        } else {
            let line = self.lines.entry(chat).or_default();
            let pause = FIRST_PAUSE * 2_u32.saturating_pow(line.failures.min(8));
            line.failures += 1;
            line.busy = false;
            line.not_before = Some(Instant::now() + pause.min(LONGEST_PAUSE));
        }
        self.shared.update(|state| {
            if failure.is_some() {
                state.webhook_error = failure;
                return;
            }
            let place = state.pending.iter().position(|u| update_id(u) == id);
            if let Some(taken) = place.and_then(|place| state.pending.remove(place)) {
                let entry = LogEntry::update(LogKind::Accepted, "webhook", &taken);
                state.log.push(entry);
            }
        });
    }
}

/// A delivery about to be made.
struct Offer {
    webhook: Webhook,
    update: Value,
    twist: Twist,
}

impl Offer {
    async fn make(self, client: reqwest::Client, shared: Arc<Shared>) -> Delivery {
        let failure = match self.twist {
            Twist::None => self.post(&client, &shared).await,
            Twist::Twice(later) => {
                let again = async {
                    sleep(later).await;
                    self.post(&client, &shared).await
                };
                let (first, again) = tokio::join!(self.post(&client, &shared), again);
                // Taken once is taken.
                first.and(again)
            }
            Twist::HangUp(after) => timeout(after, self.post(&client, &shared))
                .await
                .unwrap_or_else(|_elapsed| Some("Connection timed out".to_owned())),
        };
        Delivery {
            update: self.update,
            failure,
        }
    }

    /// One call of the webhook; returns why it does not count.
    async fn post(&self, client: &reqwest::Client, shared: &Shared) -> Option<String> {
        let entry = LogEntry::update(LogKind::Offered, "webhook", &self.update);
        shared.quietly(|state| state.log.push(entry));
        let mut request = client.post(&self.webhook.url).json(&self.update);
        if let Some(secret) = &self.webhook.secret {
            request = request.header("X-Telegram-Bot-Api-Secret-Token", secret);
        }
        match request.send().await {
            Ok(response) if response.status().is_success() => None,
            Ok(response) => Some(format!(
                "Wrong response from the webhook: {}",
                response.status()
            )),
            Err(error) => Some(error.without_url().to_string()),
        }
    }
}

fn update_id(update: &Value) -> i64 {
    integer(update, "update_id").unwrap_or_default()
}

/// Updates of no chat keep one order of their own.
fn chat(update: &Value) -> i64 {
    log::chat(update).unwrap_or_default()
}
