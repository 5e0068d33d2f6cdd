//! What Anthropic's rules refuse, and in which words.

use super::*;
use serde_json::json;

fn problem(messages: &Value) -> String {
    let messages = messages.as_array().unwrap();
    history(messages).err().unwrap_or_default()
}

fn of_user(content: &Value) -> Value {
    json!({ "role": "user", "content": content })
}

fn of_model(content: &Value) -> Value {
    json!({ "role": "assistant", "content": content })
}

#[test]
fn histories_the_vendor_refuses_are_refused() {
    let user = json!({ "role": "user", "content": "hi" });
    let call = json!({ "type": "tool_use", "id": "t", "name": "bash", "input": {} });
    let calls = json!({ "role": "assistant", "content": [call] });
    let result = json!({ "type": "tool_result", "tool_use_id": "t", "content": "" });
    let text = json!({ "type": "text", "text": "hi" });
    let blank = json!({ "type": "text", "text": " " });
    let done = of_user(&json!([result]));

    assert_eq!(problem(&json!([user])), "");
    assert_eq!(
        problem(&json!([user, calls, of_user(&json!([result, text]))])),
        ""
    );
    for (messages, reason) in [
        (json!([]), "at least one message"),
        (json!([user, user]), "roles must alternate"),
        (json!([calls, done]), "roles must alternate"),
        (
            json!([{ "role": "system", "content": "x" }]),
            "should be 'user' or 'assistant'",
        ),
        (json!([user, calls, user]), "without `tool_result` blocks"),
        (json!([done]), "unexpected `tool_use_id`"),
        (
            json!([user, calls, of_user(&json!([text, result]))]),
            "must come first",
        ),
        (
            json!([user, calls, of_user(&json!([result, result]))]),
            "single result",
        ),
        (
            json!([user, calls, done, calls, done]),
            "ids must be unique",
        ),
        (json!([of_user(&json!([blank]))]), "non-whitespace"),
        (json!([of_user(&json!([]))]), "non-empty content"),
        (
            json!([user, of_model(&json!("")), user]),
            "non-empty content",
        ),
        (
            json!([user, { "role": "assistant", "content": "yes" }]),
            "must end with a user message",
        ),
    ] {
        let problem = problem(&messages);
        assert!(problem.contains(reason), "{reason}: {problem}");
    }
}

#[test]
fn blocks_have_a_shape_and_a_side() {
    let user = of_user(&json!("hi"));
    let call = |id: &str, name: &str, input: Value| json!({ "type": "tool_use", "id": id, "name": name, "input": input });
    for (block, reason) in [
        (call("a:b", "bash", json!({})), "tool_use.id"),
        (call("a", "", json!({})), "tool_use.name"),
        (call("a", "bash", json!("ls")), "valid dictionary"),
        (
            json!({ "type": "tool_result", "tool_use_id": "a" }),
            "in `user` messages",
        ),
        (
            json!({ "type": "thinking", "thinking": "x" }),
            "signature: Field required",
        ),
        (json!({ "type": "refusal" }), "Input tag 'refusal'"),
    ] {
        let problem = problem(&json!([user, of_model(&json!([block])), user]));
        assert!(problem.contains(reason), "{reason}: {problem}");
    }
    let problem = problem(&json!([of_user(&json!([call("a", "bash", json!({}))]))]));
    assert!(problem.contains("in `assistant` messages"), "{problem}");
}

#[test]
fn tools_are_named_once_and_there_when_used_and_thinking_comes_first() {
    let call = json!({ "type": "tool_use", "id": "t", "name": "bash", "input": {} });
    let thinking = json!({ "type": "thinking", "thinking": "x", "signature": "s" });
    let result = json!({ "type": "tool_result", "tool_use_id": "t" });
    let body = |tools: Value, content: Value| {
        let messages = json!([
            of_user(&json!("hi")),
            of_model(&content),
            of_user(&json!([result]))
        ]);
        json!({
            "model": "m", "max_tokens": 4_096, "tools": tools, "messages": messages,
            "thinking": { "type": "enabled", "budget_tokens": 1_024 },
        })
    };
    let bash = json!({ "name": "bash" });
    assert_eq!(check(&body(json!([bash]), json!([thinking, call]))), Ok(()));
    for (tools, content, reason) in [
        (json!([]), json!([thinking, call]), "must define `tools`"),
        (
            json!([bash, bash]),
            json!([thinking, call]),
            "names must be unique",
        ),
        (
            json!([{ "name": "a b" }]),
            json!([thinking, call]),
            "tools.0.custom.name",
        ),
        (
            json!([bash]),
            json!([call]),
            "must start with a thinking block",
        ),
    ] {
        let problem = check(&body(tools, content)).unwrap_err();
        assert!(problem.contains(reason), "{reason}: {problem}");
    }
}
