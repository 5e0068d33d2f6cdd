//! The rules of Chat Completions.

use super::{is_name, repeated};
use crate::model::request::{field, messages};
use serde_json::Value;

/// The longest id of a tool call.
const LONGEST_ID: usize = 40;
/// The longest name of a tool.
const LONGEST_NAME: usize = 64;

pub(super) fn check(body: &Value) -> Result<(), String> {
    if field(body, "model").is_empty() {
        return Err("you must provide a model parameter".to_owned());
    }
    if body.get("max_tokens").is_some() && body.get("max_completion_tokens").is_some() {
        return Err(
            "Setting 'max_tokens' and 'max_completion_tokens' at the same time is not supported."
                .to_owned(),
        );
    }
    tools(body)?;
    history(messages(body))
}

fn tools(body: &Value) -> Result<(), String> {
    let Some(tools) = body.get("tools").and_then(Value::as_array) else {
        if body.get("tool_choice").is_some() {
            return Err(
                "Invalid value for 'tool_choice': 'tool_choice' is only allowed when 'tools' are specified."
                    .to_owned(),
            );
        }
        return Ok(());
    };
    if tools.is_empty() {
        return Err("Invalid 'tools': empty array. Expected an array with minimum length 1, but got an empty array instead.".to_owned());
    }
    for (position, tool) in tools.iter().enumerate() {
        function(tool, &format!("tools[{position}]"))?;
    }
    Ok(())
}

fn history(messages: &[Value]) -> Result<(), String> {
    if messages.is_empty() {
        return Err("Invalid 'messages': empty array.".to_owned());
    }
    let mut open: Vec<&str> = Vec::new();
    let mut answered: Vec<&str> = Vec::new();
    for (position, message) in messages.iter().enumerate() {
        let role = field(message, "role");
        let at = format!("messages[{position}]");
        if role == "tool" {
            let id = field(message, "tool_call_id");
            result(&at, id, &mut open, &answered)?;
            if !message.get("content").is_some_and(is_text) {
                return Err(format!(
                    "Invalid value for 'content': expected a string, got null. ({at}.content)"
                ));
            }
            answered.push(id);
            continue;
        }
        if !matches!(role, "system" | "developer" | "user" | "assistant") {
            return Err(format!(
                "Invalid value: '{role}'. Supported values are: 'system', 'assistant', 'user', 'function', 'tool', and 'developer'. ({at}.role)"
            ));
        }
        all_answered(&open)?;
        answered.clear();
        open = calls(message, role, &at)?;
        content(message, &at, open.is_empty())?;
    }
    all_answered(&open)
}

/// One result takes one call out of those that wait.
fn result(at: &str, id: &str, open: &mut Vec<&str>, answered: &[&str]) -> Result<(), String> {
    if let Some(call) = open.iter().position(|call| *call == id) {
        open.remove(call);
        return Ok(());
    }
    Err(if answered.contains(&id) {
        format!("Invalid parameter: Duplicate value for 'tool_call_id' of '{id}' in {at}.")
    } else {
        format!(
            "Invalid parameter: messages with role 'tool' must be a response to a preceeding message with 'tool_calls' ({at})."
        )
    })
}

fn all_answered(open: &[&str]) -> Result<(), String> {
    if open.is_empty() {
        return Ok(());
    }
    Err(format!(
        "An assistant message with 'tool_calls' must be followed by tool messages responding to each 'tool_call_id'. The following tool_call_ids did not have response messages: {}",
        open.join(", ")
    ))
}

/// The ids of a message's calls.
fn calls<'v>(message: &'v Value, role: &str, at: &str) -> Result<Vec<&'v str>, String> {
    let Some(calls) = message.get("tool_calls").filter(|calls| !calls.is_null()) else {
        return Ok(Vec::new());
    };
    if role != "assistant" {
        return Err(format!("Unknown parameter: '{at}.tool_calls'."));
    }
    let calls = calls.as_array().map(Vec::as_slice).unwrap_or_default();
    if calls.is_empty() {
        return Err(format!(
            "Invalid '{at}.tool_calls': empty array. Expected an array with minimum length 1, but got an empty array instead."
        ));
    }
    for (place, call) in calls.iter().enumerate() {
        let at = format!("{at}.tool_calls[{place}]");
        let id = field(call, "id");
        if id.is_empty() {
            return Err(format!("Missing required parameter: '{at}.id'."));
        }
        if id.len() > LONGEST_ID {
            return Err(format!(
                "Invalid '{at}.id': string too long. Expected a string with maximum length {LONGEST_ID}, but got a string with length {} instead.",
                id.len()
            ));
        }
        function(call, &at)?;
        let arguments = call.pointer("/function/arguments").and_then(Value::as_str);
        // OpenAI itself takes any string here; servers that fill a template from it do not.
        let arguments = arguments.and_then(|text| serde_json::from_str::<Value>(text).ok());
        if !arguments.is_some_and(|arguments| arguments.is_object()) {
            return Err(format!(
                "Invalid '{at}.function.arguments': expected a string that is a JSON object."
            ));
        }
    }
    let ids: Vec<&str> = calls.iter().map(|call| field(call, "id")).collect();
    match repeated(ids.iter().copied()) {
        Some(twice) => Err(format!(
            "Invalid parameter: Duplicate value for 'id' of '{twice}' in {at}.tool_calls."
        )),
        None => Ok(ids),
    }
}

