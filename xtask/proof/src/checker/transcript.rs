//! Transcripts a provider would take at every position, and events without gaps.

use std::collections::HashMap;

use serde_json::Value;
use uuid::Uuid;

use super::{Findings, group};
use crate::rows::{Job, Message, Rows, ToolCall};

pub(super) fn check(rows: &Rows, findings: &mut Findings) {
    let calls = group(&rows.tool_calls, |call| call.message_id);
    let jobs: HashMap<Uuid, &Job> = rows.jobs.iter().map(|job| (job.id, job)).collect();
    for (job, messages) in group(&rows.messages, |message| message.job_id) {
        let gapless = (1..)
            .zip(&messages)
            .all(|(wanted, message)| wanted == message.seq);
        findings.unless(gapless, "message-seq", || {
            format!(
                "job {job}: messages {:?}",
                messages.iter().map(|m| m.seq).collect::<Vec<_>>()
            )
        });
        let attempt = jobs.get(&job).map_or(1, |job| job.attempt);
        answered(job, &messages, findings);
        for message in &messages {
            let of_message = calls
                .get(&message.id)
                .map(Vec::as_slice)
                .unwrap_or_default();
            // A retry that goes on from the last turn copies messages; their receipts stay with the old job.
            if attempt == 1 || !of_message.is_empty() {
                receipts(message, of_message, &messages, findings);
            }
        }
    }
    for call in rows
        .tool_calls
        .iter()
        .filter(|call| call.status == "running" || call.result.is_none())
    {
        let over = jobs.get(&call.job_id).is_none_or(|job| job.is_final());
        findings.unless(!over, "one-result", || {
            format!(
                "tool call {} of job {} is {} without a result",
                call.id, call.job_id, call.status
            )
        });
    }
    events(rows, findings);
}

/// Every call is answered by the next message, once and in order; nothing else is answered.
fn answered(job: Uuid, messages: &[&Message], findings: &mut Findings) {
    let mut open: Vec<&str> = Vec::new();
    for message in messages {
        let results = ids(message, "tool_result");
        findings.unless(results == open, "one-result", || {
            format!(
                "job {job}, message {}: calls {open:?}, results {results:?}",
                message.seq
            )
        });
        open = ids(message, "tool_call");
    }
    findings.unless(open.is_empty(), "one-result", || {
        format!("job {job} ends with open calls {open:?}")
    });
}

/// The receipts of an answer are its calls, and say what the transcript says.
fn receipts(
    message: &Message,
    calls: &[&ToolCall],
    messages: &[&Message],
    findings: &mut Findings,
) {
    let asked = ids(message, "tool_call");
    let receipts: Vec<&str> = calls
        .iter()
        .map(|call| call.provider_call_id.as_str())
        .collect();
    findings.unless(asked == receipts, "one-receipt", || {
        format!(
            "message {} of job {} asks for {asked:?} and has receipts {receipts:?}",
            message.seq, message.job_id
        )
    });
    let next = messages.iter().find(|other| other.seq == message.seq + 1);
    let texts: Vec<&str> = next.map(|next| texts(next)).unwrap_or_default();
    for (call, text) in calls.iter().zip(texts) {
        findings.unless(call.result.as_deref() == Some(text), "one-receipt", || {
            format!(
                "tool call {} and its result in the transcript differ",
                call.id
            )
        });
    }
}

fn events(rows: &Rows, findings: &mut Findings) {
    let by_job = group(&rows.events, |event| event.job_id);
    for job in &rows.jobs {
        let mut numbers: Vec<i64> = by_job
            .get(&job.id)
            .map(|events| events.iter().map(|event| event.seq).collect())
            .unwrap_or_default();
        numbers.sort_unstable();
        let gapless = numbers.iter().copied().eq(1..=job.event_seq);
        findings.unless(gapless, "event-seq", || {
            format!(
                "job {} counts {} events and has {numbers:?}",
                job.id, job.event_seq
            )
        });
        let events = by_job.get(&job.id).map(Vec::as_slice).unwrap_or_default();
        let last = events.iter().rev().find(|event| event.kind == "job.status");
        let said = last
            .and_then(|event| event.payload.get("status"))
            .and_then(Value::as_str);
        findings.unless(said == Some(job.status.as_str()), "event-status", || {
            format!(
                "job {} is {} and its last event says {said:?}",
                job.id, job.status
            )
        });
        let told = events
            .iter()
            .filter(|event| event.kind == "message")
            .count();
        let written = rows
            .messages
            .iter()
            .filter(|message| message.job_id == job.id)
            .count();
        findings.unless(told == written, "event-per-message", || {
            format!(
                "job {} has {written} messages and {told} events of them",
                job.id
            )
        });
    }
    for feed in &rows.feeds {
        let of_tenant = rows
            .events
            .iter()
            .filter(|event| event.tenant_id == feed.tenant_id);
        let numbers: Vec<i64> = of_tenant.map(|event| event.feed_seq).collect();
        findings.unless(
            numbers.iter().copied().eq(1..=feed.last_seq),
            "feed-seq",
            || format!("the feed is at {} and has {numbers:?}", feed.last_seq),
        );
    }
}

fn parts<'m>(message: &'m Message, kind: &'static str) -> impl Iterator<Item = &'m Value> {
    let parts = message
        .parts
        .as_array()
        .map(Vec::as_slice)
        .unwrap_or_default();
    parts
        .iter()
        .filter(move |part| part.get("type").and_then(Value::as_str) == Some(kind))
}

fn ids<'m>(message: &'m Message, kind: &'static str) -> Vec<&'m str> {
    parts(message, kind)
        .filter_map(|part| part.get("id")?.as_str())
        .collect()
}

fn texts(message: &Message) -> Vec<&str> {
    parts(message, "tool_result")
        .filter_map(|part| part.get("text")?.as_str())
        .collect()
}
