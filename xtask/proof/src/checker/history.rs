//! What was committed before a crash is there after it, unchanged; fences only grow.

use std::collections::HashMap;

use uuid::Uuid;

use super::{Evidence, Findings};
use crate::rows::Rows;

pub(super) fn check(evidence: &Evidence, findings: &mut Findings) {
    let instants: Vec<&Rows> = evidence.crashes.iter().chain([&evidence.end]).collect();
    for pair in instants.windows(2) {
        if let [before, after] = pair {
            compare(before, after, findings);
        }
    }
}

fn compare(before: &Rows, after: &Rows, findings: &mut Findings) {
    let fences: HashMap<Uuid, i64> = after
        .lanes
        .iter()
        .map(|lane| (lane.id, lane.fence))
        .collect();
    for lane in &before.lanes {
        let now = fences.get(&lane.id).copied();
        findings.unless(
            now.is_some_and(|fence| fence >= lane.fence),
            "fence-grows",
            || format!("lane {}: fence {} became {now:?}", lane.id, lane.fence),
        );
    }
    written(before, after, findings);
    finals(before, after, findings);
}

/// Transcripts and events only grow.
fn written(before: &Rows, after: &Rows, findings: &mut Findings) {
    let messages: HashMap<Uuid, _> = after
        .messages
        .iter()
        .map(|message| (message.id, message))
        .collect();
    for message in &before.messages {
        findings.unless(
            messages.get(&message.id) == Some(&message),
            "append-only",
            || {
                format!(
                    "message {} of job {} changed or went",
                    message.seq, message.job_id
                )
            },
        );
    }
    let events: HashMap<(Uuid, i64), _> = after
        .events
        .iter()
        .map(|event| ((event.job_id, event.seq), event))
        .collect();
    for event in &before.events {
        findings.unless(
            events.get(&(event.job_id, event.seq)) == Some(&event),
            "append-only",
            || {
                format!(
                    "event {} of job {} changed or went",
                    event.seq, event.job_id
                )
            },
        );
    }
}

/// What was over stays as it ended.
fn finals(before: &Rows, after: &Rows, findings: &mut Findings) {
    let jobs: HashMap<Uuid, &str> = after
        .jobs
        .iter()
        .map(|job| (job.id, job.status.as_str()))
        .collect();
    for job in before.jobs.iter().filter(|job| job.is_final()) {
        findings.unless(
            jobs.get(&job.id) == Some(&job.status.as_str()),
            "final-stays",
            || {
                format!(
                    "job {} was {} and became {:?}",
                    job.id,
                    job.status,
                    jobs.get(&job.id)
                )
            },
        );
    }
    let effects: HashMap<Uuid, &str> = after
        .effects
        .iter()
        .map(|effect| (effect.id, effect.status.as_str()))
        .collect();
    for effect in before
        .effects
        .iter()
        .filter(|effect| effect.status == "sent")
    {
        findings.unless(
            effects.get(&effect.id) == Some(&"sent"),
            "final-stays",
            || {
                format!(
                    "effect {} was sent and became {:?}",
                    effect.id,
                    effects.get(&effect.id)
                )
            },
        );
    }
}
