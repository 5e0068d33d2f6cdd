//! OpenAI's side: what it refuses and how it streams.

use super::{
    Request,
    reply::{Block, Reply, pieces},
    request::{field, messages},
};
use serde_json::{Value, json};

/// Why the vendor would refuse the request.
pub(super) fn refusal(request: &Request) -> Option<String> {
    let body = &request.body;
    if field(body, "model").is_empty() {
        return Some("you must provide a model parameter".to_owned());
    }
    if body.get("max_tokens").is_some() && body.get("max_completion_tokens").is_some() {
        return Some(
            "Setting 'max_tokens' and 'max_completion_tokens' at the same time is not supported."
                .to_owned(),
        );
    }
    if body
        .get("tools")
        .and_then(Value::as_array)
        .is_some_and(Vec::is_empty)
    {
        return Some("Invalid 'tools': empty array. Expected an array with minimum length 1, but got an empty array instead.".to_owned());
    }
    refused_messages(messages(body))
}

fn refused_messages(messages: &[Value]) -> Option<String> {
    if messages.is_empty() {
        return Some("Invalid 'messages': empty array.".to_owned());
    }
    let mut open: Vec<&str> = Vec::new();
    for (position, message) in messages.iter().enumerate() {
        let role = field(message, "role");
        if role == "tool" {
            let id = field(message, "tool_call_id");
            let Some(at) = open.iter().position(|call| *call == id) else {
                return Some(format!(
                    "Invalid parameter: messages with role 'tool' must be a response to a preceeding message with 'tool_calls' (messages.[{position}])."
                ));
            };
            open.remove(at);
            continue;
        }
        if !open.is_empty() {
            return Some(format!(
                "An assistant message with 'tool_calls' must be followed by tool messages responding to each 'tool_call_id'. The following tool_call_ids did not have response messages: {}",
                open.join(", ")
            ));
        }
        let calls = message.get("tool_calls").and_then(Value::as_array);
        let calls = calls.map(Vec::as_slice).unwrap_or_default();
        open = calls.iter().map(|call| field(call, "id")).collect();
        let content = message.get("content").unwrap_or(&Value::Null);
        if content.is_null() && calls.is_empty() {
            return Some(format!(
                "Invalid value for 'content': expected a string, got null. (messages.[{position}].content)"
            ));
        }
    }
    if open.is_empty() {
        None
    } else {
        Some(format!(
            "An assistant message with 'tool_calls' must be followed by tool messages responding to each 'tool_call_id'. The following tool_call_ids did not have response messages: {}",
            open.join(", ")
        ))
    }
}

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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn histories_the_vendor_refuses_are_refused() {
        let user = json!({ "role": "user", "content": "hi" });
        let calls = json!({ "role": "assistant", "content": null, "tool_calls": [{ "id": "a" }, { "id": "b" }] });
        let result = |id: &str| json!({ "role": "tool", "tool_call_id": id, "content": "" });
        let empty = json!({ "role": "assistant", "content": null });
        let (a, b, c) = (result("a"), result("b"), result("c"));
        for (messages, reason) in [
            (json!([user, calls, b, a, user]), None),
            (json!([]), Some("empty array")),
            (
                json!([user, calls, a]),
                Some("did not have response messages: b"),
            ),
            (
                json!([user, calls, a, user, b]),
                Some("did not have response messages: b"),
            ),
            (json!([user, calls, a, b, c]), Some("must be a response")),
            (json!([user, empty]), Some("expected a string, got null")),
        ] {
            let problem = refused_messages(messages.as_array().unwrap());
            match reason {
                None => assert_eq!(problem, None),
                Some(reason) => assert!(problem.unwrap_or_default().contains(reason), "{reason}"),
            }
        }
    }
}
