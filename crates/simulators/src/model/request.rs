//! Reads requests of both wire formats the same way.

use super::Request;
use serde_json::Value;

/// Which format a request has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wire {
    /// Anthropic Messages.
    Anthropic,
    /// Chat Completions.
    OpenAi,
}

/// The messages of a request.
pub(super) fn messages(body: &Value) -> &[Value] {
    let list = body.get("messages").and_then(Value::as_array);
    list.map(Vec::as_slice).unwrap_or_default()
}

/// A field as text; empty when it is not there.
pub(super) fn field<'v>(value: &'v Value, name: &str) -> &'v str {
    value.get(name).and_then(Value::as_str).unwrap_or_default()
}

/// The blocks of a message; none when its content is a plain string.
pub(super) fn blocks(message: &Value) -> &[Value] {
    let list = message.get("content").and_then(Value::as_array);
    list.map(Vec::as_slice).unwrap_or_default()
}

/// What the person wrote last.
pub fn last_user_text(request: &Request) -> String {
    let of_user = |message: &&Value| field(message, "role") == "user";
    let texts = messages(&request.body)
        .iter()
        .rev()
        .filter(of_user)
        .map(text);
    texts
        .into_iter()
        .find(|text| !text.is_empty())
        .unwrap_or_default()
}

/// The tool results that the request ends with; empty when it does not end with any.
pub fn tool_results(request: &Request) -> Vec<String> {
    let messages = messages(&request.body);
    match request.wire {
        Wire::Anthropic => messages
            .last()
            .map(|last| {
                let results = blocks(last).iter();
                let results = results.filter(|block| field(block, "type") == "tool_result");
                results.map(text).collect()
            })
            .unwrap_or_default(),
        Wire::OpenAi => {
            let is_tool = |message: &&Value| field(message, "role") == "tool";
            let mut results: Vec<String> = messages
                .iter()
                .rev()
                .take_while(is_tool)
                .map(text)
                .collect();
            results.reverse();
            results
        }
    }
}

/// The instructions.
pub(super) fn system_text(request: &Request) -> String {
    match request.wire {
        Wire::Anthropic => match request.body.get("system") {
            Some(Value::String(text)) => text.clone(),
            Some(Value::Array(blocks)) => blocks.iter().map(|b| field(b, "text")).collect(),
            _ => String::new(),
        },
        Wire::OpenAi => messages(&request.body)
            .iter()
            .find(|message| field(message, "role") == "system")
            .map(text)
            .unwrap_or_default(),
    }
}

/// The text of a message or a result, whether its content is a string or blocks.
fn text(value: &Value) -> String {
    match value.get("content") {
        Some(Value::String(text)) => text.clone(),
        Some(Value::Array(blocks)) => {
            let texts = blocks.iter().filter(|block| field(block, "type") == "text");
            texts
                .map(|block| field(block, "text"))
                .collect::<Vec<_>>()
                .join("\n")
        }
        _ => String::new(),
    }
}
