//! The outside world of a run: a model that answers at once and people who write to the bot.

use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use serde_json::json;
use simulators::model::{self, ModelSimulator, Reply};
use simulators::telegram::{Chat, Person, TelegramSimulator};
use tokio::time::timeout;

const REPLY_LIMIT: Duration = Duration::from_mins(2);
/// Added by the shell, so that a reply with the sum proves that the command ran.
const OFFSET: i64 = 7_000_000;

/// Both stand-ins.
pub(crate) struct World {
    pub(crate) model: ModelSimulator,
    pub(crate) telegram: TelegramSimulator,
}

impl World {
    /// Starts both.
    pub(crate) async fn start() -> Result<Self> {
        let model = ModelSimulator::start(model::Options::default()).await?;
        model.on_request(|request| Some(answer(request)));
        Ok(Self {
            model,
            telegram: TelegramSimulator::start().await?,
        })
    }

    /// A new person asks the agent to run a command; returns how long the output takes to arrive.
    pub(crate) async fn ask(&self, number: i64) -> Result<Duration> {
        let (person, chat) = person(number);
        let started = Instant::now();
        self.telegram.say(
            &chat,
            &person,
            &format!("run `echo $(({OFFSET} + {number}))`"),
        );
        let wanted = (OFFSET + number).to_string();
        let reply = self
            .telegram
            .wait_for_message(&chat, |message| message.text.contains(&wanted));
        timeout(REPLY_LIMIT, reply)
            .await
            .with_context(|| format!("no reply to message {number}"))?;
        Ok(started.elapsed())
    }

    /// A new person says something that needs no tool.
    pub(crate) fn greet(&self, number: i64) {
        let (person, chat) = person(number);
        self.telegram.say(&chat, &person, "hello");
    }

    /// Waits until that person has an answer.
    pub(crate) async fn greeted(&self, number: i64) -> Result<()> {
        let (_, chat) = person(number);
        let reply = self
            .telegram
            .wait_for_message(&chat, |message| message.text.contains("Hello yourself"));
        timeout(REPLY_LIMIT, reply)
            .await
            .with_context(|| format!("no reply to message {number}"))?;
        Ok(())
    }
}

fn person(number: i64) -> (Person, Chat) {
    let person = Person::new(1_000_000 + number, "Ada");
    let chat = Chat::private(&person);
    (person, chat)
}

/// A call of `bash` for a request in backticks, then its output; a greeting for anything else.
fn answer(request: &model::Request) -> Reply {
    let results = model::tool_results(request);
    if !results.is_empty() {
        return Reply::text(results.join("\n"));
    }
    let text = model::last_user_text(request);
    let command = text
        .rsplit_once("run `")
        .and_then(|(_, rest)| rest.split_once('`'));
    match command {
        Some((command, _)) => Reply::call("bash", &json!({ "command": command })),
        None => Reply::text("Hello yourself."),
    }
}
