//! What a stored event ends: text that was open, or the whole job. Where it stands in a stream is not its business.

use domain::event::{EventKind, JobEvent};
use ports::live::{Delta, DeltaTarget};

/// Whether the row holds the whole of what the delta is a piece of.
pub(super) fn closes(event: &JobEvent, delta: &Delta) -> bool {
    let same = match (&event.kind, &delta.target) {
        (EventKind::Message, DeltaTarget::Text | DeltaTarget::Thinking) => true,
        (EventKind::ToolFinished, DeltaTarget::ToolOutput(call)) => {
            event
                .payload
                .get("provider_call_id")
                .and_then(|id| id.as_str())
                == Some(call)
        }
        (
            EventKind::JobStatus
            | EventKind::Message
            | EventKind::ToolStarted
            | EventKind::ToolFinished
            | EventKind::Approval
            | EventKind::Effect
            | EventKind::Usage,
            DeltaTarget::Text | DeltaTarget::Thinking | DeltaTarget::ToolOutput(_),
        ) => false,
    };
    same && event.job_id == delta.job_id
}

/// Whether a row says that its job is over.
pub(super) fn is_final(event: &JobEvent) -> bool {
    let status = event
        .payload
        .get("status")
        .and_then(|status| status.as_str());
    event.kind == EventKind::JobStatus
        && status
            .and_then(|status| status.parse::<domain::job::JobStatus>().ok())
            .is_some_and(domain::job::JobStatus::is_final)
}
