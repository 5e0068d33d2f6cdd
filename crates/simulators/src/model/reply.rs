//! What the stand-in answers, free of wire formats.

use super::{
    Request,
    request::{Wire, last_user_text, system_text, tool_results},
};
use serde_json::{Value, json};
use std::time::Duration;

/// One answer.
#[derive(Clone, Debug, Default)]
pub struct Reply {
    /// Its pieces, in order.
    pub blocks: Vec<Block>,
    /// Why it stopped, in the words of the wire format asked; derived from the blocks when absent.
    pub stop: Option<String>,
    /// The tokens it reports.
    pub tokens: Tokens,
    /// What goes wrong.
    pub fault: Option<Fault>,
    /// Where it deviates from the vendor's form.
    pub quirks: Quirks,
}

/// A piece of an answer.
#[derive(Clone, Debug)]
pub enum Block {
    /// Prose.
    Text(String),
    /// Reasoning, with the signature that Anthropic adds.
    Thinking {
        /// The reasoning.
        text: String,
        /// The signature.
        signature: String,
    },
    /// Reasoning that Anthropic hides.
    Redacted(String),
    /// A tool call. The arguments are sent as they are, valid JSON or not.
    Call {
        /// The tool.
        name: String,
        /// Its arguments.
        arguments: String,
    },
}

/// Tokens of one answer.
#[derive(Clone, Copy, Debug)]
pub struct Tokens {
    /// Fresh prompt tokens.
    pub input: u64,
    /// Generated tokens.
    pub output: u64,
    /// Prompt tokens read from the cache.
    pub cache_read: u64,
    /// Prompt tokens written to the cache.
    pub cache_write: u64,
}

impl Default for Tokens {
    fn default() -> Self {
        Self {
            input: 100,
            output: 20,
            cache_read: 0,
            cache_write: 0,
        }
    }
}

/// What goes wrong with an answer.
#[derive(Clone, Debug)]
pub enum Fault {
    /// An error instead of an answer, in the vendor's form.
    Status {
        /// The HTTP status.
        status: u16,
        /// The value of `Retry-After`.
        retry_after: Option<String>,
        /// The vendor's kind of error, such as `overloaded_error`.
        kind: String,
        /// What it says.
        message: String,
    },
    /// The connection breaks after this many events.
    CutAfter(usize),
    /// The stream ends properly after this many events, but too early.
    EndAfter(usize),
    /// An error event follows this many events.
    ErrorAfter {
        /// How many.
        events: usize,
        /// The vendor's kind of error.
        kind: String,
        /// What it says.
        message: String,
    },
    /// Nothing more comes after this many events; the connection stays open.
    StallAfter(usize),
    /// The answer is right, but its first byte comes that late.
    SlowStart(Duration),
    /// The answer is right, but every event of the stream comes that much after the one before.
    Trickle(Duration),
    /// The last event of the stream is not what it should be, and nothing follows.
    MalformedEnd,
    /// The model declines: nothing but the vendor's form of a refusal.
    Refusal,
}

/// Deviations that real servers have.
#[derive(Clone, Copy, Debug, Default)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "independent switches, each a server's habit"
)]
pub struct Quirks {
    /// Report no tokens.
    pub omit_usage: bool,
    /// Send one JSON document although a stream was asked for.
    pub plain_json: bool,
    /// Send each tool call in one piece.
    pub whole_calls: bool,
    /// Leave the index of tool calls out.
    pub omit_index: bool,
    /// Leave the ids of tool calls empty.
    pub empty_ids: bool,
    /// End without `[DONE]` or `message_stop`.
    pub omit_end: bool,
}

impl Fault {
    /// Whether what was to be said is not heard, so that it will be asked for again.
    pub(super) fn spoils(&self) -> bool {
        !matches!(self, Self::SlowStart(_) | Self::Trickle(_) | Self::Refusal)
    }
}

impl Reply {
    /// An answer in prose.
    pub fn text(text: impl Into<String>) -> Self {
        Self::of(vec![Block::Text(text.into())])
    }

    /// One tool call.
    pub fn call(name: impl Into<String>, arguments: &Value) -> Self {
        Self::of(vec![Block::call(name, arguments)])
    }

    /// Several pieces.
    pub fn of(blocks: Vec<Block>) -> Self {
        Self {
            blocks,
            ..Self::default()
        }
    }

    /// An HTTP error.
    pub fn error(status: u16, kind: &str, message: &str) -> Self {
        Self::default().failing(Fault::Status {
            status,
            retry_after: None,
            kind: kind.to_owned(),
            message: message.to_owned(),
        })
    }

    /// 429 with a `Retry-After`.
    pub fn busy(retry_after: &str) -> Self {
        Self::default().failing(Fault::Status {
            status: 429,
            retry_after: Some(retry_after.to_owned()),
            kind: "rate_limit_error".to_owned(),
            message: "This request would exceed your rate limit.".to_owned(),
        })
    }

