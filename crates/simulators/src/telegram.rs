//! A stand-in for the Telegram Bot API with one bot: people write through it, the bot answers
//! through it, and faults can be planned or come by numbers. It keeps Telegram's rules on offsets, conflicts, markup
//! and lengths, so that what passes here passes there; it never talks to the real one.

mod chaos;
#[cfg(test)]
mod chaos_tests;
mod html;
mod incoming;
mod log;
mod messages;
mod methods;
mod people;
mod server;
mod state;
#[cfg(test)]
mod tests;
mod updates;
mod webhook;

pub use chaos::Chaos;
pub use html::visible_text;
pub use log::{LogEntry, LogKind};
pub use people::{Chat, Media, Person, Post};
pub use state::{BotMessage, Button, Call, Fault};
#[cfg(test)]
pub(crate) use webhook::client;

use chaos::Weather;
use serde_json::Value;
use state::{Access, Shared, State};
use std::{collections::BTreeMap, io, net::SocketAddr, sync::Arc};
use tokio::{net::TcpListener, task::JoinSet};

/// The running stand-in; it stops when dropped.
pub struct TelegramSimulator {
    address: SocketAddr,
    shared: Arc<Shared>,
    _tasks: JoinSet<()>,
}

impl TelegramSimulator {
    /// The bot's token.
    pub const TOKEN: &'static str = "4242:simulated-bot-token";
    /// The bot's id.
    pub const BOT_ID: i64 = 4242;
    /// The bot's name, without `@`.
    pub const BOT_USERNAME: &'static str = "nitejar_demo_bot";

