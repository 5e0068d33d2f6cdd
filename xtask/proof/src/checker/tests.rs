//! Rows that keep every promise, and the same rows with one promise broken by hand each.

use serde_json::json;
use uuid::Uuid;

use super::{Evidence, Outside, Shown, check};
use crate::rows::{
    Budget, Conversation, Decision, Effect, Entry, Event, Feed, Inbound, Item, Job, Lane, Message,
    ModelCall, Rows, Session, ToolCall,
};

const fn id(number: u128) -> Uuid {
    Uuid::from_u128(number)
}

const ITEM: Uuid = id(2);
const JOB: Uuid = id(3);
const AGENT: Uuid = id(4);
const LANE: Uuid = id(5);
const PLACE: Uuid = id(6);

/// One delivery, one job with a tool call, one reply that people see.
fn kept() -> Evidence {
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

/// The rules that are broken after this change.
fn broken(change: impl FnOnce(&mut Evidence)) -> Vec<&'static str> {
    let mut evidence = kept();
    change(&mut evidence);
    let mut rules: Vec<_> = check(&evidence)
        .into_iter()
        .map(|violation| violation.rule)
        .collect();
    rules.sort_unstable();
    rules.dedup();
    rules
}

#[test]
fn rows_that_keep_every_promise_are_not_blamed() {
    assert_eq!(broken(|_| {}), [""; 0]);
}

#[test]
fn a_delivery_that_is_gone_or_there_twice_is_found() {
    assert_eq!(
        broken(|e| e.outside.accepted.push((id(7), "update:2".to_owned()))),
        ["accepted-is-durable"]
    );
    assert_eq!(
        broken(|e| e.outside.handed_in.push(id(99))),
        ["accepted-is-durable"]
    );
    assert_eq!(
        broken(|e| e.end.inbound.push(e.end.inbound[0].clone())),
        ["one-event"]
    );
    assert_eq!(broken(|e| e.end.items.clear()), ["one-item"]);
    assert_eq!(
        broken(|e| e.outside.stuck.push("/x".to_owned())),
        ["key-freed"]
    );
}

#[test]
fn an_item_without_a_visible_end_is_found() {
    assert_eq!(
        broken(|e| "open".clone_into(&mut e.end.items[0].status)),
        ["visible-end"]
    );
    assert_eq!(
        broken(|e| "passed".clone_into(&mut e.end.items[0].status)),
        ["visible-end"]
    );
    let unknown = |e: &mut Evidence| {
        e.crashes.clear();
        "open".clone_into(&mut e.end.items[0].status);
        "unknown".clone_into(&mut e.end.effects[0].status);
    };
    assert_eq!(
        broken(unknown),
        [""; 0],
        "shown to a human, and the message may be there"
    );
}

#[test]
fn what_is_left_half_way_is_found() {
    assert_eq!(
        broken(|e| e.end.lanes[0].lease_worker = Some(id(50))),
        ["open-lease"]
    );
    assert_eq!(broken(|e| e.end.lanes[0].ready = 1), ["ready-lane"]);
    assert_eq!(
        broken(|e| "absorbed".clone_into(&mut e.end.entries[0].status)),
        ["entry-done"]
    );
    assert_eq!(
        broken(|e| "open".clone_into(&mut e.end.sessions[0].status)),
        ["shell-closed"]
    );
    assert_eq!(broken(|e| e.end.jobs[0].attempt = 2), ["one-job"]);
    assert_eq!(
        broken(|e| e.outside.written = vec!["line-1".to_owned(); 2]),
        ["tool-once"]
    );
}

#[test]
fn two_open_jobs_of_one_lane_are_found_right_after_a_crash() {
    let two = |e: &mut Evidence| {
        "running".clone_into(&mut e.crashes[0].jobs[0].status);
        let mut second = e.crashes[0].jobs[0].clone();
        second.id = id(60);
        e.crashes[0].jobs.push(second);
    };
    assert_eq!(broken(two), ["one-job-per-lane"]);
}

