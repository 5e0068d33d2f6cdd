//! OpenAI's side: how it answers and streams. What it refuses is in `rules`.

use super::reply::{Block, Fault, Reply, pieces};
use serde_json::{Value, json};

/// What a model says that declines.
const REFUSAL: &str = "I'm sorry, I can't help with that.";

/// The body of an error.
pub(super) fn error_body(kind: &str, message: &str) -> Value {
    json!({ "error": { "message": message, "type": kind, "param": null, "code": kind } })
}

/// An error inside a stream.
pub(super) fn error_event(kind: &str, message: &str) -> String {
    event(&error_body(kind, message))
}

fn event(data: &Value) -> String {
    format!("data: {data}\n\n")
}

fn finish_reason(reply: &Reply) -> &str {
    let derived = if reply.calls() { "tool_calls" } else { "stop" };
    reply.stop.as_deref().unwrap_or(derived)
}

fn usage(reply: &Reply) -> Value {
    let tokens = reply.tokens;
    let prompt = tokens.input + tokens.cache_read + tokens.cache_write;
    json!({
        "prompt_tokens": prompt,
        "completion_tokens": tokens.output,
        "total_tokens": prompt + tokens.output,
        "prompt_tokens_details": {
            "cached_tokens": tokens.cache_read,
            "cache_write_tokens": tokens.cache_write,
        },
    })
}

/// The reply as one document.
pub(super) fn document(reply: &Reply, model: &str, number: u64) -> Value {
    let text: String = texts(reply).collect();
    let calls: Vec<Value> = calls(reply)
        .enumerate()
        .map(|(index, (name, arguments))| {
            json!({
                "id": id(reply, number, index),
                "type": "function",
                "function": { "name": name, "arguments": arguments },
            })
        })
        .collect();
    let mut message = json!({ "role": "assistant", "content": text });
    if let (Some(fields), false) = (message.as_object_mut(), calls.is_empty()) {
        fields.insert("tool_calls".to_owned(), Value::Array(calls));
    }
    if let (Some(fields), Some(Fault::Refusal)) = (message.as_object_mut(), &reply.fault) {
        fields.insert("content".to_owned(), Value::Null);
        fields.insert("refusal".to_owned(), json!(REFUSAL));
    }
    let mut document = json!({
        "id": format!("chatcmpl-{number}"),
        "object": "chat.completion",
        "model": model,
        "choices": [{ "index": 0, "message": message, "finish_reason": finish_reason(reply) }],
    });
    if let (Some(fields), false) = (document.as_object_mut(), reply.quirks.omit_usage) {
        fields.insert("usage".to_owned(), usage(reply));
    }
    document
}

fn texts(reply: &Reply) -> impl Iterator<Item = &str> {
    reply.blocks.iter().filter_map(|block| match block {
        Block::Text(text) => Some(text.as_str()),
        Block::Thinking { .. } | Block::Redacted(_) | Block::Call { .. } => None,
    })
}

fn calls(reply: &Reply) -> impl Iterator<Item = (&str, &str)> {
    reply.blocks.iter().filter_map(|block| match block {
        Block::Call { name, arguments } => Some((name.as_str(), arguments.as_str())),
        Block::Text(_) | Block::Thinking { .. } | Block::Redacted(_) => None,
    })
}

fn id(reply: &Reply, number: u64, index: usize) -> String {
    if reply.quirks.empty_ids {
        String::new()
    } else {
        format!("call_{number}_{index}")
    }
}

/// The reply as events.
pub(super) fn events(reply: &Reply, model: &str, number: u64) -> Vec<String> {
    let chunk = |choices: Value, usage: Value| {
        let mut chunk = json!({
            "id": format!("chatcmpl-{number}"),
            "object": "chat.completion.chunk",
            "model": model,
            "choices": choices,
        });
        if let (Some(fields), false) = (chunk.as_object_mut(), usage.is_null()) {
            fields.insert("usage".to_owned(), usage);
        }
        event(&chunk)
    };
    let delta = |delta: Value| {
        let choices = json!([{ "index": 0, "delta": delta, "finish_reason": null }]);
        chunk(choices, Value::Null)
    };
    let mut events = vec![delta(json!({ "role": "assistant", "content": "" }))];
    for block in &reply.blocks {
        match block {
            Block::Text(text) => {
                events.extend(
                    pieces(text, 24)
                        .iter()
                        .map(|text| delta(json!({ "content": text }))),
                );
            }
            Block::Thinking { text, .. } => {
                let deltas = pieces(text, 24).into_iter();
                events.extend(deltas.map(|text| delta(json!({ "reasoning_content": text }))));
            }
            Block::Redacted(_) | Block::Call { .. } => {}
        }
    }
    if matches!(reply.fault, Some(Fault::Refusal)) {
        events.push(delta(json!({ "refusal": REFUSAL })));
    }
    for (index, (name, arguments)) in calls(reply).enumerate() {
        let fragments = fragments(reply, number, index, name, arguments);
        events.extend(
            fragments
                .into_iter()
                .map(|call| delta(json!({ "tool_calls": [call] }))),
        );
    }
    let end = json!([{ "index": 0, "delta": {}, "finish_reason": finish_reason(reply) }]);
    events.push(chunk(end, Value::Null));
    if !reply.quirks.omit_usage {
        events.push(chunk(json!([]), usage(reply)));
    }
    if !reply.quirks.omit_end {
        events.push("data: [DONE]\n\n".to_owned());
    }
    events
}

fn fragments(reply: &Reply, number: u64, index: usize, name: &str, arguments: &str) -> Vec<Value> {
    let first = if reply.quirks.whole_calls {
        arguments
    } else {
        ""
    };
    let mut fragments = vec![json!({
        "index": index,
        "id": id(reply, number, index),
        "type": "function",
        "function": { "name": name, "arguments": first },
    })];
    if !reply.quirks.whole_calls {
        let rest = pieces(arguments, 8).into_iter();
        fragments.extend(
            rest.map(|piece| json!({ "index": index, "function": { "arguments": piece } })),
        );
    }
    if reply.quirks.omit_index {
        for fragment in fragments.iter_mut().filter_map(Value::as_object_mut) {
            fragment.remove("index");
        }
    }
    fragments
}
