//! Puts the fragments of streamed tool calls together.
//!
//! Every server has its own idea of when to repeat or omit index, id and name. A fragment opens a
//! new call when it cannot belong to the one it seems to continue.

use crate::history;
use domain::message::{Arguments, Content};
use serde::Deserialize;
use serde_json::Value;

/// A piece of a tool call.
#[derive(Default, Deserialize)]
pub(super) struct Fragment {
    pub(super) index: Option<i64>,
    pub(super) id: Option<String>,
    #[serde(default)]
    pub(super) function: Function,
}

/// The function in a fragment.
#[derive(Default, Deserialize)]
pub(super) struct Function {
    pub(super) name: Option<String>,
    /// A string that grows; some servers send a whole object.
    pub(super) arguments: Option<Value>,
}

/// The calls collected so far.
#[derive(Default)]
pub(super) struct Calls(Vec<Call>);

struct Call {
    index: Option<i64>,
    id: String,
    name: String,
    arguments: String,
}

impl Calls {
    /// Adds a fragment; returns how many characters it brought.
    pub(super) fn add(&mut self, fragment: Fragment) -> usize {
        let id = fragment.id.unwrap_or_default();
        let name = fragment.function.name.unwrap_or_default();
        let arguments = match fragment.function.arguments {
            Some(Value::String(text)) => text,
            Some(Value::Null) | None => String::new(),
            Some(whole) => whole.to_string(),
        };
        let characters = arguments.chars().count() + name.chars().count();
        match self.continued(fragment.index, &id, &name) {
            Some(call) => {
                if call.id.is_empty() {
                    call.id = id;
                }
                if call.name.is_empty() {
                    call.name = name;
                }
                call.arguments.push_str(&arguments);
            }
            None => self.0.push(Call {
                index: fragment.index,
                id,
                name,
                arguments,
            }),
        }
        characters
    }

    /// Whether there are none.
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The finished calls. Those without an id get one that is new to the conversation, which
    /// already holds `earlier` calls.
    pub(super) fn finish(&mut self, earlier: usize) -> Vec<Content> {
        let calls = std::mem::take(&mut self.0);
        let mut seen: Vec<String> = Vec::new();
        calls
            .into_iter()
            .enumerate()
            .map(|(position, call)| {
                let id = if call.id.is_empty() || seen.contains(&call.id) {
                    history::spare_call_id(earlier + position)
                } else {
                    call.id
                };
                seen.push(id.clone());
                Content::ToolCall {
                    id,
                    name: call.name,
                    arguments: Arguments::parse(&call.arguments),
                }
            })
            .collect()
    }

    /// The call a fragment continues, if any.
    fn continued(&mut self, index: Option<i64>, id: &str, name: &str) -> Option<&mut Call> {
        let call = match index {
            // The newest of that index: servers that number every call 0 send them one by one.
            Some(_) => self.0.iter_mut().rev().find(|call| call.index == index),
            None => self.0.last_mut(),
        }?;
        let other_id = !id.is_empty() && !call.id.is_empty() && call.id != id;
        // Without ids, a name after complete arguments can only begin another call.
        let begins = id.is_empty()
            && !name.is_empty()
            && !call.name.is_empty()
            && serde_json::from_str::<Value>(&call.arguments).is_ok_and(|json| json.is_object());
        (!other_id && !begins).then_some(call)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn collect(fragments: Value) -> Vec<(String, String, Arguments)> {
        let mut calls = Calls::default();
        let fragments: Vec<Fragment> = serde_json::from_value(fragments).unwrap();
        for fragment in fragments {
            calls.add(fragment);
        }
        let collected = calls.finish(3).into_iter().map(|content| match content {
            Content::ToolCall {
                id,
                name,
                arguments,
            } => (id, name, arguments),
            other => panic!("{other:?}"),
        });
        collected.collect()
    }

    fn call(id: &str, name: &str, value: Value) -> (String, String, Arguments) {
        (id.to_owned(), name.to_owned(), Arguments::Valid { value })
    }

    #[test]
    fn the_vendors_own_fragments_are_joined_by_index() {
        let calls = collect(json!([
            {"index": 0, "id": "a", "type": "function", "function": {"name": "bash", "arguments": ""}},
            {"index": 1, "id": "b", "function": {"name": "ls", "arguments": "{"}},
            {"index": 0, "function": {"arguments": "{\"x\""}},
            {"index": 0, "function": {"arguments": ":1}"}},
            {"index": 1, "function": {"arguments": "}"}},
        ]));
        let expected = [
            call("a", "bash", json!({"x": 1})),
            call("b", "ls", json!({})),
        ];
        assert_eq!(calls, expected);
    }

    #[test]
    fn fragments_without_index_or_with_an_empty_id_continue_the_last_call() {
        let calls = collect(json!([
            {"id": "a", "function": {"name": "bash", "arguments": "{\"x\":"}},
            {"id": "", "function": {"name": "", "arguments": "1"}},
            {"function": {"arguments": "}"}},
        ]));
        assert_eq!(calls, [call("a", "bash", json!({"x": 1}))]);
    }

    #[test]
    fn whole_calls_that_share_an_index_stay_apart() {
        let calls = collect(json!([
            {"index": 0, "id": "a", "function": {"name": "bash", "arguments": "{\"x\":1}"}},
            {"index": 0, "id": "b", "function": {"name": "bash", "arguments": {"x": 2}}},
        ]));
        let expected = [
            call("a", "bash", json!({"x": 1})),
            call("b", "bash", json!({"x": 2})),
        ];
        assert_eq!(calls, expected);
    }

    #[test]
    fn whole_calls_without_ids_stay_apart_and_get_new_ones() {
        let calls = collect(json!([
            {"function": {"name": "bash", "arguments": "{\"x\":1}"}},
            {"id": "", "function": {"name": "bash", "arguments": "{}"}},
        ]));
        let expected = [
            call("call_3", "bash", json!({"x": 1})),
            call("call_4", "bash", json!({})),
        ];
        assert_eq!(calls, expected);
    }
}
