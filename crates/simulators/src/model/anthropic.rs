//! Anthropic's side: how it answers and streams. What it refuses is in `rules`.

use super::{
    reply::{Block, Reply, pieces},
    request::field,
};
use serde_json::{Value, json};

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
