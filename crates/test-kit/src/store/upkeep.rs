//! Forgetting what is old and giving space back, while what happened and what it cost stays.

use super::{Claimed, Harness};
use crate::builders;
use domain::{
    Timestamp,
    event::{EventKind, NewEvent},
    id::ToolCallId,
    message::{Arguments, Content, Message, Origin, Part, Role, ToolCall, ToolCallStatus, Trust},
};
use ports::{
    ids::Ids,
    store::{KeyClaim, Prunable, Prune, SavedResponse},
};
use std::time::Duration;

const DAY: Duration = Duration::from_hours(24);
const MARKER: &str = "[removed]";

/// Forgets until nothing more is left, in tiny transactions, and counts the rows.
async fn prune(h: &Harness, what: Prunable, before: Timestamp) -> u64 {
    let mut rows = 0;
    loop {
        let step = Prune {
            what,
            before,
            rows: 2,
            marker: MARKER,
        };
        let done = h.store.prune(step).await.unwrap();
        rows += done.rows;
        if !done.more {
            return rows;
        }
    }
}

/// A job with a transcript of five messages, two tool calls, five events and a reply.
async fn worked(h: &Harness, channel: &str) -> Claimed {
    let c = h.claimed(channel).await;
    let mut messages: Vec<Message> = (1..=5)
        .map(|seq| builders::message(&*h.ids, &c.job, seq, &format!("nr. {seq}")))
        .collect();
    for at in [2, 3] {
        messages[at].role = Role::Tool;
        messages[at].parts = vec![answer(&format!("call_{at}"), "a long answer")];
    }
    let calls: Vec<_> = [0, 1].map(|n| call(h, &c, &messages[1], n)).into();
    let events = (0..5).map(|_| event()).collect();
    let reply = builders::reply(&*h.ids, &c.job, &c.item, h.now());
    let tx = h.write().await;
    tx.transcript().append(&messages).await.unwrap();
    tx.transcript().insert_tool_calls(&calls).await.unwrap();
    tx.events()
        .append(h.tenant.id, c.job.id, events, h.now())
        .await
        .unwrap();
    tx.effects().insert(&reply).await.unwrap();
    tx.commit().await.unwrap();
    c
}

async fn finish(h: &Harness, c: &mut Claimed) {
    c.job.start(h.now()).unwrap();
    c.job.complete(h.now()).unwrap();
    let tx = h.write().await;
    tx.jobs().update(&c.job).await.unwrap();
    tx.commit().await.unwrap();
}

fn answer(id: &str, text: &str) -> Part {
    Part {
        origin: Origin::Tool,
        trust: Trust::Untrusted,
        content: Content::ToolResult {
            id: id.to_owned(),
            name: "bash".to_owned(),
            text: text.to_owned(),
            is_error: true,
        },
    }
}

