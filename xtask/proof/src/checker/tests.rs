//! Rows that keep every promise, with one promise broken by hand each.

use serde_json::json;

use super::{
    Evidence, Shown, check,
    kept::{ITEM, JOB, id, kept},
};
use crate::rows::{Approval, Note};

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

#[test]
fn a_wait_that_is_half_written_is_found() {
    let question = |status: &str| Approval {
        id: id(24),
        job_id: JOB,
        tool_call_id: Some(id(20)),
        status: status.to_owned(),
    };
    let whole = |e: &mut Evidence| {
        "waiting".clone_into(&mut e.crashes[0].jobs[0].status);
        "running".clone_into(&mut e.crashes[0].tool_calls[0].status);
        e.crashes[0].tool_calls[0].result = None;
        e.crashes[0].approvals.push(question("pending"));
        e.end.approvals.push(question("approved"));
    };
    assert_eq!(broken(whole), [""; 0]);
    let unasked = |e: &mut Evidence| {
        whole(e);
        e.crashes[0].approvals.clear();
    };
    assert_eq!(broken(unasked), ["wait-whole"]);
    let awake = |e: &mut Evidence| {
        whole(e);
        "running".clone_into(&mut e.crashes[0].jobs[0].status);
    };
    assert_eq!(broken(awake), ["wait-whole"]);
    let answered = |e: &mut Evidence| {
        whole(e);
        e.crashes[0].tool_calls[0].result = Some("approved".to_owned());
    };
    assert_eq!(broken(answered), ["wait-whole"]);
    let twice = |e: &mut Evidence| {
        let mut second = question("denied");
        second.id = id(25);
        e.end.approvals.extend([question("withdrawn"), second]);
    };
    assert_eq!(broken(twice), ["asked-once"]);
}

#[test]
fn work_that_is_handed_in_and_not_noted_is_found() {
    let handed_in = |e: &mut Evidence| {
        for rows in e.crashes.iter_mut().chain([&mut e.end]) {
            "api:1".clone_into(&mut rows.inbound[0].provider_event_id);
            rows.notes.push(Note {
                seq: 1,
                subject_id: Some(ITEM),
            });
        }
        e.outside.accepted.clear();
    };
    assert_eq!(broken(handed_in), [""; 0]);
    let unnoted = |e: &mut Evidence| {
        handed_in(e);
        e.crashes[0].notes.clear();
    };
    assert_eq!(broken(unnoted), ["noted-once"]);
    let of_nothing = |e: &mut Evidence| {
        handed_in(e);
        e.end.notes.push(Note {
            seq: 2,
            subject_id: Some(id(98)),
        });
    };
    assert_eq!(broken(of_nothing), ["noted-once"]);
}
