//! Our request as Anthropic's JSON.
//!
//! A pure function: the same request gives the same bytes, and a longer history begins with the
//! bytes of the shorter one but for the moving cache marks, so the provider's cache can match it.

use crate::{
    history,
    prices::{Thinking, Traits},
};
use domain::message::{Content, Part, Role};
use ports::inference::ModelRequest;
use serde_json::{Map, Value, json};

/// The smallest thinking budget the API takes.
const LEAST_BUDGET: i64 = 1_024;

/// The body of a request. `replay` says whether earlier thinking is sent back.
pub(crate) fn body(request: &ModelRequest, traits: &Traits, replay: bool) -> Value {
    let mut body = Map::new();
    body.insert("model".to_owned(), json!(request.model));
    body.insert("max_tokens".to_owned(), json!(request.max_output_tokens));
    body.insert("stream".to_owned(), json!(true));
    if !request.system.trim().is_empty() {
        let mut block = text(&request.system);
        mark(&mut block);
        body.insert("system".to_owned(), json!([block]));
    }
    let tools = tools(request);
    if !tools.is_empty() {
        body.insert("tools".to_owned(), Value::Array(tools));
        if request.tools.is_empty() {
            body.insert("tool_choice".to_owned(), json!({ "type": "none" }));
        }
    }
    let messages = messages(request, replay);
    let shows_thinking = shows_thinking(&messages);
    body.insert("messages".to_owned(), Value::Array(messages));
    match traits.thinking {
        Some(Thinking::Adaptive) => adaptive(&mut body, request.thinking_tokens, traits),
        // A budget needs the thinking of the tool use it continues: it was just left out, or another
        // model, which shows none, began it.
        Some(Thinking::Budget) if replay && shows_thinking => budget(&mut body, request),
        Some(Thinking::Budget) | None => {}
    }
    Value::Object(body)
}

/// Whether the tool use that is being continued, when one is, shows the thinking that led to it.
fn shows_thinking(messages: &[Value]) -> bool {
    let [.., asked, answered] = messages else {
        return true;
    };
    let first = |message: &Value| message.pointer("/content/0/type").cloned();
    let is = |kind: &str| first(asked).is_some_and(|first| first == kind);
    first(answered).is_none_or(|first| first != "tool_result")
        || is("thinking")
        || is("redacted_thinking")
}

/// Such models always think as they like; how much is a matter of effort, not of tokens.
fn adaptive(body: &mut Map<String, Value>, tokens: Option<i64>, traits: &Traits) {
    let effort = match tokens {
        Some(tokens) if tokens >= 16_000 => "high",
        Some(tokens) if tokens >= 4_000 => "medium",
        Some(_) | None => "low",
    };
    body.insert("output_config".to_owned(), json!({ "effort": effort }));
    let thinking = match tokens {
        // Without `display` the text arrives empty and nobody can watch.
        Some(_) => Some(json!({ "type": "adaptive", "display": "summarized" })),
        None => traits
            .thinking_off
            .as_ref()
            .map(|off| json!({ "type": off })),
    };
    body.extend(thinking.map(|thinking| ("thinking".to_owned(), thinking)));
}

fn budget(body: &mut Map<String, Value>, request: &ModelRequest) {
    let Some(tokens) = request.thinking_tokens else {
        return;
    };
    // The limit covers thinking and answer together; half of it stays for the answer.
    let budget = tokens.max(LEAST_BUDGET).min(request.max_output_tokens / 2);
    if budget >= LEAST_BUDGET {
        let thinking = json!({ "type": "enabled", "budget_tokens": budget });
        body.insert("thinking".to_owned(), thinking);
    }
}

/// A history with tool calls is refused without tools, so those that were used are named even when
/// none is offered any more.
fn tools(request: &ModelRequest) -> Vec<Value> {
    let mut tools: Vec<Value> = request
        .tools
        .iter()
        .map(|tool| {
            json!({
                "name": tool.name,
                "description": tool.description,
                "input_schema": tool.parameters,
            })
        })
        .collect();
    if tools.is_empty() {
        let schema = json!({ "type": "object" });
        let used = history::used_tools(&request.turns).into_iter();
        tools.extend(used.map(|name| json!({ "name": name, "input_schema": schema })));
    }
    if let Some(last) = tools.last_mut() {
        mark(last);
    }
    tools
}

