//! What the stand-in knows, behind one lock, and the news of its changes.

use super::{chaos::Weather, log::LogEntry};
use serde_json::{Map, Value, json};
use std::{
    collections::{BTreeMap, VecDeque},
    sync::{Mutex, MutexGuard, PoisonError},
    time::{Duration, SystemTime, UNIX_EPOCH},
};
use tokio::sync::watch;

/// What a planned call meets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fault {
    /// Nothing: this call works, the plan goes on with the next.
    Pass,
    /// The call works, that much later.
    Slow(Duration),
    /// 429.
    RateLimited {
        /// Seconds the bot shall wait.
        retry_after: u64,
    },
    /// 500.
    ServerError,
    /// The connection breaks and nothing is done.
    CutBefore,
    /// The call is carried out and the connection breaks before the answer is there.
    LostAnswer,
    /// The call is carried out and the connection breaks in the middle of the answer.
    HalfAnswer,
    /// Any other refusal.
    Refused {
        /// The HTTP status and error code.
        code: u16,
        /// Telegram's words.
        description: String,
    },
}

/// One call of the bot.
#[derive(Clone, Debug, PartialEq)]
pub struct Call {
    /// The method.
    pub method: String,
    /// Its parameters.
    pub params: Value,
}

/// One message of the bot, as people see it.
#[derive(Clone, Debug, PartialEq)]
pub struct BotMessage {
    /// Its id.
    pub message_id: i64,
    /// Its text after markup was parsed.
    pub text: String,
    /// The text as it was sent, markup included.
    pub source: String,
    /// Whether it was sent with markup.
    pub formatted: bool,
    /// The topic it is in.
    pub thread: Option<i64>,
    /// The message it answers.
    pub reply_to: Option<i64>,
    /// Whether it made no sound.
    pub silent: bool,
    /// How often it was edited.
    pub edits: u32,
    /// The buttons under it.
    pub buttons: Vec<Button>,
}

/// A button under a message of the bot.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Button {
    /// What people read on it.
    pub text: String,
    /// What the bot is told when somebody presses it.
    pub data: String,
}

/// Whether the bot may write into a chat it knows.
pub(super) enum Access {
    Open,
    Closed {
        code: u16,
        description: &'static str,
    },
    Upgraded(i64),
}

/// Where updates are delivered to.
#[derive(Clone)]
pub(super) struct Webhook {
    pub(super) url: String,
    pub(super) secret: Option<String>,
}

/// A file people sent.
#[derive(Clone)]
pub(super) struct StoredFile {
    pub(super) path: String,
    pub(super) bytes: bytes::Bytes,
}

#[derive(Default)]
pub(super) struct State {
    last_update_id: i64,
    last_message_id: i64,
    /// Updates nobody has confirmed, oldest first.
    pub(super) pending: VecDeque<Value>,
    /// Kinds of update the bot wants; empty = all.
    pub(super) allowed: Vec<String>,
    pub(super) chats: BTreeMap<i64, Access>,
    /// Messages of people by chat and id, as they were last delivered.
    pub(super) human: BTreeMap<(i64, i64), Map<String, Value>>,
    pub(super) sent: BTreeMap<(i64, i64), BotMessage>,
    pub(super) reactions: BTreeMap<(i64, i64), Vec<String>>,
    /// Presses of buttons by their handle, with what the bot answered.
    pub(super) presses: BTreeMap<String, Option<String>>,
    /// Files by id.
    pub(super) files: BTreeMap<String, StoredFile>,
    pub(super) webhook: Option<Webhook>,
    pub(super) webhook_error: Option<String>,
    /// Counts calls of getUpdates; an older one that still waits is thrown out.
    pub(super) poll: u64,
    pub(super) faults: BTreeMap<String, VecDeque<Fault>>,
    pub(super) weather: Weather,
    pub(super) calls: Vec<Call>,
    pub(super) log: Vec<LogEntry>,
}

impl State {
    pub(super) fn next_message_id(&mut self) -> i64 {
        self.last_message_id += 1;
        self.last_message_id
    }

    /// Queues an update under the next id, unless the bot does not want its kind.
    pub(super) fn push(&mut self, mut update: Value) -> i64 {
        self.last_update_id += 1;
        let id = self.last_update_id;
        if let Some(fields) = update.as_object_mut() {
            let wanted = |kind: &String| fields.contains_key(kind);
            let known = self.allowed.is_empty() || self.allowed.iter().any(wanted);
            fields.insert("update_id".to_owned(), json!(id));
            if !known {
                return id;
            }
        }
        self.pending.push_back(update);
        id
    }

    pub(super) fn messages_of(&self, chat: i64) -> Vec<BotMessage> {
        let messages = self.sent.range((chat, i64::MIN)..=(chat, i64::MAX));
        messages.map(|(_, message)| message.clone()).collect()
    }
}

pub(super) struct Shared {
    state: Mutex<State>,
    changed: watch::Sender<()>,
}

impl Default for Shared {
    fn default() -> Self {
        Self {
            state: Mutex::default(),
            changed: watch::Sender::new(()),
        }
    }
}

impl Shared {
    pub(super) fn read<T>(&self, look: impl FnOnce(&State) -> T) -> T {
        look(&self.lock())
    }

    /// Changes the state and tells everybody who waits.
    pub(super) fn update<T>(&self, change: impl FnOnce(&mut State) -> T) -> T {
        let result = change(&mut self.lock());
        self.changed.send_replace(());
        result
    }

    /// Changes what nobody waits for.
    pub(super) fn quietly<T>(&self, change: impl FnOnce(&mut State) -> T) -> T {
        change(&mut self.lock())
    }

    pub(super) fn changes(&self) -> watch::Receiver<()> {
        self.changed.subscribe()
    }

    /// Returns what `look` finds, as soon as it finds something.
    pub(super) async fn wait_for<T>(&self, look: impl Fn(&State) -> Option<T>) -> T {
        let mut changes = self.changes();
        loop {
            if let Some(found) = self.read(&look) {
                return found;
            }
            // The sender lives in `self`, so this cannot fail while we are here.
            let _news = changes.changed().await;
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Seconds since 1970, as Telegram dates things.
pub(super) fn unix_time() -> u64 {
    let elapsed = SystemTime::now().duration_since(UNIX_EPOCH);
    elapsed.map_or(0, |elapsed| elapsed.as_secs())
}