#[test]
fn a_call_without_its_one_result_is_found() {
    assert_eq!(
        broken(|e| e.end.tool_calls[0].result = None),
        ["one-receipt", "one-result"]
    );
    let unanswered = |e: &mut Evidence| {
        e.crashes.clear();
        e.end.messages[2].parts = json!([{"type": "text", "text": "?"}]);
    };
    assert_eq!(broken(unanswered), ["one-result"]);
    let twice = |e: &mut Evidence| {
        e.crashes.clear();
        e.end.messages[2].parts = json!([{"type": "tool_result", "id": "a", "text": "ok"}, {"type": "tool_result", "id": "a", "text": "ok"}]);
    };
    assert_eq!(broken(twice), ["one-result"]);
}

#[test]
fn a_gap_in_a_sequence_is_found() {
    let message = |e: &mut Evidence| {
        e.crashes.clear();
        e.end.messages[3].seq = 5;
    };
    assert_eq!(broken(message), ["message-seq"]);
    let event = |e: &mut Evidence| {
        e.crashes.clear();
        e.end.events[4].seq = 6;
    };
    assert_eq!(broken(event), ["event-seq"]);
    assert_eq!(broken(|e| e.end.feeds[0].last_seq = 6), ["feed-seq"]);
    let lost = |e: &mut Evidence| {
        e.end.events[4].payload = json!({"status": "running"});
        e.crashes.clear();
    };
    assert_eq!(broken(lost), ["event-status"]);
}

#[test]
fn money_that_does_not_add_up_is_found() {
    assert_eq!(
        broken(|e| e.end.budgets[0].reserved_micros = 1),
        ["reservation"]
    );
    assert_eq!(broken(|e| e.end.budgets[0].spent_micros = 4), ["spent"]);
    assert_eq!(
        broken(|e| "reserved".clone_into(&mut e.end.model_calls[0].status)),
        ["reservation"]
    );
    assert_eq!(broken(|e| e.end.jobs[0].cost_micros = 6), ["spent"]);
}

#[test]
fn a_reply_that_is_lost_or_doubled_is_found() {
    let place = (id(7), "42".to_owned());
    assert_eq!(
        broken(|e| e.outside.shown.get_mut(&place).unwrap().clear()),
        ["reply-seen"]
    );
    let second = Shown {
        id: "78".to_owned(),
        text: "Done.".to_owned(),
        is_progress: false,
    };
    assert_eq!(
        broken(|e| e
            .outside
            .shown
            .get_mut(&place)
            .unwrap()
            .push(second.clone())),
        ["reply-once"]
    );
    let told = |e: &mut Evidence| {
        e.outside
            .shown
            .get_mut(&place)
            .unwrap()
            .push(second.clone());
        e.outside.resent.insert(id(22));
        e.end.jobs[0].event_seq = 6;
        e.end.feeds[0].last_seq = 6;
        let mut event = e.end.events[4].clone();
        (event.seq, event.feed_seq) = (6, 6);
        "effect".clone_into(&mut event.kind);
        event.payload = json!({"effect_id": id(22), "status": "unknown"});
        e.end.events.push(event);
    };
    assert_eq!(
        broken(told),
        [""; 0],
        "a human sent it again after it was unknown"
    );
    let once_more = |e: &mut Evidence| {
        told(e);
        let third = Shown {
            id: "79".to_owned(),
            ..second.clone()
        };
        e.outside.shown.get_mut(&place).unwrap().push(third);
    };
    assert_eq!(
        broken(once_more),
        ["reply-once"],
        "unknown once explains one message"
    );
    assert!(
        broken(|e| "sending".clone_into(&mut e.end.effects[0].status)).contains(&"effect-final")
    );
}

#[test]
fn what_a_crash_took_back_is_found() {
    assert_eq!(broken(|e| e.end.lanes[0].fence = 0), ["fence-grows"]);
    assert_eq!(
        broken(|e| e.crashes[0].messages[0].parts = json!([])),
        ["append-only"]
    );
    assert_eq!(
        broken(|e| "failed".clone_into(&mut e.crashes[0].jobs[0].status)),
        ["final-stays"]
    );
}
