//! The outside world of one server: a scripted model, a bot that is polled, a bot that is called, the
//! people who write to them, and a log of everything that must not be lost.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use anyhow::{Context, Result};
use serde_json::{Value, json};
use simulators::model::ModelSimulator;
use simulators::telegram::{Chat, LogKind, Person, TelegramSimulator};
use uuid::Uuid;

use crate::api::Api;
use crate::checker::{Outside, Shown};
use crate::seed::Seed;
use crate::{model, storm};

pub(crate) const SECRET: &str = "proof-webhook-secret";
/// Update ids of deliveries the proof makes itself, far above those of the stand-in.
const OWN_UPDATES: i64 = 900_000;

/// Which bot.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Bot {
    /// The server asks for updates; one agent sees it.
    Polled,
    /// Updates are delivered; two agents see it, one of them needs an approval to answer.
    Called,
}

/// The outside of one server.
pub(crate) struct World {
    model: ModelSimulator,
    polled: TelegramSimulator,
    called: TelegramSimulator,
    mended: Arc<AtomicBool>,
    log: Mutex<Log>,
}

/// What happened outside.
#[derive(Default)]
struct Log {
    ids: BTreeMap<&'static str, Uuid>,
    chats: BTreeMap<i64, (Bot, Chat)>,
    delivered: BTreeSet<i64>,
    handed_in: Vec<Uuid>,
    resent: BTreeSet<Uuid>,
    stuck: Vec<String>,
}

impl World {
    /// Starts the stand-ins.
    pub(crate) async fn start() -> Result<Self> {
        let mended = Arc::new(AtomicBool::new(false));
        Ok(Self {
            model: model::start(Arc::clone(&mended)).await?,
            mended,
            polled: TelegramSimulator::start().await?,
            called: TelegramSimulator::start().await?,
            log: Mutex::default(),
        })
    }

    /// What the server is started with to live in this world.
    pub(crate) fn env(&self, port: u16) -> Vec<(String, String)> {
        let base = format!("http://127.0.0.1:{port}");
        let pairs = [
            ("APP_BASE_URL", base.as_str()),
            ("ANTHROPIC_API_KEY", "proof"),
            ("ANTHROPIC_BASE_URL", &self.model.base_url()),
            ("TENANT_BUDGET_MICROS_PER_DAY", "1000000000000"),
            ("JOB_BUDGET_MICROS", "1000000000"),
        ];
        pairs
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .to_vec()
    }

    /// Makes the agents and connects the bots.
    pub(crate) async fn furnish(&self, api: &Api) -> Result<()> {
        let ada = self.agent(api, "Ada", "auto").await?;
        let bo = self.agent(api, "Bo", "auto").await?;
        let cleo = self.agent(api, "Cleo", "approve").await?;
        self.integration(api, Bot::Polled, &json!([ada])).await?;
        self.integration(api, Bot::Called, &json!([bo, cleo])).await
    }

    async fn agent(&self, api: &Api, name: &'static str, policy: &str) -> Result<Uuid> {
        let body = json!({ "name": name, "reply_policy": policy, "budget_micros_per_day": 1_000_000_000_000_i64 });
        let id = id(&api.create("/api/v1/agents", &body).await?)?;
        self.log().ids.insert(name, id);
        Ok(id)
    }

    async fn integration(&self, api: &Api, bot: Bot, agents: &Value) -> Result<()> {
        let config = json!({
            "bot_token": TelegramSimulator::TOKEN,
            "api_base_url": self.telegram(bot).base_url(),
            "webhook_secret": SECRET,
            "mode": if bot == Bot::Polled { "polling" } else { "webhook" },
        });
        let body =
            json!({ "type": "telegram", "name": name(bot), "config": config, "agent_ids": agents });
        let id = id(&api.create("/api/v1/integrations", &body).await?)?;
        self.log().ids.insert(name(bot), id);
        Ok(())
    }

    /// From now on things go wrong outside.
    pub(crate) fn storm(&self, seed: &mut Seed) {
        storm::begin(&self.model, [&self.polled, &self.called], seed);
    }

    /// How many messages were sent whose sending was never confirmed.
    pub(crate) fn lost_answers(&self) -> usize {
        let logs = [&self.polled, &self.called].map(TelegramSimulator::log);
        let sent = logs
            .iter()
            .flatten()
            .filter(|entry| entry.kind == LogKind::Sent);
        sent.filter(|entry| !entry.answered).count()
    }

    /// The id of an agent by its name.
    pub(crate) fn agent_id(&self, name: &str) -> Result<Uuid> {
        self.log()
            .ids
            .get(name)
            .copied()
            .with_context(|| format!("no agent {name}"))
    }

    /// The integration's id.
    pub(crate) fn integration_id(&self, bot: Bot) -> Result<Uuid> {
        self.log()
            .ids
            .get(name(bot))
            .copied()
            .context("no integration")
    }

    /// Somebody writes in their own chat.
    pub(crate) fn say(&self, bot: Bot, person: i64, text: &str) {
        let person = Person::new(person, "Kim");
        self.say_in(bot, Chat::private(&person), &person, text);
    }

