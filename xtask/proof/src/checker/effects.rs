//! What was sent is seen, what is seen was sent, and nothing twice unless somebody was told `unknown`.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use serde_json::Value;
use uuid::Uuid;

use super::{Evidence, Findings, Shown, group};
use crate::rows::{Effect, Rows};

pub(super) fn check(evidence: &Evidence, findings: &mut Findings) {
    let rows = &evidence.end;
    for ((job, slot), effects) in
        group(&rows.effects, |effect| (effect.job_id, effect.slot.clone()))
    {
        findings.unless(effects.len() == 1, "one-effect", || {
            format!("job {job} has {} effects in slot {slot}", effects.len())
        });
    }
    for effect in rows
        .effects
        .iter()
        .filter(|e| matches!(e.status.as_str(), "sending" | "pending"))
    {
        findings.add(
            "effect-final",
            format!(
                "effect {} ({}) is left {}",
                effect.id, effect.slot, effect.status
            ),
        );
    }
    for job in rows.jobs.iter().filter(|job| job.is_final()) {
        let has_any = rows.effects.iter().any(|effect| effect.job_id == job.id);
        let has_reply = rows
            .effects
            .iter()
            .any(|effect| effect.job_id == job.id && effect.slot == "reply");
        findings.unless(has_reply || !has_any, "reply-written", || {
            format!(
                "job {} is {} without a reply or a notice",
                job.id, job.status
            )
        });
    }
    visible(evidence, findings);
}

fn visible(evidence: &Evidence, findings: &mut Findings) {
    let rows = &evidence.end;
    let doubtful = ever_unknown(rows);
    let by_conversation = group(&rows.effects, |effect| effect.conversation_id);
    for conversation in &rows.conversations {
        let place = (conversation.integration_id, conversation.channel.clone());
        let Some(shown) = evidence.outside.shown.get(&place) else {
            continue;
        };
        let effects = by_conversation
            .get(&conversation.id)
            .map(Vec::as_slice)
            .unwrap_or_default();
        let known = sent(effects, shown, &doubtful, findings);
        let strays: Vec<&Shown> = shown
            .iter()
            .filter(|message| !known.contains(message.id.as_str()))
            .collect();
        stray(&strays, effects, &doubtful, &place.1, findings);
    }
    for effect in &rows.effects {
        let resent_in_vain =
            evidence.outside.resent.contains(&effect.id) && !doubtful.contains_key(&effect.id);
        findings.unless(!resent_in_vain, "resent", || {
            format!(
                "effect {} was resent though it never was unknown",
                effect.id
            )
        });
    }
}

/// Every sent message is seen; returns the ids of those.
fn sent<'e>(
    effects: &[&'e Effect],
    shown: &[Shown],
    doubtful: &BTreeMap<Uuid, usize>,
    findings: &mut Findings,
) -> BTreeSet<&'e str> {
    let mut known = BTreeSet::new();
    for effect in effects
        .iter()
        .filter(|effect| effect.status == "sent" && effect.is_message())
    {
        let Some(reference) = &effect.provider_reference else {
            // A human marked it as sent; what they saw is among the strays.
            findings.unless(doubtful.contains_key(&effect.id), "reply-seen", || {
                format!("effect {} is sent and names no message", effect.id)
            });
            continue;
        };
        for id in reference.split(',') {
            let seen = shown.iter().any(|message| message.id == id);
            findings.unless(seen, "reply-seen", || {
                format!(
                    "effect {} is sent as message {id}, which nobody sees",
                    effect.id
                )
            });
            findings.unless(known.insert(id), "reply-once", || {
                format!("message {id} belongs to two effects")
            });
        }
    }
    known
}

/// A message no effect names is one whose sending was interrupted or never confirmed; each time explains
/// one.
fn stray(
    strays: &[&Shown],
    effects: &[&Effect],
    doubtful: &BTreeMap<Uuid, usize>,
    channel: &str,
    findings: &mut Findings,
) {
    let mut explained: HashMap<String, usize> = HashMap::new();
    for effect in effects.iter().filter(|effect| effect.is_message()) {
        let key = if effect.kind == "progress" {
            String::new()
        } else {
            plain(effect.markdown())
        };
        *explained.entry(key).or_default() += doubtful.get(&effect.id).copied().unwrap_or_default();
    }
    for message in strays {
        let key = if message.is_progress {
            String::new()
        } else {
            plain(&message.text)
        };
        let left = explained.entry(key).or_default();
        let holds = *left > 0;
        *left = left.saturating_sub(1);
        findings.unless(holds, "reply-once", || {
            format!(
                "message {} in chat {channel} ({:?}) belongs to no effect",
                message.id, message.text
            )
        });
    }
}

/// How often it was recorded of an effect that nobody knows whether it arrived.
fn ever_unknown(rows: &Rows) -> BTreeMap<Uuid, usize> {
    let mut times = BTreeMap::new();
    for event in rows.events.iter().filter(|event| event.kind == "effect") {
        let field = |name: &str| event.payload.get(name).and_then(Value::as_str);
        let effect = field("effect_id").and_then(|id| id.parse().ok());
        if let (Some("unknown"), Some(effect)) = (field("status"), effect) {
            *times.entry(effect).or_default() += 1;
        }
    }
    for effect in rows
        .effects
        .iter()
        .filter(|effect| effect.status == "unknown")
    {
        times.entry(effect.id).or_insert(1);
    }
    times
}

/// Text without what markup may change.
fn plain(text: &str) -> String {
    text.chars().filter(|c| c.is_alphanumeric()).collect()
}
