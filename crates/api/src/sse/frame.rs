//! What an item looks like on the wire: the event's name, its id where a reader can go on from it, its JSON.

use super::follower::Follower;
use axum::response::sse::Event;
use domain::id::JobId;
use ports::live::{Delta, DeltaTarget, Live};
use serde::Serialize;

/// What `message.delta` and `tool.output` say.
#[derive(Serialize)]
struct DeltaPayload<'a> {
    job_id: JobId,
    /// `text` or `thinking`, of the open message.
    #[serde(skip_serializing_if = "Option::is_none")]
    target: Option<&'static str>,
    /// The provider's id of the running tool call.
    #[serde(skip_serializing_if = "Option::is_none")]
    provider_call_id: Option<&'a str>,
    /// Where the text starts in the open one, in bytes.
    offset: usize,
    text: &'a str,
}

impl Follower {
    /// The item as the reader gets it; `None` when it is only for the server.
    pub(super) fn show(&self, item: &Live) -> Option<Event> {
        let (name, id, data) = match item {
            Live::Event(event) => (
                event.kind.as_str(),
                Some(self.position(event)),
                event.payload.to_string(),
            ),
            Live::Delta(delta) => (delta_name(delta), None, delta_json(delta)?),
            Live::Work(_) => ("work.changed", None, "{}".to_owned()),
            Live::Moved(_) | Live::Lagged => return None,
        };
        let event = Event::default().event(name).data(data);
        Some(match id {
            Some(id) => event.id(id.to_string()),
            None => event,
        })
    }
}

fn delta_name(delta: &Delta) -> &'static str {
    match delta.target {
        DeltaTarget::Text | DeltaTarget::Thinking => "message.delta",
        DeltaTarget::ToolOutput(_) => "tool.output",
    }
}

fn delta_json(delta: &Delta) -> Option<String> {
    let (target, provider_call_id) = match &delta.target {
        DeltaTarget::Text => (Some("text"), None),
        DeltaTarget::Thinking => (Some("thinking"), None),
        DeltaTarget::ToolOutput(call) => (None, Some(call.as_str())),
    };
    let payload = DeltaPayload {
        job_id: delta.job_id,
        target,
        provider_call_id,
        offset: delta.offset,
        text: &delta.text,
    };
    // Text and numbers always serialise.
    serde_json::to_string(&payload).ok()
}
