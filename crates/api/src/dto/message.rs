//! Transcripts on the wire: messages, their parts, tool calls and model calls.

use super::words::{
    AttachmentKind, MessageRole, ModelCallPurpose, ModelCallStatus, Origin, ToolCallStatus, Trust,
};
use chrono::{DateTime, Utc};
use domain::{
    channel::Attachment,
    message::{Arguments, Content, Message, Part, ToolCall},
    model::{ModelCall, Usage},
};
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;
use uuid::Uuid;

/// One entry of a job's transcript.
#[derive(Serialize, ToSchema)]
pub(crate) struct MessageView {
    id: Uuid,
    job_id: Uuid,
    /// Its place, from 1, without gaps.
    seq: i64,
    role: MessageRole,
    parts: Vec<PartView>,
    created_at: DateTime<Utc>,
}

/// A piece of a message with its origin and trust.
#[derive(Serialize, ToSchema)]
pub(crate) struct PartView {
    origin: Origin,
    trust: Trust,
    #[serde(flatten)]
    content: ContentView,
}

/// What a piece is.
#[derive(Serialize, ToSchema)]
#[serde(tag = "type", rename_all = "snake_case")]
pub(crate) enum ContentView {
    /// Prose.
    Text { text: String },
    /// The model's reasoning.
    Thinking {
        text: String,
        /// The provider's signature or encrypted form.
        #[schema(required)]
        signature: Option<String>,
        /// Whether the text is hidden by the provider.
        redacted: bool,
    },
    /// The model asks for a tool.
    ToolCall {
        /// The provider's id of the call.
        id: String,
        name: String,
        arguments: ArgumentsView,
    },
    /// What the tool answered.
    ToolResult {
        /// The provider's id of the call.
        id: String,
        name: String,
        text: String,
        is_error: bool,
    },
    /// A file that came with the message.
    File { attachment: AttachmentView },
}

/// What the model passed to a tool.
#[derive(Serialize, ToSchema)]
#[serde(tag = "state", rename_all = "snake_case")]
pub(crate) enum ArgumentsView {
    /// A JSON object.
    Valid {
        #[schema(value_type = Object)]
        value: Value,
    },
    /// Anything else.
    Invalid { raw: String, error: String },
}

/// A file that came with a message.
#[derive(Serialize, ToSchema)]
pub(crate) struct AttachmentView {
    kind: AttachmentKind,
    /// The vendor's handle for downloading it.
    provider_ref: String,
    #[schema(required)]
    name: Option<String>,
    #[schema(required)]
    media_type: Option<String>,
    /// Size in bytes.
    #[schema(required)]
    bytes: Option<u64>,
}

/// One use of a tool.
#[derive(Serialize, ToSchema)]
pub(crate) struct ToolCallView {
    id: Uuid,
    job_id: Uuid,
    /// The message that asked for it.
    message_id: Uuid,
    /// Its place among the calls of that message, from 0.
    position: i32,
    /// The provider's id of the call.
    provider_call_id: String,
    #[schema(example = "bash")]
    name: String,
    arguments: ArgumentsView,
    status: ToolCallStatus,
    /// What the model was told; null while it runs.
    #[schema(required)]
    result: Option<String>,
    /// Facts for programs: exit code, diff, cut bytes.
    #[schema(required, value_type = Option<Object>)]
    detail: Option<Value>,
    started_at: DateTime<Utc>,
    #[schema(required)]
    finished_at: Option<DateTime<Utc>>,
}

/// Tokens by kind; the kinds do not overlap.
#[derive(Serialize, ToSchema)]
pub(crate) struct UsageView {
    /// Fresh prompt tokens.
    input: i64,
    /// Generated tokens, reasoning included.
    output: i64,
    /// Prompt tokens read from the provider's cache.
    cache_read: i64,
    /// Prompt tokens written to the provider's cache.
    cache_write: i64,
}

