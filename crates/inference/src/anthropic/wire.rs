//! The JSON of Anthropic's stream. Unknown kinds of events, blocks and deltas are let pass: the
//! vendor adds some without a new version.

use domain::{
    message::{Arguments, Content},
    model::Usage,
};
use serde::Deserialize;
use serde_json::Value;

/// One event of the stream.
#[derive(Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub(super) enum Event {
    MessageStart {
        message: Opening,
    },
    ContentBlockStart {
        index: u64,
        content_block: Block,
    },
    ContentBlockDelta {
        index: u64,
        delta: Delta,
    },
    ContentBlockStop {
        index: u64,
    },
    MessageDelta {
        delta: Closing,
        usage: Option<Tokens>,
    },
    MessageStop,
    Error {
        error: Value,
    },
    #[serde(other)]
    Other,
}

/// The message as it begins.
#[derive(Deserialize)]
pub(super) struct Opening {
    pub(super) usage: Option<Tokens>,
}

/// The message as it ends.
#[derive(Deserialize)]
pub(super) struct Closing {
    pub(super) stop_reason: Option<String>,
}

/// One block of the answer, growing.
#[derive(Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub(super) enum Block {
    Text {
        #[serde(default)]
        text: String,
    },
    Thinking {
        #[serde(default)]
        thinking: String,
        #[serde(default)]
        signature: String,
    },
    RedactedThinking {
        data: String,
    },
    ToolUse {
        id: String,
        name: String,
        #[serde(default)]
        input: Value,
        #[serde(skip)]
        json: String,
    },
    #[serde(other)]
    Other,
}

impl Block {
    /// What is kept of it; nothing of empty text and of tools the provider runs itself.
    pub(super) fn into_content(self) -> Option<Content> {
        match self {
            Self::Text { text } => (!text.is_empty()).then_some(Content::Text { text }),
            Self::Thinking {
                thinking,
                signature,
            } => Some(Content::Thinking {
                text: thinking,
                signature: (!signature.is_empty()).then_some(signature),
                redacted: false,
            }),
            Self::RedactedThinking { data } => Some(Content::Thinking {
                text: String::new(),
                signature: Some(data),
                redacted: true,
            }),
            Self::ToolUse {
                id,
                name,
                input,
                json,
            } => {
                // Some servers send the whole input at once instead of streaming it.
                let whole = input.as_object().is_some_and(|fields| !fields.is_empty());
                let arguments = if whole && json.is_empty() {
                    Arguments::Valid { value: input }
                } else {
                    Arguments::parse(&json)
                };
                Some(Content::ToolCall {
                    id,
                    name,
                    arguments,
                })
            }
            Self::Other => None,
        }
    }
}

/// More of a block.
#[derive(Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub(super) enum Delta {
    #[serde(rename = "text_delta")]
    Text { text: String },
    #[serde(rename = "thinking_delta")]
    Thinking { thinking: String },
    #[serde(rename = "signature_delta")]
    Signature { signature: String },
    #[serde(rename = "input_json_delta")]
    InputJson { partial_json: String },
    #[serde(other)]
    Other,
}

/// Counts are running totals; what an event leaves out keeps its last value.
#[derive(Clone, Copy, Default, Deserialize)]
pub(super) struct Tokens {
    #[serde(rename = "input_tokens")]
    input: Option<i64>,
    #[serde(rename = "output_tokens")]
    output: Option<i64>,
    #[serde(rename = "cache_read_input_tokens")]
    cache_read: Option<i64>,
    #[serde(rename = "cache_creation_input_tokens")]
    cache_write: Option<i64>,
}

impl Tokens {
    /// Takes over what a newer report says.
    pub(super) fn update(&mut self, newer: Self) {
        self.input = newer.input.or(self.input);
        self.output = newer.output.or(self.output);
        self.cache_read = newer.cache_read.or(self.cache_read);
        self.cache_write = newer.cache_write.or(self.cache_write);
    }

    /// What was reported so far; Anthropic's input already excludes what the cache holds.
    pub(super) fn counted(&self) -> Usage {
        Usage {
            input: self.input.unwrap_or_default(),
            output: self.output.unwrap_or_default(),
            cache_read: self.cache_read.unwrap_or_default(),
            cache_write: self.cache_write.unwrap_or_default(),
        }
    }
}
