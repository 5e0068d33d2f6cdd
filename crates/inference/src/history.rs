//! What both wire formats do to a history before they write it down.

use domain::{
    channel::Attachment,
    message::{Arguments, Content, Part},
};
use ports::inference::Turn;
use serde_json::{Value, json};
use std::collections::BTreeSet;

/// A tool call's arguments as the JSON object every provider demands. What was no JSON stays
/// readable for the model: its own words explain the error it got back.
pub(crate) fn arguments(arguments: &Arguments) -> Value {
    match arguments {
        Arguments::Valid { value } => value.clone(),
        Arguments::Invalid { raw, .. } => json!({ "invalid_json": raw }),
    }
}

/// A file as the model is told of it.
pub(crate) fn describe(file: &Attachment) -> String {
    let name = file.name.as_deref().unwrap_or("without a name");
    let kind = file.media_type.as_deref().unwrap_or("unknown type");
    match file.bytes {
        Some(bytes) => format!("[file {name}, {kind}, {bytes} bytes]"),
        None => format!("[file {name}, {kind}]"),
    }
}

/// An id for a call that came without one: unique in the whole conversation, as providers demand.
pub(crate) fn spare_call_id(position: usize) -> String {
    format!("call_{position}")
}

/// The names of the tools the history has calls of, sorted.
pub(crate) fn used_tools(turns: &[Turn]) -> BTreeSet<&str> {
    let parts = turns.iter().flat_map(|turn| &turn.parts);
    parts
        .filter_map(|part| match &part.content {
            Content::ToolCall { name, .. } => Some(name.as_str()),
            Content::Text { .. }
            | Content::Thinking { .. }
            | Content::ToolResult { .. }
            | Content::File { .. } => None,
        })
        .collect()
}

/// How many tool calls the history already holds.
pub(crate) fn count_calls(turns: &[Turn]) -> usize {
    let is_call = |part: &&Part| matches!(part.content, Content::ToolCall { .. });
    turns
        .iter()
        .flat_map(|turn| &turn.parts)
        .filter(is_call)
        .count()
}