/// One call of a model.
#[derive(Serialize, ToSchema)]
pub(crate) struct ModelCallView {
    id: Uuid,
    work_item_id: Uuid,
    /// Null while an agent still decided whether to take a job.
    #[schema(required)]
    job_id: Option<Uuid>,
    purpose: ModelCallPurpose,
    #[schema(example = "demo/scripted")]
    model: String,
    status: ModelCallStatus,
    usage: UsageView,
    /// Worst-case cost held until it settles, in millionths of a US dollar.
    reserved_micros: i64,
    /// What it cost, in millionths of a US dollar.
    cost_micros: i64,
    /// Why it stopped, or why it failed.
    #[schema(required)]
    outcome: Option<String>,
    started_at: DateTime<Utc>,
    #[schema(required)]
    finished_at: Option<DateTime<Utc>>,
}

impl From<Message> for MessageView {
    fn from(message: Message) -> Self {
        Self {
            id: message.id.as_uuid(),
            job_id: message.job_id.as_uuid(),
            seq: message.seq,
            role: MessageRole(message.role),
            parts: message.parts.into_iter().map(Into::into).collect(),
            created_at: message.created_at,
        }
    }
}

impl From<Part> for PartView {
    fn from(part: Part) -> Self {
        Self {
            origin: Origin(part.origin),
            trust: Trust(part.trust),
            content: part.content.into(),
        }
    }
}

impl From<Content> for ContentView {
    fn from(content: Content) -> Self {
        match content {
            Content::Text { text } => Self::Text { text },
            Content::Thinking {
                text,
                signature,
                redacted,
            } => Self::Thinking {
                text,
                signature,
                redacted,
            },
            Content::ToolCall {
                id,
                name,
                arguments,
            } => Self::ToolCall {
                id,
                name,
                arguments: arguments.into(),
            },
            Content::ToolResult {
                id,
                name,
                text,
                is_error,
            } => Self::ToolResult {
                id,
                name,
                text,
                is_error,
            },
            Content::File { attachment } => Self::File {
                attachment: attachment.into(),
            },
        }
    }
}

impl From<Arguments> for ArgumentsView {
    fn from(arguments: Arguments) -> Self {
        match arguments {
            Arguments::Valid { value } => Self::Valid { value },
            Arguments::Invalid { raw, error } => Self::Invalid { raw, error },
        }
    }
}

impl From<Attachment> for AttachmentView {
    fn from(attachment: Attachment) -> Self {
        Self {
            kind: AttachmentKind(attachment.kind),
            provider_ref: attachment.provider_ref,
            name: attachment.name,
            media_type: attachment.media_type,
            bytes: attachment.bytes,
        }
    }
}

impl From<ToolCall> for ToolCallView {
    fn from(call: ToolCall) -> Self {
        Self {
            id: call.id.as_uuid(),
            job_id: call.job_id.as_uuid(),
            message_id: call.message_id.as_uuid(),
            position: call.position,
            provider_call_id: call.provider_call_id,
            name: call.name,
            arguments: call.arguments.into(),
            status: ToolCallStatus(call.status),
            result: call.result,
            detail: call.detail,
            started_at: call.started_at,
            finished_at: call.finished_at,
        }
    }
}

impl From<Usage> for UsageView {
    fn from(usage: Usage) -> Self {
        Self {
            input: usage.input,
            output: usage.output,
            cache_read: usage.cache_read,
            cache_write: usage.cache_write,
        }
    }
}

impl From<ModelCall> for ModelCallView {
    fn from(call: ModelCall) -> Self {
        Self {
            id: call.id.as_uuid(),
            work_item_id: call.work_item_id.as_uuid(),
            job_id: call.job_id.map(domain::id::JobId::as_uuid),
            purpose: ModelCallPurpose(call.purpose),
            model: call.model.into(),
            status: ModelCallStatus(call.status),
            usage: call.usage.into(),
            reserved_micros: call.reserved.0,
            cost_micros: call.cost.0,
            outcome: call.outcome,
            started_at: call.started_at,
            finished_at: call.finished_at,
        }
    }
}
