//! Anthropic's side: what it refuses and how it streams.

use super::{
    Request,
    reply::{Block, Reply, pieces},
    request::{blocks, field, messages},
};
use serde_json::{Value, json};

/// Why the vendor would refuse the request.
pub(super) fn refusal(request: &Request) -> Option<String> {
    let body = &request.body;
    if request.header("anthropic-version").is_none() {
        return Some("anthropic-version: header is required".to_owned());
    }
    if field(body, "model").is_empty() {
        return Some("model: Field required".to_owned());
    }
    let max_tokens = body.get("max_tokens").and_then(Value::as_i64).unwrap_or(0);
    if max_tokens < 1 {
        return Some("max_tokens: Field required".to_owned());
    }
    let budget = body
        .pointer("/thinking/budget_tokens")
        .and_then(Value::as_i64);
    if budget.is_some_and(|budget| budget < 1_024) {
        return Some(
            "thinking.enabled.budget_tokens: Input should be greater than or equal to 1024"
                .to_owned(),
        );
    }
    if budget.is_some_and(|budget| budget >= max_tokens) {
        return Some("`max_tokens` must be greater than `thinking.budget_tokens`".to_owned());
    }
    if body.to_string().matches("\"cache_control\"").count() > 4 {
        return Some("A maximum of 4 blocks with cache_control may be provided.".to_owned());
    }
    refused_messages(messages(body))
}

fn refused_messages(messages: &[Value]) -> Option<String> {
    if messages.is_empty() {
        return Some("messages: at least one message is required".to_owned());
    }
    let mut expected = "user";
    let mut open: Vec<&str> = Vec::new();
    let mut used: Vec<&str> = Vec::new();
    for (position, message) in messages.iter().enumerate() {
        let role = field(message, "role");
        if role != expected {
            return Some(format!(
                "messages.{position}: roles must alternate between \"user\" and \"assistant\", but found \"{role}\""
            ));
        }
        expected = if role == "user" { "assistant" } else { "user" };
        if let Some(problem) = empty(message, position) {
            return Some(problem);
        }
        let results: Vec<&str> = of_kind(message, "tool_result", "tool_use_id");
        if let Some(missing) = open.iter().find(|id| !results.contains(id)) {
            return Some(format!(
                "messages.{}: `tool_use` ids were found without `tool_result` blocks immediately after: {missing}. Each `tool_use` block must have a corresponding `tool_result` block in the next message.",
                position.saturating_sub(1)
            ));
        }
        if let Some(orphan) = results.iter().find(|id| !open.contains(id)) {
            return Some(format!(
                "messages.{position}: unexpected `tool_use_id` found in `tool_result` blocks: {orphan}. Each `tool_result` block must have a corresponding `tool_use` block in the previous message."
            ));
        }
        let first_other = blocks(message)
            .iter()
            .position(|block| field(block, "type") != "tool_result");
        if first_other.is_some_and(|first| first < results.len()) {
            return Some(format!(
                "messages.{position}: `tool_result` blocks must come first in the content"
            ));
        }
        open = of_kind(message, "tool_use", "id");
        if open.iter().any(|id| used.contains(id)) {
            return Some(format!(
                "messages.{position}: `tool_use` ids must be unique"
            ));
        }
        used.extend(&open);
    }
    if expected == "user" {
        return Some("This model does not support assistant message prefill. The conversation must end with a user message.".to_owned());
    }
    None
}

fn of_kind<'v>(message: &'v Value, kind: &str, id: &str) -> Vec<&'v str> {
    let found = blocks(message)
        .iter()
        .filter(|block| field(block, "type") == kind);
    found.map(|block| field(block, id)).collect()
}

fn empty(message: &Value, position: usize) -> Option<String> {
    let nothing = match message.get("content") {
        Some(Value::String(text)) => text.is_empty(),
        Some(Value::Array(blocks)) => blocks.is_empty(),
        _ => true,
    };
    if nothing {
        return Some(format!(
            "messages.{position}: all messages must have non-empty content"
        ));
    }
    let blank =
        |block: &Value| field(block, "type") == "text" && field(block, "text").trim().is_empty();
    blocks(message)
        .iter()
        .any(blank)
        .then(|| "messages: text content blocks must contain non-whitespace text".to_owned())
}

/// The body of an error.
pub(super) fn error_body(kind: &str, message: &str) -> Value {
    json!({
        "type": "error",
        "error": { "type": kind, "message": message },
        "request_id": "req_simulated",
    })
}

/// An error inside a stream.
pub(super) fn error_event(kind: &str, message: &str) -> String {
    event(&json!({ "type": "error", "error": { "type": kind, "message": message } }))
}

fn event(data: &Value) -> String {
    format!("event: {}\ndata: {data}\n\n", field(data, "type"))
}

fn stop_reason(reply: &Reply) -> &str {
    let derived = if reply.calls() {
        "tool_use"
    } else {
        "end_turn"
    };
    reply.stop.as_deref().unwrap_or(derived)
}

/// The reply as one document.
pub(super) fn document(reply: &Reply, model: &str, number: u64) -> Value {
    let content: Vec<Value> = reply
        .blocks
        .iter()
        .enumerate()
        .map(|(position, block)| match block {
            Block::Text(text) => json!({ "type": "text", "text": text }),
            Block::Thinking { text, signature } => {
                json!({ "type": "thinking", "thinking": text, "signature": signature })
            }
            Block::Redacted(data) => json!({ "type": "redacted_thinking", "data": data }),
            Block::Call { name, arguments } => json!({
                "type": "tool_use",
                "id": format!("toolu_{number}_{position}"),
                "name": name,
                "input": serde_json::from_str::<Value>(arguments).unwrap_or_default(),
            }),
        })
        .collect();
    json!({
        "id": format!("msg_{number}"),
        "type": "message",
        "role": "assistant",
        "model": model,
        "content": content,
        "stop_reason": stop_reason(reply),
        "stop_sequence": null,
        "usage": usage(reply, reply.tokens.output),
    })
}

