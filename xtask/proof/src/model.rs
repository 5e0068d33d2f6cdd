//! What the scripted model answers. It reads everything it needs from the request, so that it says the
//! same after a crash: `#17 tools` in the last message of a person is the order, 17 its number.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use anyhow::Result;
use serde_json::{Value, json};
use simulators::model::{self, Block, Fault, ModelSimulator, Reply, Request};

/// Where commands with an effect leave their mark, in the sandbox's home directory.
pub(crate) const LEDGER: &str = "ledger.txt";

#[derive(Default)]
struct Script {
    /// Until then it refuses bad orders.
    mended: Arc<AtomicBool>,
    /// Numbers that no two commands and no two answers share.
    numbers: AtomicU64,
    /// How often each order was asked for.
    asked: Mutex<HashMap<String, u64>>,
}

/// Starts the stand-in.
pub(crate) async fn start(mended: Arc<AtomicBool>) -> Result<ModelSimulator> {
    let pace = Duration::from_millis(1);
    let options = model::Options {
        latency: pace * 5,
        event_delay: pace,
        ..model::Options::default()
    };
    let simulator = ModelSimulator::start(options).await?;
    let script = Script {
        mended,
        ..Script::default()
    };
    simulator.on_request(move |request| Some(script.answer(request)));
    Ok(simulator)
}

impl Script {
    fn answer(&self, request: &Request) -> Reply {
        let text = model::last_user_text(request);
        let Some((number, word)) = order(&text) else {
            return Reply::text("There is no order in this.");
        };
        if request
            .body
            .get("tools")
            .and_then(Value::as_array)
            .is_none_or(Vec::is_empty)
        {
            let verdict =
                json!({ "act": word == "both", "reason": format!("order {number} says {word}") });
            return Reply::text(verdict.to_string());
        }
        let said = || Reply::text(format!("Answer {number} number {}", self.number()));
        match (word.as_str(), round(request)) {
            ("tools", 0) => self.several(),
            ("tools", 1) => self.bash(""),
            ("ask", 0) => self.ask(),
            ("slow", 0) => self.bash("; sleep 0.7"),
            ("long", 0) => self.bash("; sleep 12.5"),
            ("flaky", _) if self.first(&number) => {
                Reply::error(529, "overloaded_error", "Overloaded")
            }
            ("cut", _) if self.first(&number) => said().failing(Fault::CutAfter(4)),
            ("bad", _) if !self.mended.load(Ordering::SeqCst) => {
                Reply::error(400, "invalid_request_error", "Not like this")
            }
            _ => said(),
        }
    }

    /// Two that only look, one that changes something, one that looks.
    fn several(&self) -> Reply {
        let look = || Block::call("list_directory", &json!({}));
        Reply::of(vec![look(), look(), self.write(""), look()])
    }

    /// One that only looks, and one that asks people first.
    fn ask(&self) -> Reply {
        let action = json!({ "command": format!("deploy {}", self.number()) });
        let asks = json!({ "question": "Shall it be deployed?", "action": action });
        Reply::of(vec![
            Block::call("list_directory", &json!({})),
            Block::call("request_approval", &asks),
        ])
    }

    fn bash(&self, more: &str) -> Reply {
        Reply::of(vec![self.write(more)])
    }

    fn write(&self, more: &str) -> Block {
        let command = format!("echo line-{} | tee -a {LEDGER}{more}", self.number());
        Block::call("bash", &json!({ "command": command }))
    }

    fn number(&self) -> u64 {
        self.numbers.fetch_add(1, Ordering::SeqCst)
    }

    fn first(&self, number: &str) -> bool {
        let mut asked = self.asked.lock().unwrap_or_else(PoisonError::into_inner);
        let count = asked.entry(number.to_owned()).or_default();
        *count += 1;
        *count == 1
    }
}

/// The last order in a text: its number and its word.
fn order(text: &str) -> Option<(String, String)> {
    let (_, rest) = text.rsplit_once('#')?;
    let mut words = rest.split_whitespace();
    Some((words.next()?.to_owned(), words.next()?.to_owned()))
}

/// How often the model has asked for tools since a person spoke last.
fn round(request: &Request) -> usize {
    let messages = request.body.get("messages").and_then(Value::as_array);
    let newest_first = messages.into_iter().flatten().rev();
    let since = newest_first.take_while(|message| !is_spoken(message));
    since
        .filter(|message| message.get("role").and_then(Value::as_str) == Some("assistant"))
        .count()
}

fn is_spoken(message: &Value) -> bool {
    let is_user = message.get("role").and_then(Value::as_str) == Some("user");
    let speaks = match message.get("content") {
        Some(Value::Array(blocks)) => blocks
            .iter()
            .any(|b| b.get("type").and_then(Value::as_str) == Some("text")),
        Some(content) => content.is_string(),
        None => false,
    };
    is_user && speaks
}
