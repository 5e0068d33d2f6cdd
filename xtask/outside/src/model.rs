//! What the scripted model answers. The last words of a person decide, so that it says the same after a
//! reload, a restart and a retry: "count to 30", "think about X", "ask before you X", "write `file`", else
//! the stand-in's own habit ("run `X`", or an echo).

use std::time::Duration;

use anyhow::Result;
use serde_json::json;
use simulators::model::{self, Block, ModelSimulator, Options, Reply, Request};

/// The only key it takes.
pub(crate) const KEY: &str = "sk-simulated-0123456789";
/// Slow enough to be watched and interrupted.
const PACE: Duration = Duration::from_millis(25);

/// Starts the stand-in.
pub(crate) async fn start() -> Result<ModelSimulator> {
    let options = Options {
        event_delay: PACE,
        api_key: Some(KEY.to_owned()),
        ..Options::default()
    };
    let simulator = ModelSimulator::start(options).await?;
    simulator.on_request(answer);
    Ok(simulator)
}

fn answer(request: &Request) -> Option<Reply> {
    let has_tools = request
        .body
        .get("tools")
        .and_then(|tools| tools.as_array())
        .is_some_and(|tools| !tools.is_empty());
    if !has_tools || !model::tool_results(request).is_empty() {
        return None;
    }
    let text = model::last_user_text(request);
    if let Some(last) = after(&text, "count to ").and_then(number) {
        let lines = (1..=last).map(|line| format!("line {line} of {last}"));
        return Some(Reply::text(lines.collect::<Vec<_>>().join("\n\n")));
    }
    if let Some(subject) = after(&text, "think about ") {
        return Some(Reply::of(vec![
            Block::Thinking {
                text: format!("What is there to say about {subject}?"),
                signature: "c2ltdWxhdGVk".to_owned(),
            },
            Block::Text(format!("I thought about {subject}.")),
        ]));
    }
    if let Some(action) = after(&text, "ask before you ") {
        let arguments = json!({
            "question": format!("May I {action}?"),
            "action": { "kind": "deploy", "what": action, "target": "production" },
        });
        return Some(Reply::call("request_approval", &arguments));
    }
    let file = after(&text, "write `")?.split('`').next()?;
    let arguments = json!({ "path": file, "content": "# Notes\n\nWritten by an agent.\n" });
    Some(Reply::call("write_file", &arguments))
}

fn after<'t>(text: &'t str, phrase: &str) -> Option<&'t str> {
    let (_, rest) = text.split_once(phrase)?;
    Some(rest.trim())
}

fn number(text: &str) -> Option<u32> {
    let digits = text.split(|c: char| !c.is_ascii_digit()).next()?;
    digits.parse().ok()
}
