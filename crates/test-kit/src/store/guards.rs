//! What loop guards and stop commands rest on.

use super::Harness;
use crate::builders;
use chrono::TimeDelta;
use domain::{
    agent::Agent,
    budget::Limit,
    channel::{Command, InboundMessage},
    guard::LoopLimits,
    id::WorkItemId,
    job::JobFailure,
    queue::{EntryStatus, Steering},
    work::{WorkItem, WorkItemStatus},
};
use std::time::Duration;

/// Both come back as they were written.
pub async fn steering_and_loop_limits_are_kept(h: &Harness) {
    let changed = Agent {
        steering: Steering::Merge,
        loop_limits: LoopLimits {
            relay_depth: 0,
            bot_window_items: 7,
            resumes: 9,
            ..LoopLimits::default()
        },
        ..h.agent.clone()
    };
    let tx = h.write().await;
    tx.agents().update(&changed).await.unwrap();
    let found = tx.agents().find(h.tenant.id, changed.id).await.unwrap();
    assert_eq!(found, Some(changed));
}

async fn receive(h: &Harness, message: InboundMessage) -> WorkItem {
    let batch = vec![builders::accept(&h.integration, message)];
    let id: WorkItemId = h.store.ingest(batch).await.unwrap()[0].work_item_id;
    let found = h.read().await.work().find(h.tenant.id, id).await;
    found.unwrap().unwrap()
}

/// Only in their conversation, only up to the item, newest first, and at most as many as asked.
pub async fn bots_are_told_from_people_in_their_conversation(h: &Harness) {
    let start = h.now();
    let mut items = Vec::new();
    for (n, (chat, bot)) in [
        ("a", Some("ci")),
        ("a", None),
        ("b", Some("ci")),
        ("a", Some("ci")),
        ("a", Some("other")),
        ("a", Some("ci")),
        ("a", None),
    ]
    .into_iter()
    .enumerate()
    {
        h.clock.advance(Duration::from_secs(1));
        let mut message = builders::inbound(&n.to_string(), chat, "hi", h.now());
        if let Some(bot) = bot {
            message.sender.external_id = bot.to_owned();
            message.sender.is_bot = true;
        }
        items.push(receive(h, message).await);
    }
    let tx = h.read().await;
    let (work, last) = (tx.work(), &items[5]);
    let bots = work.bots(h.tenant.id, last, 10).await.unwrap();
    assert_eq!(bots, [true, true, true, false, true]);
    let bots = work.bots(h.tenant.id, last, 2).await.unwrap();
    assert_eq!(bots, [true, true]);
    assert!(work.bots(h.stranger(), last, 9).await.unwrap().is_empty());
    let arrivals = async |since, limit| {
        let found = work.bot_arrivals(h.tenant.id, last, start + TimeDelta::seconds(since), limit);
        let seconds = found.await.unwrap().into_iter();
        seconds
            .map(|at| (at - start).num_seconds())
            .collect::<Vec<_>>()
    };
    assert_eq!(arrivals(0, 9).await, [6, 4, 1]);
    assert_eq!(arrivals(4, 9).await, [6, 4]);
    assert_eq!(arrivals(0, 1).await, [6]);
}

/// A message is progress; what was counted before it is forgotten.
pub async fn resumes_are_counted_until_a_message_follows(h: &Harness) {
    let c = h.claimed("chat").await;
    let tx = h.write().await;
    let resumed = async |seq| {
        let jobs = tx.jobs();
        jobs.resumed(h.tenant.id, c.job.id, seq).await.unwrap()
    };
    assert_eq!(resumed(1).await, 1);
    assert_eq!(resumed(1).await, 2);
    assert_eq!(resumed(1).await, 3);
    assert_eq!(resumed(2).await, 1);
    let foreign = tx.jobs().resumed(h.stranger(), c.job.id, 2).await;
    assert_eq!(foreign.unwrap(), 0);
    assert_eq!(resumed(2).await, 2);
}

fn stop(event: &str, channel: &str, h: &Harness) -> InboundMessage {
    let mut message = builders::inbound(event, channel, "/stop", h.now());
    message.addressed = true;
    message.command = Some(Command {
        name: "stop".to_owned(),
        arguments: String::new(),
    });
    message
}

/// The jobs of its conversation, in the commit that takes it in; nobody else's, and not at a bot's word.
pub async fn a_stop_command_asks_the_job_of_its_conversation(h: &Harness) {
    let c = h.claimed("chat").await;
    let asked = async || {
        let found = h.read().await.jobs().find(h.tenant.id, c.job.id).await;
        found.unwrap().unwrap().cancel_requested_at
    };
    receive(h, stop("elsewhere", "other chat", h)).await;
    let mut of_bot = stop("bot", "chat", h);
    of_bot.sender.is_bot = true;
    receive(h, of_bot).await;
    assert_eq!(asked().await, None);
    h.commits.take();
    receive(h, stop("person", "chat", h)).await;
    assert_eq!(asked().await, Some(h.now()));
    assert_eq!(h.commits.take()[0].cancelled, [c.job.id]);
    let mut job = c.job.clone();
    job.cancel(h.now()).unwrap();
    let tx = h.write().await;
    tx.jobs().update(&job).await.unwrap();
    tx.commit().await.unwrap();
    h.commits.take();
    receive(h, stop("late", "chat", h)).await;
    assert!(h.commits.take()[0].cancelled.is_empty(), "it is over");
}

/// An agent that passes later has nothing to say about another one's failure.
pub async fn what_failed_gives_the_reason_whoever_ends_last(h: &Harness) {
    let eve = builders::agent(&*h.ids, h.tenant.id, "Eve", h.now());
    let tx = h.write().await;
    tx.agents().insert(&eve).await.unwrap();
    tx.commit().await.unwrap();
    let worker = h.worker("instance").await;
    let item = h.receive("1", "chat").await;
    let lanes = h.store.claim_lanes(worker, h.now(), 2).await.unwrap();
    let (fails, passes) = (lanes[0], lanes[1]);
    let tx = h.write().await;
    let (tenant, now) = (h.tenant.id, h.now());
    let entries = tx.lanes();
    let entry = async |lane: domain::queue::Lane| {
        let found = entries.entry(tenant, lane.id, item.id).await;
        found.unwrap().unwrap().id
    };
    let mut job = builders::job(&*h.ids, &fails, item.id, now);
    tx.jobs().insert(&job, Limit::Unlimited).await.unwrap();
    let running = EntryStatus::Running;
    let id = entry(fails).await;
    let set = entries.set_entry(tenant, id, running, Some(job.id));
    set.await.unwrap();
    let failure = JobFailure {
        code: "broken".to_owned(),
        message: "it broke".to_owned(),
    };
    job.fail(failure, now).unwrap();
    tx.jobs().update(&job).await.unwrap();
    entries.finish_entries(tenant, job.id).await.unwrap();
    let settle = async |reason| {
        let status = tx.work().settle(tenant, item.id, Some(reason), now).await;
        let found = tx.work().find(tenant, item.id).await.unwrap().unwrap();
        (status.unwrap(), found.reason)
    };
    let open = settle("it broke").await;
    assert_eq!(open, (WorkItemStatus::Open, None));
    let id = entry(passes).await;
    let set = entries.set_entry(tenant, id, EntryStatus::Done, None);
    set.await.unwrap();
    let failed = settle("it calls Ada by name").await;
    assert_eq!(
        failed,
        (WorkItemStatus::Failed, Some("it broke".to_owned()))
    );
}