    /// The same answer, going wrong.
    #[must_use]
    pub fn failing(mut self, fault: Fault) -> Self {
        self.fault = Some(fault);
        self
    }

    /// The same answer, in a server's own manner.
    #[must_use]
    pub fn with_quirks(mut self, quirks: Quirks) -> Self {
        self.quirks = quirks;
        self
    }

    /// The same answer with this token report.
    #[must_use]
    pub fn with_tokens(mut self, tokens: Tokens) -> Self {
        self.tokens = tokens;
        self
    }

    /// The same answer as the request's wire and its fault make it.
    pub(super) fn adapted(mut self, request: &Request) -> Self {
        if matches!(self.fault, Some(Fault::Refusal)) {
            // Chat Completions have a field for it instead of a reason.
            self.blocks.clear();
            self.stop = (request.wire == Wire::Anthropic).then(|| "refusal".to_owned());
        }
        let is_thinking = |b: &Block| matches!(b, Block::Thinking { .. } | Block::Redacted(_));
        let is_budget = request.body.pointer("/thinking/type") == Some(&json!("enabled"));
        if is_budget && self.calls() && !self.blocks.iter().any(is_thinking) {
            // A model with a budget always thinks before it acts, and wants to see that again.
            let thinking = Block::Thinking {
                text: "A tool will do.".to_owned(),
                signature: "c2ltdWxhdGVk".to_owned(),
            };
            self.blocks.insert(0, thinking);
        }
        self
    }

    /// Whether it asks for a tool.
    pub(super) fn calls(&self) -> bool {
        let is_call = |block: &Block| matches!(block, Block::Call { .. });
        self.blocks.iter().any(is_call)
    }
}

impl Block {
    /// A tool call with valid arguments.
    pub fn call(name: impl Into<String>, arguments: &Value) -> Self {
        Self::Call {
            name: name.into(),
            arguments: arguments.to_string(),
        }
    }
}

/// What a stream does at its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ending {
    Close,
    Cut,
    Stall,
}

/// Events as the fault leaves them. `error` writes an error event in the wire's form.
pub(super) fn apply_fault(
    mut events: Vec<String>,
    fault: Option<&Fault>,
    error: impl Fn(&str, &str) -> String,
) -> (Vec<String>, Ending) {
    match fault {
        None
        | Some(Fault::Status { .. } | Fault::SlowStart(_) | Fault::Trickle(_) | Fault::Refusal) => {
            (events, Ending::Close)
        }
        Some(Fault::MalformedEnd) => {
            if let Some(last) = events.pop() {
                // Without its end it is no JSON any more.
                let text = last.trim_end();
                let kept = text.chars().count().saturating_sub(2);
                events.push(text.chars().take(kept).chain("\n\n".chars()).collect());
            }
            (events, Ending::Close)
        }
        Some(Fault::EndAfter(count)) => {
            events.truncate(*count);
            (events, Ending::Close)
        }
        Some(Fault::CutAfter(count)) => {
            events.truncate(*count);
            (events, Ending::Cut)
        }
        Some(Fault::StallAfter(count)) => {
            events.truncate(*count);
            (events, Ending::Stall)
        }
        Some(Fault::ErrorAfter {
            events: count,
            kind,
            message,
        }) => {
            events.truncate(*count);
            events.push(error(kind, message));
            (events, Ending::Close)
        }
    }
}

/// Text in pieces of a few characters, as models stream it.
pub(super) fn pieces(text: &str, characters: usize) -> Vec<String> {
    let all: Vec<char> = text.chars().collect();
    all.chunks(characters)
        .map(|piece| piece.iter().collect())
        .collect()
}

/// What it answers when nobody scripted it: enough for a whole job.
pub(super) fn habit(request: &Request) -> Reply {
    let results = tool_results(request);
    if !results.is_empty() {
        return Reply::text(results.join("\n"));
    }
    let tools = request.body.get("tools").and_then(Value::as_array);
    if tools.is_none_or(Vec::is_empty) {
        let system = system_text(request);
        if system.contains("act") && system.contains("reason") {
            let verdict = json!({ "act": true, "reason": "The stand-in always acts." });
            return Reply::text(verdict.to_string());
        }
    }
    let text = last_user_text(request);
    match command(&text) {
        Some(command) => Reply::call("bash", &json!({ "command": command })),
        None => Reply::text(format!("You said: {text}")),
    }
}

fn command(text: &str) -> Option<&str> {
    let at = text.to_ascii_lowercase().find("run ")?;
    let rest = text.get(at + "run ".len()..)?.trim();
    let command = match rest.strip_prefix('`') {
        Some(quoted) => quoted.split_once('`')?.0,
        None => rest.lines().next()?.trim(),
    };
    (!command.is_empty()).then_some(command)
}

/// The pause between two events; absent when there is none, so that benches pay for no timer.
pub(super) fn pause(delay: Duration) -> Option<Duration> {
    (!delay.is_zero()).then_some(delay)
}
