//! One delivery, one work item, one visible end.

use std::collections::{BTreeSet, HashMap};

use uuid::Uuid;

use super::{Evidence, Findings, group};
use crate::rows::{Effect, Inbound, Item, Rows};

pub(super) fn check(evidence: &Evidence, findings: &mut Findings) {
    let rows = &evidence.end;
    accepted(evidence, findings);
    let ends = Ends::of(rows);
    for item in &rows.items {
        ended(item, &ends, rows, findings);
    }
    shared(rows, findings);
    for rows in evidence.crashes.iter().chain([rows]) {
        noted(rows, findings);
    }
}

/// What somebody handed in is in the audit trail, once, at every instant.
fn noted(rows: &Rows, findings: &mut Findings) {
    let notes = group(&rows.notes, |note| note.subject_id);
    let handed_in = |event: &&Inbound| event.provider_event_id.starts_with("api:");
    let events: BTreeSet<Uuid> = rows
        .inbound
        .iter()
        .filter(handed_in)
        .map(|e| e.id)
        .collect();
    let items = rows.items.iter();
    let items: BTreeSet<Uuid> = items
        .filter(|item| events.contains(&item.inbound_event_id))
        .map(|item| item.id)
        .collect();
    for item in &items {
        let count = notes.get(&Some(*item)).map_or(0, Vec::len);
        findings.unless(count == 1, "noted-once", || {
            format!("work item {item} was handed in and is {count} times in the audit trail")
        });
    }
    for note in &rows.notes {
        let known = note.subject_id.is_some_and(|id| items.contains(&id));
        findings.unless(known, "noted-once", || {
            format!("audit entry {} names work that is not there", note.seq)
        });
    }
}

fn accepted(evidence: &Evidence, findings: &mut Findings) {
    let rows = &evidence.end;
    let events = group(&rows.inbound, |event| {
        (event.integration_id, event.provider_event_id.clone())
    });
    let items = group(&rows.items, |item| item.inbound_event_id);
    for (key, events) in &events {
        let count = events.len();
        findings.unless(count == 1, "one-event", || {
            format!("{key:?} is kept {count} times")
        });
        for event in events {
            let count = items.get(&event.id).map_or(0, Vec::len);
            findings.unless(count == 1, "one-item", || {
                format!(
                    "event {} ({}) has {count} work items",
                    event.id, event.provider_event_id
                )
            });
        }
    }
    for key in evidence.outside.accepted.iter().collect::<BTreeSet<_>>() {
        findings.unless(events.contains_key(key), "accepted-is-durable", || {
            format!(
                "{} was accepted on integration {} and is gone",
                key.1, key.0
            )
        });
    }
    for path in &evidence.outside.stuck {
        findings.add(
            "key-freed",
            format!("POST {path} is said to be under way though its process died"),
        );
    }
    let known: BTreeSet<Uuid> = rows.items.iter().map(|item| item.id).collect();
    for id in &evidence.outside.handed_in {
        findings.unless(known.contains(id), "accepted-is-durable", || {
            format!("work item {id} was answered with and is gone")
        });
    }
}

/// What the end of an item may rest on.
struct Ends<'r> {
    jobs: HashMap<Uuid, Vec<Uuid>>,
    replies: HashMap<Uuid, &'r Effect>,
}

impl<'r> Ends<'r> {
    fn of(rows: &'r Rows) -> Self {
        let mut jobs: HashMap<Uuid, Vec<Uuid>> = HashMap::new();
        for entry in &rows.entries {
            jobs.entry(entry.work_item_id)
                .or_default()
                .extend(entry.job_id);
        }
        let replies = rows.effects.iter().filter(|effect| effect.slot == "reply");
        Self {
            jobs,
            replies: replies.map(|effect| (effect.job_id, effect)).collect(),
        }
    }

    fn replies_of(&self, item: Uuid) -> impl Iterator<Item = &'r Effect> {
        let jobs = self.jobs.get(&item).map(Vec::as_slice).unwrap_or_default();
        jobs.iter().filter_map(|job| self.replies.get(job).copied())
    }
}

fn ended(item: &Item, ends: &Ends<'_>, rows: &Rows, findings: &mut Findings) {
    let replies = || ends.replies_of(item.id);
    let any = |status: &str| replies().any(|effect| effect.status == status);
    // Work that was handed in over the API has no channel; its answer is the job itself.
    let jobs = ends
        .jobs
        .get(&item.id)
        .map(Vec::as_slice)
        .unwrap_or_default();
    let job_is = |status: &str| {
        rows.jobs
            .iter()
            .any(|job| jobs.contains(&job.id) && job.status == status)
    };
    let has_reason = item
        .reason
        .as_deref()
        .is_some_and(|reason| !reason.is_empty());
    let (holds, wanted) = match item.status.as_str() {
        "replied" => (
            any("sent") || (replies().next().is_none() && job_is("completed")),
            "a reply that was sent",
        ),
        "passed" => (has_reason, "a reason"),
        "failed" => (
            has_reason
                && (jobs.is_empty()
                    || job_is("failed")
                    || job_is("cancelled")
                    || replies().next().is_some()),
            "a reason and a notice",
        ),
        _ => (any("unknown") || any("held"), "an end"),
    };
    findings.unless(holds, "visible-end", || {
        let effects: Vec<_> = replies()
            .map(|effect| format!("{} {}", effect.id, effect.status))
            .collect();
        format!(
            "work item {} ({:?}) is {} without {wanted}; replies {effects:?}",
            item.id, item.text, item.status
        )
    });
    if item.status == "failed" {
        let silent = replies().next().is_none() && !jobs.is_empty() && has_channel(item, rows);
        findings.unless(!silent, "visible-end", || {
            format!(
                "work item {} failed and its channel was never told",
                item.id
            )
        });
    }
}

/// Whether the item's conversation is one people see: effects go there.
fn has_channel(item: &Item, rows: &Rows) -> bool {
    rows.effects
        .iter()
        .any(|effect| effect.conversation_id == item.conversation_id)
}

/// Items that one job carried end alike when it is the only one that carried them.
fn shared(rows: &Rows, findings: &mut Findings) {
    let items: HashMap<Uuid, &Item> = rows.items.iter().map(|item| (item.id, item)).collect();
    let lanes = group(&rows.entries, |entry| entry.work_item_id);
    for (job, entries) in group(&rows.entries, |entry| entry.job_id) {
        let Some(job) = job else { continue };
        let alone = entries.iter().filter(|entry| {
            lanes
                .get(&entry.work_item_id)
                .is_some_and(|all| all.len() == 1)
        });
        let ends: BTreeSet<&str> = alone
            .filter_map(|entry| Some(items.get(&entry.work_item_id)?.status.as_str()))
            .collect();
        findings.unless(ends.len() <= 1, "shared-end", || {
            format!("job {job} carried items that ended differently: {ends:?}")
        });
    }
}
