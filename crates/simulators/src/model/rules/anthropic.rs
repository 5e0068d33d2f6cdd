//! Anthropic's rules.

use super::{is_name, repeated};
use crate::model::request::{blocks, field, messages};
use serde_json::Value;

/// The longest name of a tool.
const LONGEST_NAME: usize = 128;

pub(super) fn check(body: &Value) -> Result<(), String> {
    if field(body, "model").is_empty() {
        return Err("model: Field required".to_owned());
    }
    let max_tokens = body.get("max_tokens").and_then(Value::as_i64).unwrap_or(0);
    if max_tokens < 1 {
        return Err("max_tokens: Field required".to_owned());
    }
    thinking_budget(body, max_tokens)?;
    if body.to_string().matches("\"cache_control\"").count() > 4 {
        return Err("A maximum of 4 blocks with cache_control may be provided.".to_owned());
    }
    let messages = messages(body);
    history(messages)?;
    tools(body, messages)?;
    thinking_first(body, messages)
}

fn thinking_budget(body: &Value, max_tokens: i64) -> Result<(), String> {
    let budget = body
        .pointer("/thinking/budget_tokens")
        .and_then(Value::as_i64);
    if budget.is_some_and(|budget| budget < 1_024) {
        return Err(
            "thinking.enabled.budget_tokens: Input should be greater than or equal to 1024"
                .to_owned(),
        );
    }
    if budget.is_some_and(|budget| budget >= max_tokens) {
        return Err("`max_tokens` must be greater than `thinking.budget_tokens`".to_owned());
    }
    Ok(())
}

fn tools(body: &Value, messages: &[Value]) -> Result<(), String> {
    let tools = body.get("tools").and_then(Value::as_array);
    let tools = tools.map(Vec::as_slice).unwrap_or_default();
    let names = || tools.iter().map(|tool| field(tool, "name"));
    if let Some((position, _)) = names()
        .enumerate()
        .find(|(_, name)| !is_name(name, LONGEST_NAME))
    {
        return Err(format!(
            "tools.{position}.custom.name: String should match pattern '^[a-zA-Z0-9_-]{{1,128}}$'"
        ));
    }
    if repeated(names()).is_some() {
        return Err("tools: Tool names must be unique.".to_owned());
    }
    let of_tools = |block: &Value| matches!(field(block, "type"), "tool_use" | "tool_result");
    if tools.is_empty() && messages.iter().flat_map(blocks).any(of_tools) {
        return Err("Requests which have `tool_use` or `tool_result` blocks in `messages` must define `tools`".to_owned());
    }
    Ok(())
}

/// With a budget, a tool use that is being continued shows the thinking that led to it.
fn thinking_first(body: &Value, messages: &[Value]) -> Result<(), String> {
    let [.., asked, answered] = messages else {
        return Ok(());
    };
    let is_budget = body.pointer("/thinking/type") == Some(&Value::from("enabled"));
    if !is_budget || of_kind(answered, "tool_result", "tool_use_id").is_empty() {
        return Ok(());
    }
    let first = blocks(asked).first();
    let first = first.map(|block| field(block, "type")).unwrap_or_default();
    if matches!(first, "thinking" | "redacted_thinking") {
        return Ok(());
    }
    let position = messages.len() - 2;
    Err(format!(
        "messages.{position}.content.0.type: Expected `thinking` or `redacted_thinking`, but found `{first}`. When `thinking` is enabled, a final `assistant` message must start with a thinking block (preceeding the lastmost set of `tool_use` and `tool_result` blocks)."
    ))
}

fn history(messages: &[Value]) -> Result<(), String> {
    if messages.is_empty() {
        return Err("messages: at least one message is required".to_owned());
    }
    let mut expected = "user";
    let mut open: Vec<&str> = Vec::new();
    let mut used: Vec<&str> = Vec::new();
    for (position, message) in messages.iter().enumerate() {
        let role = field(message, "role");
        if !matches!(role, "user" | "assistant") {
            return Err(format!(
                "messages.{position}.role: Input should be 'user' or 'assistant'"
            ));
        }
        if role != expected {
            return Err(format!(
                "messages.{position}: roles must alternate between \"user\" and \"assistant\", but found \"{role}\""
            ));
        }
        expected = if role == "user" { "assistant" } else { "user" };
        empty(message, position)?;
        for (place, block) in blocks(message).iter().enumerate() {
            shape(block, role)
                .map_err(|why| format!("messages.{position}.content.{place}{why}"))?;
        }
        results(message, position, &open)?;
        open = of_kind(message, "tool_use", "id");
        used.extend(&open);
        if repeated(used.iter().copied()).is_some() {
            return Err(format!(
                "messages.{position}: `tool_use` ids must be unique"
            ));
        }
    }
    if expected == "user" {
        return Err("This model does not support assistant message prefill. The conversation must end with a user message.".to_owned());
    }
    Ok(())
}

