//! A database that does what it is asked and is never heard of again.

use crate::{parts::Answer, world::World};
use domain::queue::HEARTBEAT_EXPIRY;
use std::sync::atomic::Ordering::SeqCst;

#[tokio::test]
async fn lanes_whose_claim_was_never_answered_are_given_back_and_claimed_again() {
    let world = World::start(&[]).await;
    world.store.lose_answer("claim_lanes");
    world.say("hello").await;
    assert_eq!(world.reply().await, "nothing");
    assert!(world.store.has_lost_all());
    assert_eq!(world.jobs().await.len(), 1);
}

#[tokio::test]
async fn effects_whose_claim_was_never_answered_are_given_back_and_sent_once() {
    let world = World::start(&[]).await;
    world.store.lose_answer("claim_effects");
    world.say("hello").await;
    assert_eq!(world.reply().await, "nothing");
    assert!(world.store.has_lost_all());
    let sent = world.sent();
    let replies = sent.iter().filter(|one| one.action.kind() == "reply");
    assert_eq!(replies.count(), 1, "{sent:?}");
}

/// What is lost on its way to the database may still arrive there, for a while.
#[tokio::test]
async fn what_a_lost_claim_took_is_looked_for_again_and_not_for_ever() {
    let world = World::start(&[]).await;
    let let_go = async || {
        let answered = world.store.answered();
        answered
            .iter()
            .filter(|(what, _)| *what == "let_go_lanes")
            .count()
    };
    world.store.lose_answer("claim_lanes");
    world.say("hello").await;
    world
        .until("it is looked for again", async || let_go().await > 1)
        .await;
    assert_eq!(world.reply().await, "nothing");
    world
        .until("it is looked for no more", async || {
            let before = let_go().await;
            world.clock.advance(HEARTBEAT_EXPIRY);
            let_go().await == before
        })
        .await;
}

#[tokio::test]
async fn a_process_that_gets_no_answer_says_in_time_that_it_lives() {
    let world = World::start(&[]).await;
    let beats = || {
        let answered = world.store.answered();
        let beats = answered
            .into_iter()
            .filter(|(what, _)| *what == "heartbeat");
        beats.map(|(_, at)| at).collect::<Vec<_>>()
    };
    world.until("a beat", async || !beats().is_empty()).await;
    for lost in ["heartbeat", "sweep", "heartbeat"] {
        world.store.lose_answer(lost);
        let before = beats().len();
        let again = async || world.store.has_lost_all() && beats().len() > before + 1;
        world.until("two more beats", again).await;
    }
    for pair in beats().windows(2) {
        let gap = (pair[1] - pair[0]).to_std().unwrap();
        assert!(gap < HEARTBEAT_EXPIRY, "{gap:?}");
    }
}

/// Else it might find itself dead.
#[tokio::test]
async fn a_process_whose_sign_of_life_was_lost_sweeps_nobody_before_the_next() {
    let world = World::start(&[]).await;
    world.store.lose_answer("heartbeat");
    let begun = world.store.answered().len();
    let beaten = async || {
        let answered = world.store.answered();
        answered[begun..]
            .iter()
            .any(|(what, _)| *what == "heartbeat")
    };
    world.until("a beat", beaten).await;
    assert!(world.store.has_lost_all());
    let answered = world.store.answered();
    let first = answered
        .iter()
        .find(|(what, _)| ["heartbeat", "sweep"].contains(what));
    assert_eq!(first.unwrap().0, "heartbeat");
}

/// However often the store fails a job meanwhile.
#[tokio::test]
async fn a_job_waits_for_a_database_that_is_away() {
    let world = World::start(&[Answer::Works, Answer::Says(vec!["back"])]).await;
    world.say("work").await;
    let begun = async || !world.jobs().await.is_empty();
    world.until("it begins", begun).await;
    world.store.away.store(true, SeqCst);
    world.go.add_permits(2);
    let refused = async || world.store.refused.load(SeqCst) > 20;
    world.until("it was asked often", refused).await;
    world.store.away.store(false, SeqCst);
    assert_eq!(world.reply().await, "back");
    let jobs = world.jobs().await;
    assert_eq!(jobs.len(), 1);
    assert_eq!(jobs[0].failure, None);
}