    /// Somebody writes in a group.
    pub(crate) fn say_in_group(&self, bot: Bot, group: i64, text: &str) {
        let person = Person::new(7, "Kim");
        self.say_in(bot, Chat::group(-group, "Team"), &person, text);
    }

    fn say_in(&self, bot: Bot, chat: Chat, person: &Person, text: &str) {
        self.telegram(bot).say(&chat, person, text);
        self.log().chats.insert(chat.id(), (bot, chat));
    }

    /// An update for the called bot, to be delivered by the proof itself; its id is the number.
    pub(crate) fn update(&self, number: i64, person: i64, text: &str) -> Value {
        let somebody = Person::new(person, "Kim");
        let chat = Chat::private(&somebody);
        self.called.open(&chat);
        self.log().chats.insert(chat.id(), (Bot::Called, chat));
        json!({
            "update_id": OWN_UPDATES + number,
            "message": {
                "message_id": OWN_UPDATES + number,
                "date": 1_790_000_000,
                "chat": { "id": person, "type": "private", "first_name": "Kim" },
                "from": { "id": person, "is_bot": false, "first_name": "Kim" },
                "text": text,
            },
        })
    }

    /// The update with that number was taken.
    pub(crate) fn taken(&self, number: i64) {
        self.log().delivered.insert(OWN_UPDATES + number);
    }

    /// The API answered with a work item.
    pub(crate) fn handed_in(&self, item: Uuid) {
        self.log().handed_in.push(item);
    }

    /// A human sent an effect again.
    pub(crate) fn resent(&self, effect: Uuid) {
        self.log().resent.insert(effect);
    }

    /// A repeated request never got an answer.
    pub(crate) fn stuck(&self, path: &str) {
        self.log().stuck.push(path.to_owned());
    }

    /// From now on the model takes what it refused before.
    pub(crate) fn mend(&self) {
        self.mended.store(true, Ordering::SeqCst);
    }

    /// Whether everything people wrote was taken by the server.
    pub(crate) fn is_heard(&self) -> bool {
        self.polled.unconfirmed() == 0 && self.called.unconfirmed() == 0
    }

    /// How many messages of the bots people see.
    pub(crate) fn answers(&self) -> usize {
        let chats: Vec<(Bot, Chat)> = self.log().chats.values().cloned().collect();
        chats
            .iter()
            .map(|(bot, chat)| self.telegram(*bot).messages(chat).len())
            .sum()
    }

    /// Waits until the called bot has answered an order in a chat of its own.
    pub(crate) async fn answered(&self, person: i64, number: i64) {
        let chat = Chat::private(&Person::new(person, "Kim"));
        let wanted = format!("Answer {number} ");
        self.called
            .wait_for_message(&chat, |message| message.text.starts_with(&wanted))
            .await;
    }

    /// What the outside knows at the end; `data` is where the sandboxes are.
    pub(crate) fn outside(&self, data: &Path) -> Result<Outside> {
        let log = self.log();
        let mut outside = Outside {
            handed_in: log.handed_in.clone(),
            resent: log.resent.clone(),
            stuck: log.stuck.clone(),
            ..Outside::default()
        };
        for bot in [Bot::Polled, Bot::Called] {
            let Some(integration) = log.ids.get(name(bot)).copied() else {
                continue;
            };
            let taken = self.telegram(bot).accepted();
            let own = log.delivered.iter().copied().filter(|_| bot == Bot::Called);
            outside.accepted.extend(
                taken
                    .iter()
                    .filter_map(|entry| entry.update_id)
                    .chain(own)
                    .map(|update| (integration, format!("update:{update}"))),
            );
            for (_, chat) in log.chats.values().filter(|(of, _)| *of == bot) {
                let messages = self
                    .telegram(bot)
                    .messages(chat)
                    .into_iter()
                    .map(|message| Shown {
                        id: message.message_id.to_string(),
                        text: message.text,
                        is_progress: message.silent,
                    });
                outside
                    .shown
                    .insert((integration, chat.id().to_string()), messages.collect());
            }
        }
        outside.written = ledgers(data)?;
        Ok(outside)
    }

    fn telegram(&self, bot: Bot) -> &TelegramSimulator {
        match bot {
            Bot::Polled => &self.polled,
            Bot::Called => &self.called,
        }
    }

    fn log(&self) -> MutexGuard<'_, Log> {
        self.log.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn name(bot: Bot) -> &'static str {
    match bot {
        Bot::Polled => "polled",
        Bot::Called => "called",
    }
}

/// The lines of every ledger below a directory.
fn ledgers(directory: &Path) -> Result<Vec<String>> {
    let mut lines = Vec::new();
    for entry in std::fs::read_dir(directory)?.flatten() {
        let kind = entry.file_type()?;
        if kind.is_dir() {
            lines.extend(ledgers(&entry.path())?);
        } else if kind.is_file() && entry.file_name() == model::LEDGER {
            lines.extend(
                std::fs::read_to_string(entry.path())?
                    .lines()
                    .map(str::to_owned),
            );
        }
    }
    Ok(lines)
}

/// The id in an answer.
pub(crate) fn id(value: &Value) -> Result<Uuid> {
    let id = value.get("id").and_then(Value::as_str);
    Ok(id.with_context(|| format!("no id in {value}"))?.parse()?)
}