/// A tool or the call of one.
fn function(value: &Value, at: &str) -> Result<(), String> {
    if field(value, "type") != "function" {
        return Err(format!("Missing required parameter: '{at}.type'."));
    }
    let function = value.get("function").unwrap_or(&Value::Null);
    if !is_name(field(function, "name"), LONGEST_NAME) {
        return Err(format!(
            "Invalid '{at}.function.name': string does not match pattern. Expected a string that matches the pattern '^[a-zA-Z0-9_-]+$'."
        ));
    }
    Ok(())
}

fn content(message: &Value, at: &str, needed: bool) -> Result<(), String> {
    match message.get("content").unwrap_or(&Value::Null) {
        Value::Null if !needed => Ok(()),
        // OpenAI itself takes an empty string; several servers that speak its format do not.
        Value::String(text) if !needed || !text.trim().is_empty() => Ok(()),
        Value::Array(parts) if !parts.is_empty() => Ok(()),
        Value::String(_) => Err(format!(
            "Invalid '{at}.content': empty string. Expected a string with minimum length 1."
        )),
        Value::Array(_) => Err(format!(
            "Invalid '{at}.content': empty array. Expected an array with minimum length 1, but got an empty array instead."
        )),
        _ => Err(format!(
            "Invalid value for 'content': expected a string, got null. ({at}.content)"
        )),
    }
}

fn is_text(content: &Value) -> bool {
    content.is_string() || content.as_array().is_some_and(|parts| !parts.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn call(id: &str, name: &str, arguments: &str) -> Value {
        json!({ "id": id, "type": "function", "function": { "name": name, "arguments": arguments } })
    }

    fn calls(list: &[Value]) -> Value {
        json!({ "role": "assistant", "content": null, "tool_calls": list })
    }

    #[test]
    fn histories_the_vendor_refuses_are_refused() {
        let user = json!({ "role": "user", "content": "hi" });
        let both = calls(&[call("a", "bash", "{}"), call("b", "bash", "{}")]);
        let result = |id: &str| json!({ "role": "tool", "tool_call_id": id, "content": "" });
        let says = |role: &str, content: Value| json!({ "role": role, "content": content });
        let (a, b, c) = (result("a"), result("b"), result("c"));
        let silent = json!({ "role": "tool", "tool_call_id": "a", "content": null });
        for (messages, reason) in [
            (json!([user, both, b, a, user]), ""),
            (json!([user, user]), ""),
            (json!([]), "empty array"),
            (json!([user, both, a]), "did not have response messages: b"),
            (
                json!([user, both, a, user, b]),
                "did not have response messages: b",
            ),
            (json!([user, both, a, b, c]), "must be a response"),
            (json!([user, a]), "must be a response"),
            (
                json!([user, both, a, a, b]),
                "Duplicate value for 'tool_call_id'",
            ),
            (json!([user, both, silent]), "expected a string, got null"),
            (
                json!([user, says("assistant", json!(null))]),
                "expected a string, got null",
            ),
            (json!([says("user", json!(" "))]), "empty string"),
            (json!([says("user", json!([]))]), "empty array"),
            (json!([says("model", json!("x"))]), "Invalid value: 'model'"),
        ] {
            let problem = history(messages.as_array().unwrap()).err();
            let problem = problem.unwrap_or_default();
            assert!(problem.contains(reason), "{reason}: {problem}");
            assert_eq!(problem.is_empty(), reason.is_empty(), "{problem}");
        }
    }

    #[test]
    fn calls_have_a_form() {
        let user = json!({ "role": "user", "content": "hi" });
        let long = "x".repeat(41);
        for (list, reason) in [
            (vec![], "empty array"),
            (vec![call("", "bash", "{}")], "tool_calls[0].id"),
            (vec![call(&long, "bash", "{}")], "maximum length 40"),
            (vec![call("a", "b c", "{}")], "does not match pattern"),
            (vec![call("a", "bash", "{\"")], "function.arguments"),
            (vec![json!({ "id": "a" })], "tool_calls[0].type"),
            (
                vec![call("a", "bash", "{}"), call("a", "bash", "{}")],
                "Duplicate value for 'id'",
            ),
        ] {
            let problem = history(&[user.clone(), calls(&list)]).unwrap_err();
            assert!(problem.contains(reason), "{reason}: {problem}");
        }
    }
}
