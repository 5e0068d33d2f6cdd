//! What must be true when nothing happens any more, whatever went wrong before: the promises of the delivery
//! contract, read off the rows and the vendor's memory.

use crate::{
    facts::{Facts, Story},
    world::World,
};
use domain::{
    budget::{BudgetScope, Micros},
    effect::{Effect, EffectAction, EffectStatus, REPLY_SLOT},
    event::EventKind,
    job::JobStatus,
    message::{Content, Message, Role, ToolCallStatus},
    model::ModelCallStatus,
    work::WorkItemStatus,
};
use std::collections::{BTreeMap, BTreeSet};

/// What still has to happen; empty when the world is quiet.
pub(crate) fn unrest(facts: &Facts) -> Vec<String> {
    let mut left = Vec::new();
    for (item, _) in &facts.items {
        if item.status == WorkItemStatus::Open {
            left.push(format!(
                "item {} ({}) is open",
                item.id, item.message.event_id
            ));
        }
    }
    for Story { job, .. } in &facts.jobs {
        if !job.status.is_final() {
            left.push(format!(
                "job {} of lane {} is {}",
                job.id, job.lane_id, job.status
            ));
        }
    }
    for effect in &facts.effects {
        if !effect.status.is_final() {
            left.push(format!(
                "effect {} ({}) is {}",
                effect.id, effect.slot, effect.status
            ));
        }
    }
    for lane in &facts.lanes {
        if let Some(worker) = lane.lease {
            left.push(format!("lane {} is held by {worker}", lane.id));
        }
    }
    left
}

/// Notes every broken promise.
pub(crate) fn check(world: &World, facts: &Facts, delivered: &[String]) {
    items(world, facts, delivered);
    for story in &facts.jobs {
        transcript(world, story);
        money_of(world, story);
    }
    money(world, facts);
    events(world, facts);
    sends(world, facts);
    touches(world, facts);
}

/// One event, one item, and every item ended for all to see.
fn items(world: &World, facts: &Facts, delivered: &[String]) {
    let mut by_event: BTreeMap<&str, usize> = BTreeMap::new();
    for (item, decisions) in &facts.items {
        *by_event.entry(&item.message.event_id).or_default() += 1;
        let agents: BTreeSet<_> = decisions.iter().map(|d| d.agent_id).collect();
        if agents.len() != decisions.len() {
            world.broken(format!("an agent decided twice about {}", item.id));
        }
        let silent = item.reason.as_deref().unwrap_or_default().is_empty();
        if silent && matches!(item.status, WorkItemStatus::Passed | WorkItemStatus::Failed) {
            world.broken(format!(
                "item {} is {} without a reason",
                item.id, item.status
            ));
        }
    }
    for event in delivered {
        let times = by_event.get(event.as_str()).copied().unwrap_or_default();
        if times != 1 {
            world.broken(format!("{event} was delivered and has {times} items"));
        }
    }
    let mut attempts = BTreeSet::new();
    for Story { job, .. } in &facts.jobs {
        if !attempts.insert((job.work_item_id, job.agent_id, job.attempt)) {
            world.broken(format!("job {} is an attempt that was made before", job.id));
        }
        let item = facts
            .items
            .iter()
            .find(|(item, _)| item.id == job.work_item_id);
        let by_hand = item.is_some_and(|(item, _)| item.message.event_id.starts_with("api:"));
        let replies = facts
            .effects_of(job.id)
            .filter(|effect| effect.slot == REPLY_SLOT);
        if replies.count() != usize::from(!by_hand) {
            world.broken(format!(
                "job {} ({}) ended without its one reply or notice",
                job.id, job.status
            ));
        }
    }
}

/// One result for each call, in order, right after it; numbers without gaps.
fn transcript(world: &World, story: &Story) {
    let id = story.job.id;
    for (message, seq) in story.messages.iter().zip(1..) {
        if message.seq != seq {
            world.broken(format!(
                "job {id}: message {seq} has number {}",
                message.seq
            ));
        }
    }
    let mut open: Vec<&str> = Vec::new();
    for message in &story.messages {
        let results = results(message);
        if message.role == Role::Tool || !open.is_empty() {
            if results != open {
                world.broken(format!(
                    "job {id}: {open:?} was asked and {results:?} answered"
                ));
            }
            open.clear();
        }
        open.extend(message.tool_calls().map(|(id, ..)| id));
    }
    if !open.is_empty() {
        world.broken(format!(
            "job {id} is {} and {open:?} has no result",
            story.job.status
        ));
    }
    for call in &story.tool_calls {
        if call.status == ToolCallStatus::Running || call.result.is_none() {
            world.broken(format!(
                "job {id}: the receipt of {} is open",
                call.provider_call_id
            ));
        }
    }
    if let Some(shell) = &story.shell {
        world.broken(format!("job {id} is over and its shell {} open", shell.id));
    }
}

fn results(message: &Message) -> Vec<&str> {
    let parts = message.parts.iter();
    parts
        .filter_map(|part| match &part.content {
            Content::ToolResult { id, .. } => Some(id.as_str()),
            Content::Text { .. }
            | Content::Thinking { .. }
            | Content::ToolCall { .. }
            | Content::File { .. } => None,
        })
        .collect()
}