/// A message under construction; results of tools come before anything else in it.
struct Message {
    role: &'static str,
    results: Vec<Value>,
    rest: Vec<Value>,
}

fn messages(request: &ModelRequest, replay: bool) -> Vec<Value> {
    let mut messages: Vec<Message> = Vec::new();
    for turn in &request.turns {
        let role = match turn.role {
            Role::User | Role::Tool => "user",
            Role::Assistant => "assistant",
        };
        for part in &turn.parts {
            let Some(block) = block(part, replay) else {
                continue;
            };
            let is_result = matches!(part.content, Content::ToolResult { .. });
            let message = match messages.last_mut() {
                Some(last) if last.role == role => last,
                _ => {
                    if messages.is_empty() && role == "assistant" {
                        messages.push(filler("(The conversation began earlier.)"));
                    }
                    messages.push(Message {
                        role,
                        results: Vec::new(),
                        rest: Vec::new(),
                    });
                    let Some(message) = messages.last_mut() else {
                        continue;
                    };
                    message
                }
            };
            if is_result {
                message.results.push(block);
            } else {
                message.rest.push(block);
            }
        }
    }
    // Current models refuse to continue their own words.
    if messages.last().is_none_or(|last| last.role == "assistant") {
        messages.push(filler("Continue."));
    }
    let mut messages: Vec<Value> = messages.into_iter().map(Message::into_json).collect();
    mark_messages(&mut messages);
    messages
}

impl Message {
    fn into_json(self) -> Value {
        let mut content = self.results;
        content.extend(self.rest);
        json!({ "role": self.role, "content": content })
    }
}

fn filler(words: &str) -> Message {
    Message {
        role: "user",
        results: Vec::new(),
        rest: vec![text(words)],
    }
}

fn block(part: &Part, replay: bool) -> Option<Value> {
    match &part.content {
        Content::Text { text: words } => (!words.trim().is_empty()).then(|| text(words)),
        // Thinking without a signature is another family's; this one would refuse it.
        Content::Thinking {
            text,
            signature: Some(signature),
            redacted,
        } => replay.then(|| {
            if *redacted {
                json!({ "type": "redacted_thinking", "data": signature })
            } else {
                json!({ "type": "thinking", "thinking": text, "signature": signature })
            }
        }),
        Content::Thinking {
            signature: None, ..
        } => None,
        Content::ToolCall {
            id,
            name,
            arguments,
        } => Some(json!({
            "type": "tool_use",
            "id": call_id(id),
            "name": name,
            "input": history::arguments(arguments),
        })),
        Content::ToolResult {
            id, text, is_error, ..
        } => {
            let mut result = json!({ "type": "tool_result", "tool_use_id": call_id(id) });
            if let Some(fields) = result.as_object_mut() {
                if !text.trim().is_empty() {
                    fields.insert("content".to_owned(), json!(text));
                }
                if *is_error {
                    fields.insert("is_error".to_owned(), json!(true));
                }
            }
            Some(result)
        }
        Content::File { attachment } => Some(text(&history::describe(attachment))),
    }
}

/// Other families' ids may have characters this API refuses.
fn call_id(id: &str) -> String {
    let allowed = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
    id.chars()
        .map(|c| if allowed(c) { c } else { '_' })
        .collect()
}

fn text(words: &str) -> Value {
    json!({ "type": "text", "text": words })
}

/// Marks the last two messages of the user: the newest so that the next request finds it, the one
/// before because the provider looks back only twenty blocks from a mark. With tools and
/// instructions that makes the four marks a request may have.
fn mark_messages(messages: &mut [Value]) {
    let is_user = |message: &&mut Value| message.get("role") == Some(&json!("user"));
    for message in messages.iter_mut().rev().filter(is_user).take(2) {
        let content = message.get_mut("content").and_then(Value::as_array_mut);
        if let Some(last) = content.and_then(|blocks| blocks.last_mut()) {
            mark(last);
        }
    }
}

fn mark(block: &mut Value) {
    if let Some(fields) = block.as_object_mut() {
        fields.insert("cache_control".to_owned(), json!({ "type": "ephemeral" }));
    }
}
