//! Rows that keep every promise.

use serde_json::json;
use uuid::Uuid;

use super::{Evidence, Outside, Shown};
use crate::rows::{
    Budget, Conversation, Decision, Effect, Entry, Event, Feed, Inbound, Item, Job, Lane, Message,
    ModelCall, Rows, Session, ToolCall,
};

pub(super) const fn id(number: u128) -> Uuid {
    Uuid::from_u128(number)
}

pub(super) const ITEM: Uuid = id(2);
pub(super) const JOB: Uuid = id(3);
const AGENT: Uuid = id(4);
const LANE: Uuid = id(5);
const PLACE: Uuid = id(6);

/// One delivery, one job with a tool call, one reply that people see.
pub(super) fn kept() -> Evidence {
    let end = ends(said(came()));
    let shown = Shown {
        id: "77".to_owned(),
        text: "Done.".to_owned(),
        is_progress: false,
    };
    let outside = Outside {
        accepted: vec![(id(7), "update:1".to_owned())],
        shown: [((id(7), "42".to_owned()), vec![shown])].into(),
        ..Outside::default()
    };
    Evidence {
        crashes: vec![end.clone()],
        end,
        outside,
    }
}

/// What came in, where it waits, and the job that took it.
fn came() -> Rows {
    Rows {
        conversations: vec![Conversation {
            id: PLACE,
            integration_id: id(7),
            channel: "42".to_owned(),
        }],
        inbound: vec![Inbound {
            id: id(8),
            integration_id: id(7),
            provider_event_id: "update:1".to_owned(),
        }],
        items: vec![Item {
            id: ITEM,
            inbound_event_id: id(8),
            conversation_id: PLACE,
            text: "hi".to_owned(),
            status: "replied".to_owned(),
            reason: None,
        }],
        lanes: vec![Lane {
            id: LANE,
            lease_worker: None,
            fence: 1,
            ready: 0,
        }],
        entries: vec![Entry {
            id: id(9),
            lane_id: LANE,
            agent_id: AGENT,
            work_item_id: ITEM,
            status: "done".to_owned(),
            job_id: Some(JOB),
        }],
        decisions: vec![Decision {
            work_item_id: ITEM,
            agent_id: AGENT,
            verdict: "act".to_owned(),
            reason: "it is a direct chat".to_owned(),
        }],
        jobs: vec![Job {
            id: JOB,
            work_item_id: ITEM,
            agent_id: AGENT,
            lane_id: LANE,
            attempt: 1,
            status: "completed".to_owned(),
            cost_micros: 5,
            event_seq: 5,
        }],
        ..Rows::default()
    }
}

/// What the job said and did.
fn said(rows: Rows) -> Rows {
    let message = |seq: i64, role: &str, parts| Message {
        id: id(10 + u128::try_from(seq).unwrap()),
        job_id: JOB,
        seq,
        role: role.to_owned(),
        parts,
    };
    Rows {
        messages: vec![
            message(1, "user", json!([{"type": "text", "text": "hi"}])),
            message(
                2,
                "assistant",
                json!([{"type": "tool_call", "id": "a", "name": "bash"}]),
            ),
            message(
                3,
                "tool",
                json!([{"type": "tool_result", "id": "a", "text": "ok"}]),
            ),
            message(4, "assistant", json!([{"type": "text", "text": "Done."}])),
        ],
        tool_calls: vec![ToolCall {
            id: id(20),
            job_id: JOB,
            message_id: id(12),
            position: 0,
            provider_call_id: "a".to_owned(),
            status: "succeeded".to_owned(),
            result: Some("ok".to_owned()),
        }],
        model_calls: vec![ModelCall {
            id: id(21),
            agent_id: AGENT,
            job_id: Some(JOB),
            status: "settled".to_owned(),
            cost_micros: 5,
        }],
        budgets: vec![Budget {
            scope: "job".to_owned(),
            scope_id: JOB,
            spent_micros: 5,
            reserved_micros: 0,
        }],
        ..rows
    }
}

/// What it sent, and what it told while it ran.
fn ends(rows: Rows) -> Rows {
    let event = |seq: i64, kind: &str, payload| Event {
        tenant_id: id(1),
        job_id: JOB,
        seq,
        feed_seq: seq,
        kind: kind.to_owned(),
        payload,
    };
    Rows {
        effects: vec![Effect {
            id: id(22),
            job_id: JOB,
            slot: "reply".to_owned(),
            conversation_id: PLACE,
            kind: "reply".to_owned(),
            action: json!({"kind": "reply", "markdown": "Done."}),
            status: "sent".to_owned(),
            provider_reference: Some("77".to_owned()),
        }],
        events: vec![
            event(1, "message", json!({})),
            event(2, "message", json!({})),
            event(3, "message", json!({})),
            event(4, "message", json!({})),
            event(5, "job.status", json!({"status": "completed"})),
        ],
        feeds: vec![Feed {
            tenant_id: id(1),
            last_seq: 5,
        }],
        sessions: vec![Session {
            id: id(23),
            job_id: JOB,
            status: "closed".to_owned(),
        }],
        ..rows
    }
}