fn call(h: &Harness, c: &Claimed, message: &Message, position: i32) -> ToolCall {
    ToolCall {
        id: ToolCallId::from_uuid(h.ids.next()),
        tenant_id: h.tenant.id,
        job_id: c.job.id,
        message_id: message.id,
        position,
        provider_call_id: format!("call_{position}"),
        name: "bash".to_owned(),
        arguments: Arguments::parse(r#"{"command":"true"}"#),
        status: ToolCallStatus::Failed,
        result: Some("a long answer".to_owned()),
        detail: Some(serde_json::json!({ "exit_code": 1 })),
        started_at: h.now(),
        finished_at: Some(h.now()),
    }
}

fn event() -> NewEvent {
    NewEvent {
        kind: EventKind::Message,
        payload: serde_json::json!({}),
    }
}

async fn numbers(h: &Harness, c: &Claimed) -> Vec<i64> {
    let tx = h.read().await;
    let events = tx.events().after(h.tenant.id, c.job.id, 0, 100).await;
    events.unwrap().iter().map(|event| event.seq).collect()
}

async fn transcript(h: &Harness, c: &Claimed) -> (Vec<Message>, Vec<ToolCall>) {
    let tx = h.read().await;
    let transcript = tx.transcript();
    let messages = transcript.of_jobs(h.tenant.id, &[c.job.id]).await.unwrap();
    let calls = transcript.tool_calls(h.tenant.id, c.job.id).await.unwrap();
    (messages, calls)
}

/// Three jobs: one that ended long ago, one that began then and runs still, one that ended just now.
async fn three(h: &Harness) -> ([Claimed; 3], Timestamp) {
    let (mut old, running) = (worked(h, "old").await, worked(h, "running").await);
    finish(h, &mut old).await;
    h.clock.advance(DAY * 30);
    let mut fresh = worked(h, "fresh").await;
    finish(h, &mut fresh).await;
    ([old, running, fresh], h.now() - DAY)
}

/// Only those of jobs that ended long enough ago; the numbers go on, so that none is given twice.
pub async fn events_of_old_jobs_go_and_numbers_go_on(h: &Harness) {
    let ([old, running, fresh], before) = three(h).await;
    assert_eq!(prune(h, Prunable::Events, before).await, 5);
    assert_eq!(numbers(h, &old).await, Vec::<i64>::new());
    assert_eq!(numbers(h, &running).await, [1, 2, 3, 4, 5]);
    assert_eq!(numbers(h, &fresh).await, [1, 2, 3, 4, 5]);
    assert_eq!(prune(h, Prunable::Events, before).await, 0);
    let tx = h.write().await;
    tx.events()
        .append(h.tenant.id, old.job.id, vec![event()], h.now())
        .await
        .unwrap();
    tx.commit().await.unwrap();
    assert_eq!(numbers(h, &old).await, [6]);
    let feed = h.read().await;
    let feed = feed.events().feed_after(h.tenant.id, 0, 100).await.unwrap();
    let feed: Vec<i64> = feed.iter().map(|event| event.feed_seq).collect();
    assert_eq!(feed, (6..=16).collect::<Vec<_>>());
}

/// The transcript stays valid: every call keeps its one result, which only says that it is gone.
pub async fn what_tools_answered_long_ago_is_replaced_by_a_marker(h: &Harness) {
    let ([old, running, fresh], before) = three(h).await;
    let (was, _) = transcript(h, &old).await;
    assert_eq!(prune(h, Prunable::ToolOutput, before).await, 4);
    let (messages, calls) = transcript(h, &old).await;
    let mut expected = was;
    for at in [2, 3] {
        expected[at].parts = vec![answer(&format!("call_{at}"), MARKER)];
    }
    assert_eq!(messages, expected);
    assert_eq!(calls.len(), 2);
    for call in calls {
        assert_eq!(call.result.as_deref(), Some(MARKER));
        assert_eq!(call.detail, None);
        assert_eq!(call.status, ToolCallStatus::Failed);
        assert_eq!(call.arguments, Arguments::parse(r#"{"command":"true"}"#));
    }
    for untouched in [&running, &fresh] {
        let (messages, calls) = transcript(h, untouched).await;
        assert_eq!(messages[2].parts, [answer("call_2", "a long answer")]);
        assert_eq!(calls[0].result.as_deref(), Some("a long answer"));
        assert!(calls[0].detail.is_some());
    }
    assert_eq!(prune(h, Prunable::ToolOutput, before).await, 0);
}

/// The job, what it cost and what it changed outside are still told.
pub async fn old_transcripts_go_and_what_happened_stays(h: &Harness) {
    let ([old, running, fresh], before) = three(h).await;
    assert_eq!(prune(h, Prunable::Transcripts, before).await, 7);
    assert_eq!(transcript(h, &old).await, (vec![], vec![]));
    for untouched in [&running, &fresh] {
        let (messages, calls) = transcript(h, untouched).await;
        assert_eq!((messages.len(), calls.len()), (5, 2));
    }
    let tx = h.read().await;
    let job = tx.jobs().find(h.tenant.id, old.job.id).await.unwrap();
    assert_eq!(job, Some(old.job.clone()));
    let effects = tx.effects().of_job(h.tenant.id, old.job.id).await.unwrap();
    assert_eq!(effects.len(), 1);
    let item = tx.work().find(h.tenant.id, old.item.id).await.unwrap();
    assert!(item.is_some());
    assert_eq!(prune(h, Prunable::Transcripts, before).await, 0);
}

/// However many there are, each is reached once, those that end together and those that end later too.
pub async fn forgetting_goes_on_where_it_was(h: &Harness) {
    let mut jobs = Vec::new();
    for n in 0..23 {
        let mut c = worked(h, &format!("chat {n}")).await;
        finish(h, &mut c).await;
        jobs.push(c);
    }
    h.clock.advance(DAY * 2);
    let step = Prune {
        what: Prunable::Events,
        before: h.now() - DAY,
        rows: 100,
        marker: MARKER,
    };
    let first = h.store.prune(step).await.unwrap();
    assert!(first.more && first.rows < 115, "{first:?}");
    let rest = prune(h, Prunable::Events, h.now() - DAY).await;
    assert_eq!(first.rows + rest, 115);
    let mut late = worked(h, "late").await;
    finish(h, &mut late).await;
    assert_eq!(prune(h, Prunable::Events, h.now() - DAY).await, 0);
    h.clock.advance(DAY * 2);
    assert_eq!(prune(h, Prunable::Events, h.now() - DAY).await, 5);
    assert_eq!(prune(h, Prunable::Transcripts, h.now() - DAY).await, 24 * 7);
}

/// A key that is still remembered stays.
pub async fn old_answers_to_repeated_requests_go(h: &Harness) {
    for key in ["a", "b", "c", "d"] {
        if key == "d" {
            h.clock.advance(DAY * 2);
        }
        let tx = h.write().await;
        let keys = tx.idempotency();
        keys.claim(KeyClaim {
            tenant: h.tenant.id,
            key,
            fingerprint: "print",
            holder: "x",
            request: h.ids.next(),
            now: h.now(),
            stale_before: h.now() - DAY * 30,
            abandoned_before: h.now() - DAY,
        })
        .await
        .unwrap();
        let response = SavedResponse {
            status: 200,
            body: "{}".to_owned(),
        };
        keys.complete(h.tenant.id, key, h.now(), &response)
            .await
            .unwrap();
        drop(keys);
        tx.commit().await.unwrap();
    }
    let before = h.now() - DAY;
    assert_eq!(prune(h, Prunable::IdempotencyKeys, before).await, 3);
    assert_eq!(prune(h, Prunable::IdempotencyKeys, before).await, 0);
    assert_eq!(prune(h, Prunable::IdempotencyKeys, h.now() + DAY).await, 1);
}

/// It comes to an end, harms nothing, and others write meanwhile.
pub async fn tidying_ends_and_harms_nothing(h: &Harness) {
    let mut c = worked(h, "chat").await;
    finish(h, &mut c).await;
    let tidying = async { while h.store.tidy().await.unwrap().more {} };
    let writing = worked(h, "other");
    let ((), other) = tokio::join!(tidying, writing);
    assert_eq!(numbers(h, &c).await, [1, 2, 3, 4, 5]);
    assert_eq!(numbers(h, &other).await, [1, 2, 3, 4, 5]);
}