    /// Listens on a free port of this machine.
    pub async fn start() -> io::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?;
        let shared = Arc::new(Shared::default());
        let mut tasks = JoinSet::new();
        tasks.spawn(server::serve(listener, Arc::clone(&shared)));
        tasks.spawn(webhook::deliver(webhook::client()?, Arc::clone(&shared)));
        Ok(Self {
            address,
            shared,
            _tasks: tasks,
        })
    }

    /// What to configure as `api_base_url`.
    pub fn base_url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// A person writes; returns the message's id.
    pub fn say(&self, chat: &Chat, person: &Person, text: &str) -> i64 {
        self.post(Post::new(chat, person).text(text))
    }

    /// A person writes with everything a message can carry; returns the message's id.
    pub fn post(&self, post: Post) -> i64 {
        self.shared.update(|state| incoming::post(state, post))
    }

    /// A person presses a button under a message of the bot, by what it reads; returns the handle of the press, or
    /// nothing when there is no such button.
    pub fn press(
        &self,
        chat: &Chat,
        person: &Person,
        message_id: i64,
        label: &str,
    ) -> Option<String> {
        self.shared
            .update(|state| incoming::press(state, message_id, chat, person, label))
    }

    /// Waits for what the bot answers to a press.
    pub async fn wait_for_answer(&self, press: &str) -> String {
        self.shared
            .wait_for(|state| state.presses.get(press).cloned().flatten())
            .await
    }

    /// A person changes the text of an earlier message. One that does not exist changes nothing.
    pub fn edit(&self, chat: &Chat, message_id: i64, text: &str) {
        self.shared
            .update(|state| incoming::edit(state, chat.id, message_id, text));
    }

    /// Hands out an update exactly as given, with the next update id, which is returned.
    pub fn push_update(&self, update: Value) -> i64 {
        self.shared.update(|state| state.push(update))
    }

    /// The chat exists: somebody started the bot there earlier, so it may write first.
    pub fn open(&self, chat: &Chat) {
        self.shared.update(|state| {
            state.chats.insert(chat.id, Access::Open);
        });
    }

    /// The person blocks the bot.
    pub fn block(&self, chat: &Chat) {
        self.close(chat, 403, "Forbidden: bot was blocked by the user");
    }

    /// The bot is thrown out of the group.
    pub fn kick(&self, chat: &Chat) {
        self.close(chat, 403, "Forbidden: bot was kicked from the group chat");
    }

    /// The group becomes a supergroup: another id, and the old one only refers to it.
    pub fn upgrade(&self, from: &Chat, to: &Chat) {
        self.shared.update(|state| {
            state.chats.insert(to.id, Access::Open);
            state.chats.insert(from.id, Access::Upgraded(to.id));
        });
    }

    /// Plans what the next call of a method meets; several plans are met in order.
    pub fn fault(&self, method: &str, fault: Fault) {
        self.fail_next(method, fault, 1);
    }

    /// Plans that the next calls of a method all meet this fault, after what was planned before.
    pub fn fail_next(&self, method: &str, fault: Fault, times: usize) {
        self.shared.update(|state| {
            let planned = state.faults.entry(method.to_owned()).or_default();
            planned.extend(std::iter::repeat_n(fault, times));
        });
    }

    /// From now on calls and deliveries meet faults by numbers; planned faults come first.
    /// `Chaos::default()` ends it.
    pub fn set_chaos(&self, chaos: Chaos) {
        self.shared
            .update(|state| state.weather = Weather::new(chaos));
    }

    /// What happened so far, in order: updates offered and accepted, messages sent and edited.
    pub fn log(&self) -> Vec<LogEntry> {
        self.shared.read(|state| state.log.clone())
    }

    /// The updates the bot took for good, each once, in the order it took them.
    pub fn accepted(&self) -> Vec<LogEntry> {
        let is_accepted = |entry: &&LogEntry| entry.kind == LogKind::Accepted;
        self.shared
            .read(|state| state.log.iter().filter(is_accepted).cloned().collect())
    }

    /// How many messages of the bot in a chat read the same, by their text as it is now.
    pub fn copies(&self, chat: i64) -> BTreeMap<String, usize> {
        let mut copies = BTreeMap::new();
        for message in self.shared.read(|state| state.messages_of(chat)) {
            *copies.entry(message.text).or_default() += 1;
        }
        copies
    }

    /// Every message of the bot that people can see, by chat, oldest first, as it reads now.
    pub fn visible(&self) -> BTreeMap<i64, Vec<BotMessage>> {
        let mut visible: BTreeMap<i64, Vec<BotMessage>> = BTreeMap::new();
        self.shared.read(|state| {
            for ((chat, _), message) in &state.sent {
                visible.entry(*chat).or_default().push(message.clone());
            }
        });
        visible
    }

    /// What the bot has written into a chat so far, oldest first, as it reads now.
    pub fn messages(&self, chat: &Chat) -> Vec<BotMessage> {
        self.shared.read(|state| state.messages_of(chat.id))
    }

    /// Waits for a message of the bot that satisfies the condition, edits included.
    pub async fn wait_for_message(
        &self,
        chat: &Chat,
        wanted: impl Fn(&BotMessage) -> bool,
    ) -> BotMessage {
        self.shared
            .wait_for(|state| state.messages_of(chat.id).into_iter().find(&wanted))
            .await
    }

    /// The emoji the bot has put on a message.
    pub fn reactions(&self, chat: &Chat, message_id: i64) -> Vec<String> {
        self.shared.read(|state| {
            let found = state.reactions.get(&(chat.id, message_id));
            found.cloned().unwrap_or_default()
        })
    }

    /// Every call of the bot so far, refused ones included.
    pub fn calls(&self) -> Vec<Call> {
        self.shared.read(|state| state.calls.clone())
    }

    /// Waits for a call of a method whose parameters satisfy the condition.
    pub async fn wait_for_call(&self, method: &str, wanted: impl Fn(&Value) -> bool) -> Call {
        self.shared
            .wait_for(|state| {
                let mut calls = state.calls.iter();
                calls
                    .find(|call| call.method == method && wanted(&call.params))
                    .cloned()
            })
            .await
    }

    /// How many updates nobody has confirmed yet.
    pub fn unconfirmed(&self) -> usize {
        self.shared.read(|state: &State| state.pending.len())
    }

    fn close(&self, chat: &Chat, code: u16, description: &'static str) {
        self.shared.update(|state| {
            state
                .chats
                .insert(chat.id, Access::Closed { code, description });
        });
    }
}
