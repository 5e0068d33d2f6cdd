//! The audit trail on the wire.

use super::words::AuditActorKind;
use chrono::{DateTime, Utc};
use domain::audit::AuditEntry;
use ports::store::AuditFilter;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

/// Which entries to list; every field narrows.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct AuditQuery {
    /// What was done.
    #[param(example = "agent.updated")]
    action: Option<String>,
    /// To what.
    subject_id: Option<Uuid>,
    /// By whom.
    actor_id: Option<Uuid>,
    /// Not before.
    from: Option<DateTime<Utc>>,
    /// Before.
    to: Option<DateTime<Utc>>,
}

/// A change, and who made it.
#[derive(Serialize, ToSchema)]
pub(crate) struct AuditEntryView {
    /// Its place: 1, 2, 3, without gaps.
    seq: i64,
    at: DateTime<Utc>,
    actor: AuditActorView,
    /// What was done.
    #[schema(example = "agent.updated")]
    action: String,
    subject: AuditSubjectView,
    /// What it was, as far as that changed.
    #[schema(required)]
    before: Option<Value>,
    /// What it is, as far as that changed.
    #[schema(required)]
    after: Option<Value>,
    /// Where the request came from; null where it came over no network.
    #[schema(required)]
    address: Option<String>,
    /// Finds the request in the server's log.
    #[schema(required)]
    request_id: Option<String>,
    /// The hash over this entry and the one before it.
    hash: String,
}

/// Who changed something, as they were called then.
#[derive(Serialize, ToSchema)]
struct AuditActorView {
    kind: AuditActorKind,
    #[schema(required)]
    id: Option<Uuid>,
    #[schema(required)]
    name: Option<String>,
}

/// What was changed, as it was called then.
#[derive(Serialize, ToSchema)]
struct AuditSubjectView {
    #[schema(example = "agent")]
    kind: String,
    /// Null where there is only one.
    #[schema(required)]
    id: Option<Uuid>,
    #[schema(required)]
    name: Option<String>,
}

impl From<AuditQuery> for AuditFilter {
    fn from(query: AuditQuery) -> Self {
        Self {
            action: query.action,
            subject_id: query.subject_id,
            actor_id: query.actor_id,
            from: query.from,
            to: query.to,
        }
    }
}

impl From<AuditEntry> for AuditEntryView {
    fn from(entry: AuditEntry) -> Self {
        // What is no JSON any more was changed behind our back; it is shown as it is.
        let read = |text: String| serde_json::from_str(&text).unwrap_or(Value::String(text));
        Self {
            seq: entry.seq,
            at: entry.at,
            actor: AuditActorView {
                kind: AuditActorKind(entry.actor.kind),
                id: entry.actor.id,
                name: entry.actor.name,
            },
            action: entry.action,
            subject: AuditSubjectView {
                kind: entry.subject.kind,
                id: entry.subject.id,
                name: entry.subject.name,
            },
            before: entry.before.map(read),
            after: entry.after.map(read),
            address: entry.address.map(|address| address.to_string()),
            request_id: entry.request_id,
            hash: entry.hash,
        }
    }
}