/// The results of exactly the calls before, each once, before anything else.
fn results(message: &Value, position: usize, open: &[&str]) -> Result<(), String> {
    let results = of_kind(message, "tool_result", "tool_use_id");
    if let Some(missing) = open.iter().find(|id| !results.contains(id)) {
        return Err(format!(
            "messages.{}: `tool_use` ids were found without `tool_result` blocks immediately after: {missing}. Each `tool_use` block must have a corresponding `tool_result` block in the next message.",
            position.saturating_sub(1)
        ));
    }
    if let Some(orphan) = results.iter().find(|id| !open.contains(id)) {
        return Err(format!(
            "messages.{position}: unexpected `tool_use_id` found in `tool_result` blocks: {orphan}. Each `tool_result` block must have a corresponding `tool_use` block in the previous message."
        ));
    }
    if let Some(twice) = repeated(results.iter().copied()) {
        return Err(format!(
            "messages.{position}: each tool_use must have a single result. Found multiple `tool_result` blocks with id: {twice}"
        ));
    }
    let first_other = blocks(message)
        .iter()
        .position(|block| field(block, "type") != "tool_result");
    if first_other.is_some_and(|first| first < results.len()) {
        return Err(format!(
            "messages.{position}: `tool_result` blocks must come first in the content"
        ));
    }
    Ok(())
}

/// Why a block is none, or not one of this role.
fn shape(block: &Value, role: &str) -> Result<(), String> {
    let kind = field(block, "type");
    match (kind, role) {
        ("thinking", "assistant") if field(block, "signature").is_empty() => {
            Err(".thinking.signature: Field required".to_owned())
        }
        ("tool_use", "assistant") => tool_use(block),
        ("tool_result", "user") if field(block, "tool_use_id").is_empty() => {
            Err(".tool_result.tool_use_id: Field required".to_owned())
        }
        ("text" | "image" | "document", _)
        | ("thinking" | "redacted_thinking", "assistant")
        | ("tool_result", "user") => Ok(()),
        ("tool_use" | "thinking" | "redacted_thinking", _) => Err(format!(
            ": `{kind}` blocks can only be in `assistant` messages"
        )),
        ("tool_result", _) => {
            Err(": `tool_result` blocks can only be in `user` messages".to_owned())
        }
        _ => Err(format!(
            ": Input tag '{kind}' found using 'type' does not match any of the expected tags"
        )),
    }
}

fn tool_use(block: &Value) -> Result<(), String> {
    // An id has the pattern of a name, without its limit.
    if !is_name(field(block, "id"), usize::MAX) {
        return Err(".tool_use.id: String should match pattern '^[a-zA-Z0-9_-]+$'".to_owned());
    }
    if !is_name(field(block, "name"), LONGEST_NAME) {
        return Err(
            ".tool_use.name: String should match pattern '^[a-zA-Z0-9_-]{1,128}$'".to_owned(),
        );
    }
    if !block.get("input").is_some_and(Value::is_object) {
        return Err(".tool_use.input: Input should be a valid dictionary".to_owned());
    }
    Ok(())
}

fn of_kind<'v>(message: &'v Value, kind: &str, id: &str) -> Vec<&'v str> {
    let found = blocks(message)
        .iter()
        .filter(|block| field(block, "type") == kind);
    found.map(|block| field(block, id)).collect()
}

fn empty(message: &Value, position: usize) -> Result<(), String> {
    let nothing = match message.get("content") {
        Some(Value::String(text)) => text.trim().is_empty(),
        Some(Value::Array(blocks)) => blocks.is_empty(),
        _ => true,
    };
    if nothing {
        return Err(format!(
            "messages.{position}: all messages must have non-empty content"
        ));
    }
    let blank =
        |block: &Value| field(block, "type") == "text" && field(block, "text").trim().is_empty();
    if blocks(message).iter().any(blank) {
        return Err("messages: text content blocks must contain non-whitespace text".to_owned());
    }
    Ok(())
}

#[cfg(test)]
#[path = "anthropic_tests.rs"]
mod tests;
