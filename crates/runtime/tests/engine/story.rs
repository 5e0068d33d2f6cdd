//! Single moments in the life of a job.

use crate::{
    parts::Answer,
    world::{CANARY, World},
};
use domain::{
    effect::EffectAction,
    job::JobStatus,
    message::ToolCallStatus,
    work::{DecidedBy, Verdict},
};
use futures_util::{FutureExt, StreamExt};
use ports::{
    live::{DeltaTarget, EventFeed, Live},
    store::Store,
};
use std::sync::atomic::Ordering::SeqCst;

#[tokio::test]
async fn the_progress_message_says_in_the_end_how_it_went() {
    let world = World::start(&[Answer::Works, Answer::Says(vec!["well"])]).await;
    world.say("work").await;
    let progress = || {
        let sent = world.sent().into_iter().enumerate();
        let sent = sent.filter_map(|(place, delivery)| match delivery.action {
            EffectAction::Progress { markdown, edit } => {
                Some((format!("m{}", place + 1), markdown, edit))
            }
            EffectAction::Reply { .. }
            | EffectAction::Receipt { .. }
            | EffectAction::Question { .. } => None,
        });
        sent.collect::<Vec<_>>()
    };
    world
        .until("progress", async || !progress().is_empty())
        .await;
    let (reference, first, edit) = progress().remove(0);
    assert_eq!((first.as_str(), edit), ("Working … step 1: work", None));
    world.go.add_permits(1);
    assert_eq!(world.reply().await, "well");
    let all = progress();
    let (_, last, edit) = all.last().unwrap();
    assert_eq!(edit.as_ref(), Some(&reference), "{all:?}");
    assert!(last.starts_with("Done after 1 step and "), "{all:?}");
}

/// The store fails a lane again and again although it is there: what waits gets a job that says so.
#[tokio::test]
async fn what_cannot_even_be_decided_on_fails_visibly() {
    let world = World::start(&[]).await;
    // Then nobody else reads.
    let looked = async || world.store.pruned.load(SeqCst) > 0;
    world.until("a look at what is old", looked).await;
    world.store.failing_reads.store(3, SeqCst);
    world.say("hello").await;
    let notice = world.reply().await;
    assert!(notice.contains("an error of its own"), "{notice}");
    assert_eq!(world.store.failing_reads.load(SeqCst), 0);
    let jobs = world.jobs().await;
    assert_eq!(jobs.len(), 1, "{jobs:?}");
    assert_eq!(jobs[0].status, JobStatus::Failed);
    assert_eq!(jobs[0].failure.as_ref().unwrap().code, "internal_error");
    let decisions = {
        let tx = world.store.inner().read(world.tenant).await.unwrap();
        let item = jobs[0].work_item_id;
        tx.work().decisions(world.tenant, item).await.unwrap()
    };
    assert_eq!(decisions.len(), 1);
    let decided = (decisions[0].verdict, decisions[0].decided_by);
    assert_eq!(decided, (Verdict::Act, DecidedBy::Fallback));
    // The next one is none the worse for it.
    world.say("again").await;
    world
        .until("two jobs", async || world.jobs().await.len() == 2)
        .await;
}

#[tokio::test]
async fn no_secret_of_the_server_leaves_with_a_live_event() {
    let said = ["it is can", "ary-of-a-secret", ", and canary is none"];
    let world = World::start(&[Answer::Works, Answer::Says(said.to_vec())]).await;
    world.go.add_permits(1);
    let mut feed = world.hub.subscribe(world.tenant, None);
    world.say(&format!("my key is {CANARY}")).await;
    world.reply().await;
    let (mut events, mut output, mut text) = (String::new(), String::new(), String::new());
    while let Some(Some(live)) = feed.next().now_or_never() {
        match live {
            Live::Event(event) => events.push_str(&event.payload.to_string()),
            Live::Delta(delta) => {
                let into = match delta.target {
                    DeltaTarget::ToolOutput(_) => &mut output,
                    DeltaTarget::Text | DeltaTarget::Thinking => &mut text,
                };
                assert_eq!(delta.offset, into.len());
                into.push_str(&delta.text);
            }
            Live::Work(_) => {}
            Live::Moved(_) | Live::Lagged => panic!("one process, one reader"),
        }
    }
    for what in [&events, &output, &text] {
        assert!(!what.contains(CANARY), "{what}");
    }
    assert!(events.contains("my key is [redacted]"), "{events}");
    assert_eq!(output, "before [redacted] after");
    assert_eq!(text, "it is [redacted], and canary is none");
}

#[tokio::test]
async fn a_tool_that_the_agent_may_not_use_is_not_run() {
    let world = World::start(&[Answer::Works, Answer::Says(vec!["well"])]).await;
    world.allow("request_approval").await;
    world.say("work").await;
    assert_eq!(world.reply().await, "well");
    let jobs = world.jobs().await;
    let tx = world.store.inner().read(world.tenant).await.unwrap();
    let calls = tx.transcript().tool_calls(world.tenant, jobs[0].id).await;
    let call = calls.unwrap().remove(0);
    assert_eq!(call.status, ToolCallStatus::Failed);
    assert_eq!(
        call.result.as_deref(),
        Some("There is no tool `work`. There are: request_approval.")
    );
}
