//! Several processes on one database: what one takes in, another runs, a third shows.

use crate::app::{App, Event, Events, Home, Options};
use reqwest::{Method, StatusCode};
use serde_json::json;
use simulators::telegram::{Chat, Person, TelegramSimulator};

const KEY: &str = "1111111111111111111111111111111111111111111111111111111111111111";

/// Whether the processes are joined by Redis, or by the database alone.
#[derive(Clone, Copy)]
enum Joined {
    ByRedis,
    ByDatabase,
}

fn options(joined: Joined, args: &[&'static str]) -> Options {
    let mut env = vec![("ENCRYPTION_KEY", KEY.to_owned())];
    if let Joined::ByRedis = joined {
        #[expect(
            clippy::disallowed_methods,
            reason = "the suite is told where Redis is"
        )]
        let url = std::env::var("TEST_REDIS_URL").expect("run `cargo xtask test`");
        env.push(("REDIS_URL", url));
    }
    Options {
        env,
        args: args.to_vec(),
    }
}

/// Another process on the database of `first`, with a directory of its own.
async fn beside(first: &App, joined: Joined, args: &[&'static str]) -> App {
    let mut options = options(joined, args);
    options.env.extend(first.dir.database());
    App::start_in(tempfile::tempdir().unwrap(), options).await
}

async fn first(joined: Joined, args: &[&'static str]) -> App {
    App::start_in(Home::new().await, options(joined, args)).await
}

fn ids(events: &[Event]) -> Vec<i64> {
    let ids = events.iter().filter_map(|event| event.id.as_ref());
    ids.map(|id| id.parse().unwrap()).collect()
}

async fn started(events: &mut Events) -> String {
    let output = events.until(|event| event.name == "tool.started").await;
    output.data["job_id"].as_str().unwrap().to_owned()
}

async fn a_stream_is_whole_wherever_it_is_read(joined: Joined) {
    let worker = first(joined, &[]).await;
    let other = beside(&worker, joined, &["serve", "--no-worker"]).await;
    worker.agent("Ada").await;
    let mut all = other.events("/api/v1/events", Some("0")).await;
    other.hand_in("run `echo one` then run `echo two`").await;
    let job = started(&mut all).await;
    let path = format!("/api/v1/jobs/{job}/events");
    let here = other.events(&path, Some("0")).await.rest().await;
    let there = worker.events(&path, Some("0")).await.rest().await;
    assert_eq!(
        ids(&here),
        (1..=i64::try_from(ids(&here).len()).unwrap()).collect::<Vec<_>>()
    );
    assert_eq!(ids(&here), ids(&there));
    let half = ids(&here).len() / 2;
    let rest = other
        .events(&path, Some(&half.to_string()))
        .await
        .rest()
        .await;
    assert_eq!(ids(&rest), ids(&here)[half..]);
}

#[tokio::test]
async fn a_stream_is_whole_wherever_it_is_read_over_redis() {
    a_stream_is_whole_wherever_it_is_read(Joined::ByRedis).await;
}

#[tokio::test]
async fn a_stream_is_whole_wherever_it_is_read_over_the_database() {
    a_stream_is_whole_wherever_it_is_read(Joined::ByDatabase).await;
}

#[tokio::test]
async fn output_is_seen_as_it_comes_on_another_process() {
    let worker = first(Joined::ByRedis, &[]).await;
    let other = beside(&worker, Joined::ByRedis, &["serve", "--no-worker"]).await;
    worker.agent("Ada").await;
    let mut all = other.events("/api/v1/events", None).await;
    worker.hand_in("run `echo early; exec sleep 30`").await;
    let output = all.until(|event| event.name == "tool.output").await;
    assert!(output.data["text"].as_str().unwrap().contains("early"));
}

#[tokio::test]
async fn a_job_is_stopped_from_another_process() {
    let worker = first(Joined::ByDatabase, &[]).await;
    let other = beside(&worker, Joined::ByDatabase, &["serve", "--no-worker"]).await;
    worker.agent("Ada").await;
    let mut all = other.events("/api/v1/events", None).await;
    other.hand_in("run `sleep 600`").await;
    let job = started(&mut all).await;
    other
        .post(&format!("/api/v1/jobs/{job}/cancel"), json!({}))
        .await;
    assert_eq!(other.finished_job(&mut all).await["status"], "cancelled");
}

#[tokio::test]
async fn requests_and_jobs_have_processes_of_their_own() {
    let requests = first(Joined::ByDatabase, &["serve", "--no-worker"]).await;
    let telegram = TelegramSimulator::start().await.unwrap();
    requests.agent("Ada").await;
    requests.telegram(&telegram, json!({})).await;
    let kim = Person::new(7, "Kim");
    let chat = Chat::private(&kim);
    telegram.say(&chat, &kim, "run `echo from afar`");
    requests.hand_in("run `echo waiting`").await;
    let jobs = beside(&requests, Joined::ByDatabase, &["worker"]).await;
    telegram
        .wait_for_message(&chat, |message| message.text.contains("from afar"))
        .await;
    let (status, _) = jobs.call(Method::GET, "/api/v1/agents", None).await;
    assert_eq!(status, StatusCode::NOT_FOUND);
    let (status, _) = jobs.call(Method::GET, "/readyz", None).await;
    assert_eq!(status, StatusCode::OK);
}

#[tokio::test]
async fn work_of_a_killed_process_is_done_by_another_and_answered_once() {
    let one = first(Joined::ByRedis, &[]).await;
    let telegram = TelegramSimulator::start().await.unwrap();
    one.agent("Ada").await;
    one.telegram(&telegram, json!({})).await;
    let kim = Person::new(7, "Kim");
    let chat = Chat::private(&kim);
    let mut all = one.events("/api/v1/events", None).await;
    telegram.say(&chat, &kim, "run `sleep 600` then run `echo carried-on`");
    let job = started(&mut all).await;
    let two = beside(&one, Joined::ByRedis, &[]).await;
    drop(all);
    // Kept: the database lives as long as it.
    let _home = one.kill().await;
    telegram.wait_for_message(&chat, |_| true).await;
    let job = two.get(&format!("/api/v1/jobs/{job}")).await;
    assert_eq!(job["status"], "completed");
    assert_eq!(telegram.messages(&chat).len(), 1);
}

#[tokio::test]
async fn two_processes_must_hold_the_same_key_and_a_directory_each() {
    let one = first(Joined::ByDatabase, &[]).await;
    let mut options = options(Joined::ByDatabase, &[]);
    options.env.extend(one.dir.database());
    let same_directory = crate::app::command(one.dir.path(), &options).output();
    let output = same_directory.await.unwrap();
    assert_eq!(output.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&output.stderr).contains("DATA_DIR: another nitejar process"));
    options.env.retain(|(name, _)| *name != "ENCRYPTION_KEY");
    let elsewhere = tempfile::tempdir().unwrap();
    let other_key = crate::app::command(elsewhere.path(), &options).output();
    let output = other_key.await.unwrap();
    assert_eq!(output.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&output.stderr).contains("ENCRYPTION_KEY"));
    assert!(!one.log().contains(KEY));
}
