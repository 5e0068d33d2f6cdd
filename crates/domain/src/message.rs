//! The transcript of a job: append-only messages made of parts that know where they came from.

use crate::{
    Timestamp,
    channel::Attachment,
    id::{JobId, MessageId, TenantId, ToolCallId},
    text::words,
};
use serde::{Deserialize, Serialize};

words!(
    /// Whose turn a message is.
    Role {
        /// A person, or the server on their behalf.
        User = "user",
        /// The model.
        Assistant = "assistant",
        /// Results of tool calls.
        Tool = "tool",
    }
);

words!(
    /// Where a part came from.
    Origin {
        /// A person wrote it.
        Human = "human",
        /// The model wrote it.
        Model = "model",
        /// A tool produced it.
        Tool = "tool",
        /// The server wrote it.
        System = "system",
    }
);

words!(
    /// How far a part may be believed. What a job has read limits what it may do by itself.
    Trust {
        /// The tenant's own people, or the server.
        Trusted = "trusted",
        /// Known senders on a channel.
        Guest = "guest",
        /// Anything else: files, web pages, command output.
        Untrusted = "untrusted",
    }
);

/// What the model passed to a tool. Text that is not a JSON object is kept as it is and goes
/// back to the model as an error; it never turns into empty arguments.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "state", rename_all = "snake_case")]
pub enum Arguments {
    /// A JSON object.
    Valid {
        /// The object.
        value: serde_json::Value,
    },
    /// Anything else.
    Invalid {
        /// What the model sent, cut to a sensible length.
        raw: String,
        /// What is wrong with it.
        error: String,
    },
}

impl Arguments {
    /// Parses what a model streamed. An empty string counts as `{}`: every provider sends that
    /// for a call without arguments.
    pub fn parse(raw: &str) -> Self {
        let text = if raw.trim().is_empty() { "{}" } else { raw };
        match serde_json::from_str::<serde_json::Value>(text) {
            Ok(value) if value.is_object() => Self::Valid { value },
            Ok(_) => Self::invalid(raw, "tool arguments must be a JSON object".to_owned()),
            Err(error) => Self::invalid(raw, format!("tool arguments are not valid JSON: {error}")),
        }
    }

    fn invalid(raw: &str, error: String) -> Self {
        Self::Invalid {
            raw: raw.chars().take(2_000).collect(),
            error,
        }
    }
}

/// One piece of a message.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Content {
    /// Prose.
    Text {
        /// The text.
        text: String,
    },
    /// The model's reasoning. Replayed byte for byte to the provider that signed it.
    Thinking {
        /// What it thought; may be empty when the provider hides it.
        text: String,
        /// The provider's signature or encrypted form.
        signature: Option<String>,
        /// Whether `signature` is an encrypted block that carries no readable text.
        redacted: bool,
    },
    /// The model asks for a tool.
    ToolCall {
        /// The provider's id of the call.
        id: String,
        /// The tool's name.
        name: String,
        /// What it passed.
        arguments: Arguments,
    },
    /// What the tool answered; exactly one per call.
    ToolResult {
        /// The provider's id of the call.
        id: String,
        /// The tool's name.
        name: String,
        /// What the model reads.
        text: String,
        /// Whether the call failed.
        is_error: bool,
    },
    /// A file that came with the message.
    File {
        /// What is known of it.
        attachment: Attachment,
    },
}

/// A piece of a message with its origin and trust.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Part {
    /// Where it came from.
    pub origin: Origin,
    /// How far it may be believed.
    pub trust: Trust,
    /// What it is.
    #[serde(flatten)]
    pub content: Content,
}

impl Part {
    /// Text written by the server.
    pub fn system(text: impl Into<String>) -> Self {
        Self {
            origin: Origin::System,
            trust: Trust::Trusted,
            content: Content::Text { text: text.into() },
        }
    }

    /// Text written by a person.
    pub fn human(text: impl Into<String>, trust: Trust) -> Self {
        Self {
            origin: Origin::Human,
            trust,
            content: Content::Text { text: text.into() },
        }
    }