fn usage(reply: &Reply, output: u64) -> Value {
    json!({
        "input_tokens": reply.tokens.input,
        "output_tokens": output,
        "cache_read_input_tokens": reply.tokens.cache_read,
        "cache_creation_input_tokens": reply.tokens.cache_write,
    })
}

/// The reply as events.
pub(super) fn events(reply: &Reply, model: &str, number: u64) -> Vec<String> {
    let mut message = json!({
        "id": format!("msg_{number}"),
        "type": "message",
        "role": "assistant",
        "model": model,
        "content": [],
        "stop_reason": null,
        "stop_sequence": null,
    });
    let mut last = json!({
        "type": "message_delta",
        "delta": { "stop_reason": stop_reason(reply), "stop_sequence": null },
    });
    if !reply.quirks.omit_usage {
        set(&mut message, "usage", usage(reply, 1));
        set(
            &mut last,
            "usage",
            json!({ "output_tokens": reply.tokens.output }),
        );
    }
    let mut events = vec![
        event(&json!({ "type": "message_start", "message": message })),
        event(&json!({ "type": "ping" })),
    ];
    for (index, block) in reply.blocks.iter().enumerate() {
        let (start, deltas) = parts(block, index, number, reply.quirks.whole_calls);
        events.push(event(
            &json!({ "type": "content_block_start", "index": index, "content_block": start }),
        ));
        events.extend(deltas.iter().map(|delta| {
            event(&json!({ "type": "content_block_delta", "index": index, "delta": delta }))
        }));
        events.push(event(
            &json!({ "type": "content_block_stop", "index": index }),
        ));
    }
    events.push(event(&last));
    if !reply.quirks.omit_end {
        events.push(event(&json!({ "type": "message_stop" })));
    }
    events
}

fn set(object: &mut Value, name: &str, value: Value) {
    if let Some(fields) = object.as_object_mut() {
        fields.insert(name.to_owned(), value);
    }
}

/// How a block begins, and what follows.
fn parts(block: &Block, index: usize, number: u64, whole: bool) -> (Value, Vec<Value>) {
    match block {
        Block::Text(text) => {
            let deltas = pieces(text, 24).into_iter();
            (
                json!({ "type": "text", "text": "" }),
                deltas
                    .map(|text| json!({ "type": "text_delta", "text": text }))
                    .collect(),
            )
        }
        Block::Thinking { text, signature } => {
            let deltas = pieces(text, 24).into_iter();
            let mut deltas: Vec<Value> = deltas
                .map(|text| json!({ "type": "thinking_delta", "thinking": text }))
                .collect();
            deltas.push(json!({ "type": "signature_delta", "signature": signature }));
            (
                json!({ "type": "thinking", "thinking": "", "signature": "" }),
                deltas,
            )
        }
        Block::Redacted(data) => (
            json!({ "type": "redacted_thinking", "data": data }),
            Vec::new(),
        ),
        Block::Call { name, arguments } => {
            let id = format!("toolu_{number}_{index}");
            let mut start = json!({ "type": "tool_use", "id": id, "name": name, "input": {} });
            if whole {
                let input = serde_json::from_str::<Value>(arguments).unwrap_or_default();
                set(&mut start, "input", input);
                return (start, Vec::new());
            }
            let mut json_pieces = vec![String::new()];
            json_pieces.extend(pieces(arguments, 8));
            let deltas = json_pieces.into_iter();
            (
                start,
                deltas
                    .map(|piece| json!({ "type": "input_json_delta", "partial_json": piece }))
                    .collect(),
            )
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn problem(messages: &Value) -> String {
        refused_messages(messages.as_array().unwrap()).unwrap_or_default()
    }

    #[test]
    fn histories_the_vendor_refuses_are_refused() {
        let user = json!({ "role": "user", "content": "hi" });
        let call = json!({ "type": "tool_use", "id": "t", "name": "bash", "input": {} });
        let calls = json!({ "role": "assistant", "content": [call] });
        let result = json!({ "type": "tool_result", "tool_use_id": "t", "content": "" });
        let text = json!({ "type": "text", "text": "hi" });
        let blank = json!({ "type": "text", "text": " " });
        let of_user = |content: Value| json!({ "role": "user", "content": content });

        assert_eq!(problem(&json!([user])), "");
        assert_eq!(
            problem(&json!([user, calls, of_user(json!([result, text]))])),
            ""
        );
        for (messages, reason) in [
            (json!([]), "at least one message"),
            (json!([user, user]), "roles must alternate"),
            (json!([user, calls, user]), "without `tool_result` blocks"),
            (
                json!([of_user(json!([result]))]),
                "unexpected `tool_use_id`",
            ),
            (
                json!([user, calls, of_user(json!([text, result]))]),
                "must come first",
            ),
            (
                json!([
                    user,
                    calls,
                    of_user(json!([result])),
                    calls,
                    of_user(json!([result]))
                ]),
                "ids must be unique",
            ),
            (json!([of_user(json!([blank]))]), "non-whitespace"),
            (json!([of_user(json!([]))]), "non-empty content"),
            (
                json!([user, { "role": "assistant", "content": "yes" }]),
                "must end with a user message",
            ),
        ] {
            let problem = problem(&messages);
            assert!(problem.contains(reason), "{reason}: {problem}");
        }
    }
}