fn money_of(world: &World, story: &Story) {
    let mut cost = Micros::ZERO;
    for call in &story.model_calls {
        cost = cost.plus(call.cost);
        if call.status == ModelCallStatus::Reserved {
            world.broken(format!(
                "job {} is over and its call {} reserved",
                story.job.id, call.id
            ));
        }
    }
    if cost != story.job.cost {
        let (id, shown) = (story.job.id, story.job.cost);
        world.broken(format!("job {id} shows {shown} and its calls cost {cost}"));
    }
}

/// Nothing is reserved any more, and what was spent is what calls cost.
fn money(world: &World, facts: &Facts) {
    for call in &facts.deciding {
        world.broken(format!(
            "the decision {} still holds {}",
            call.id, call.reserved
        ));
    }
    for budget in &facts.budgets {
        if budget.reserved != Micros::ZERO {
            world.broken(format!(
                "{:?} still has {} reserved",
                budget.scope, budget.reserved
            ));
        }
        let BudgetScope::Job(id) = budget.scope else {
            continue;
        };
        let job = facts.jobs.iter().find(|story| story.job.id == id);
        if let Some(story) = job.filter(|story| story.job.cost != budget.spent) {
            let shown = story.job.cost;
            world.broken(format!(
                "job {id} shows {shown} and its budget {}",
                budget.spent
            ));
        }
    }
}

/// Numbers without gaps, and a last word that is true.
fn events(world: &World, facts: &Facts) {
    for (event, seq) in facts.events.iter().zip(1..) {
        if event.feed_seq != seq {
            world.broken(format!(
                "event {seq} of the tenant has number {}",
                event.feed_seq
            ));
            break;
        }
    }
    let by_job = facts.events_by_job();
    for story in &facts.jobs {
        let events = by_job
            .get(&story.job.id)
            .map(Vec::as_slice)
            .unwrap_or_default();
        for (event, seq) in events.iter().zip(1..) {
            if event.seq != seq {
                world.broken(format!(
                    "event {seq} of job {} has number {}",
                    story.job.id, event.seq
                ));
                break;
            }
        }
        let statuses = events
            .iter()
            .filter(|event| event.kind == EventKind::JobStatus);
        let told = statuses.filter_map(|event| event.payload.get("status")?.as_str());
        let told: Vec<&str> = told.collect();
        let is_final = |word: &&&str| word.parse().is_ok_and(JobStatus::is_final);
        let ends = told.iter().filter(is_final).count();
        if ends != 1 || told.last() != Some(&story.job.status.as_str()) {
            world.broken(format!(
                "job {} is {} and told {told:?}",
                story.job.id, story.job.status
            ));
        }
    }
}

/// What people saw is what was sent: once, and more often only where nobody knew and a human was asked.
fn sends(world: &World, facts: &Facts) {
    let mut seen: BTreeMap<String, usize> = BTreeMap::new();
    for message in world.vendor(|vendor| vendor.seen.clone()) {
        *seen.entry(message.text).or_default() += 1;
    }
    for effect in &facts.effects {
        let text = match &effect.action {
            EffectAction::Reply { markdown, .. }
            | EffectAction::Question {
                markdown,
                edit: None,
                ..
            } => markdown,
            EffectAction::Progress {
                markdown,
                edit: None,
            } => {
                // Progress of two jobs may read alike; only that somebody wrote it can be said.
                seen.remove(markdown);
                continue;
            }
            EffectAction::Progress { .. }
            | EffectAction::Question { .. }
            | EffectAction::Receipt { .. } => continue,
        };
        let times = seen.remove(text).unwrap_or_default();
        let doubted = doubts(facts, effect);
        let expected = match effect.status {
            EffectStatus::Sent => 1..=1 + doubted,
            _ => 0..=doubted,
        };
        if !expected.contains(&times) {
            world.broken(format!(
                "the reply {} of job {} is {} ({} times in doubt) and was seen {times} times: {text:?}",
                effect.id, effect.job_id, effect.status, doubted
            ));
        }
    }
    for text in seen.keys() {
        world.broken(format!("nobody wrote {text:?}, but people saw it"));
    }
}

/// How often an effect was recorded as unknown.
fn doubts(facts: &Facts, effect: &Effect) -> usize {
    let id = serde_json::to_value(effect.id).unwrap();
    let of_it = facts.events.iter().filter(|event| {
        event.kind == EventKind::Effect && event.payload.get("effect_id") == Some(&id)
    });
    let unknown = Some(EffectStatus::Unknown.as_str());
    of_it
        .filter(|event| event.payload.get("status").and_then(|s| s.as_str()) == unknown)
        .count()
}

/// What changes something is done at most once for each call, and was done where its result says so.
fn touches(world: &World, facts: &Facts) {
    let touched = world.touched();
    for (call, times) in &touched {
        if *times > 1 {
            world.broken(format!("touch {call} was done {times} times"));
        }
    }
    for call in facts.jobs.iter().flat_map(|story| &story.tool_calls) {
        let done = call.name == "touch" && call.status == ToolCallStatus::Succeeded;
        let result = call.result.clone().unwrap_or_default();
        let number = result.split(' ').nth(1).and_then(|n| n.parse::<u64>().ok());
        if done && number.is_none_or(|number| !touched.contains_key(&number)) {
            world.broken(format!(
                "{} says it touched and never did",
                call.provider_call_id
            ));
        }
    }
}
