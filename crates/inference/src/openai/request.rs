//! Our request as Chat Completions JSON. A pure function, like its Anthropic sibling.

use crate::history;
use domain::message::{Content, Part, Role};
use ports::inference::{ModelRequest, Turn};
use serde_json::{Map, Value, json};

/// Whose understanding of the format a server has.
pub(crate) enum Dialect {
    /// What every server understands.
    Common,
    /// `api.openai.com`.
    OpenAi {
        /// The `reasoning_effort` the model demands when tools are offered.
        tools_effort: Option<String>,
    },
}

/// The body of a request.
pub(crate) fn body(request: &ModelRequest, dialect: &Dialect) -> Value {
    let mut body = Map::new();
    body.insert("model".to_owned(), json!(request.model));
    body.insert("messages".to_owned(), Value::Array(messages(request)));
    body.insert("stream".to_owned(), json!(true));
    let options = json!({ "include_usage": true });
    body.insert("stream_options".to_owned(), options);
    let limit = match dialect {
        Dialect::Common => "max_tokens",
        Dialect::OpenAi { .. } => "max_completion_tokens",
    };
    body.insert(limit.to_owned(), json!(request.max_output_tokens));
    if !request.tools.is_empty() {
        body.insert("tools".to_owned(), Value::Array(tools(request)));
        if let Dialect::OpenAi {
            tools_effort: Some(effort),
        } = dialect
        {
            body.insert("reasoning_effort".to_owned(), json!(effort));
        }
    }
    Value::Object(body)
}

fn tools(request: &ModelRequest) -> Vec<Value> {
    let tools = request.tools.iter().map(|tool| {
        json!({
            "type": "function",
            "function": {
                "name": tool.name,
                "description": tool.description,
                "parameters": tool.parameters,
            },
        })
    });
    tools.collect()
}

/// Text of one side that has not been written yet. Many chat templates insist on alternation, so
/// neighbours of one side become one message.
#[derive(Default)]
struct Pending {
    user: Vec<String>,
    assistant: Vec<String>,
    calls: Vec<Value>,
}

fn messages(request: &ModelRequest) -> Vec<Value> {
    let mut messages = Vec::new();
    if !request.system.trim().is_empty() {
        messages.push(json!({ "role": "system", "content": request.system }));
    }
    let mut pending = Pending::default();
    for turn in &request.turns {
        add(turn, &mut pending, &mut messages);
    }
    pending.flush(&mut messages);
    messages
}

fn add(turn: &Turn, pending: &mut Pending, messages: &mut Vec<Value>) {
    match turn.role {
        Role::Assistant => pending.flush_user(messages),
        Role::User | Role::Tool => pending.flush_assistant(messages),
    }
    for part in &turn.parts {
        let Part { content, .. } = part;
        let words = match content {
            Content::Text { text } => text.clone(),
            Content::File { attachment } => history::describe(attachment),
            // Never sent back: servers refuse it or take it for the answer.
            Content::Thinking { .. } => continue,
            Content::ToolCall {
                id,
                name,
                arguments,
            } => {
                pending.calls.push(json!({
                    "id": id,
                    "type": "function",
                    "function": {
                        "name": name,
                        "arguments": history::arguments(arguments).to_string(),
                    },
                }));
                continue;
            }
            Content::ToolResult {
                id, text, is_error, ..
            } => {
                // Results must follow their calls, before anything people wrote meanwhile.
                let content = if *is_error {
                    format!("The tool failed.\n{text}")
                } else {
                    text.clone()
                };
                messages.push(json!({ "role": "tool", "tool_call_id": id, "content": content }));
                continue;
            }
        };
        if words.trim().is_empty() {
            continue;
        }
        match turn.role {
            Role::Assistant => pending.assistant.push(words),
            Role::User | Role::Tool => pending.user.push(words),
        }
    }
}

impl Pending {
    fn flush(&mut self, messages: &mut Vec<Value>) {
        self.flush_user(messages);
        self.flush_assistant(messages);
    }

    fn flush_user(&mut self, messages: &mut Vec<Value>) {
        if !self.user.is_empty() {
            let text = std::mem::take(&mut self.user).join("\n\n");
            messages.push(json!({ "role": "user", "content": text }));
        }
    }

    fn flush_assistant(&mut self, messages: &mut Vec<Value>) {
        let text = std::mem::take(&mut self.assistant).join("\n\n");
        let calls = std::mem::take(&mut self.calls);
        let content = if text.is_empty() {
            Value::Null
        } else {
            json!(text)
        };
        if !calls.is_empty() {
            messages.push(json!({ "role": "assistant", "content": content, "tool_calls": calls }));
        } else if !content.is_null() {
            messages.push(json!({ "role": "assistant", "content": content }));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ports::inference::ToolSpec;

    fn request() -> ModelRequest {
        ModelRequest {
            model: "gpt-5.6-terra".to_owned(),
            system: String::new(),
            turns: Vec::new(),
            tools: vec![ToolSpec {
                name: "bash",
                description: "Runs a command.",
                parameters: json!({ "type": "object" }),
                read_only: false,
            }],
            max_output_tokens: 100,
            thinking_tokens: None,
        }
    }

    #[test]
    fn openai_itself_gets_its_own_names_and_nobody_else_does() {
        let dialect = Dialect::OpenAi {
            tools_effort: Some("none".to_owned()),
        };
        let own = body(&request(), &dialect);
        assert_eq!(own.get("max_completion_tokens"), Some(&json!(100)));
        assert_eq!(own.get("reasoning_effort"), Some(&json!("none")));
        assert_eq!(own.get("max_tokens"), None);
        let common = body(&request(), &Dialect::Common);
        assert_eq!(common.get("max_tokens"), Some(&json!(100)));
        assert_eq!(common.get("reasoning_effort"), None);
    }
}