    /// Anything the model produced.
    pub const fn model(content: Content) -> Self {
        Self {
            origin: Origin::Model,
            trust: Trust::Untrusted,
            content,
        }
    }

    /// The text of a text part.
    pub fn as_text(&self) -> Option<&str> {
        match &self.content {
            Content::Text { text } => Some(text),
            Content::Thinking { .. }
            | Content::ToolCall { .. }
            | Content::ToolResult { .. }
            | Content::File { .. } => None,
        }
    }
}

/// One append-only entry of a job's transcript, ordered by `seq`, never by time.
#[derive(Clone, Debug, PartialEq)]
pub struct Message {
    /// Its id.
    pub id: MessageId,
    /// The tenant it belongs to.
    pub tenant_id: TenantId,
    /// The job it belongs to.
    pub job_id: JobId,
    /// Its place, from 1, without gaps.
    pub seq: i64,
    /// Whose turn it is.
    pub role: Role,
    /// What it says.
    pub parts: Vec<Part>,
    /// When it was written down.
    pub created_at: Timestamp,
}

impl Message {
    /// All its text parts, joined by blank lines.
    pub fn text(&self) -> String {
        let texts: Vec<&str> = self.parts.iter().filter_map(Part::as_text).collect();
        texts.join("\n\n")
    }

    /// The tool calls it asks for, in order: (provider's id, name, arguments).
    pub fn tool_calls(&self) -> impl Iterator<Item = (&str, &str, &Arguments)> {
        self.parts.iter().filter_map(|part| match &part.content {
            Content::ToolCall {
                id,
                name,
                arguments,
            } => Some((id.as_str(), name.as_str(), arguments)),
            Content::Text { .. }
            | Content::Thinking { .. }
            | Content::ToolResult { .. }
            | Content::File { .. } => None,
        })
    }
}

words!(
    /// Where a tool call stands.
    ToolCallStatus {
        /// It runs, or ran when the process died.
        Running = "running",
        /// It answered.
        Succeeded = "succeeded",
        /// It answered with an error.
        Failed = "failed",
        /// The process died, or the job was stopped, while it ran; it is never repeated silently.
        Interrupted = "interrupted",
    }
);

/// One use of a tool inside a job: the receipt beside the transcript.
#[derive(Clone, Debug, PartialEq)]
pub struct ToolCall {
    /// Its id.
    pub id: ToolCallId,
    /// The tenant it belongs to.
    pub tenant_id: TenantId,
    /// The job it belongs to.
    pub job_id: JobId,
    /// The message that asked for it.
    pub message_id: MessageId,
    /// Its place among the calls of that message, from 0.
    pub position: i32,
    /// The provider's id of the call; unique within the message.
    pub provider_call_id: String,
    /// The tool.
    pub name: String,
    /// What was passed.
    pub arguments: Arguments,
    /// Where it stands.
    pub status: ToolCallStatus,
    /// What the model was told.
    pub result: Option<String>,
    /// Structured facts for programs and the UI: exit code, diff, cut bytes.
    pub detail: Option<serde_json::Value>,
    /// When it started.
    pub started_at: Timestamp,
    /// When it ended.
    pub finished_at: Option<Timestamp>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bad_arguments_are_kept_and_never_become_empty() {
        assert!(
            matches!(Arguments::parse(""), Arguments::Valid { value } if value == serde_json::json!({}))
        );
        assert!(
            matches!(Arguments::parse("{\"a\":"), Arguments::Invalid { raw, .. } if raw == "{\"a\":")
        );
        assert!(matches!(Arguments::parse("[1]"), Arguments::Invalid { .. }));
    }

    #[test]
    fn parts_are_flat_json_with_origin_and_trust() {
        let part = Part::human("hi", Trust::Guest);
        let json = serde_json::to_value(&part).unwrap();
        assert_eq!(
            json,
            serde_json::json!({"origin": "human", "trust": "guest", "type": "text", "text": "hi"})
        );
        assert_eq!(serde_json::from_value::<Part>(json).unwrap(), part);
    }
}
