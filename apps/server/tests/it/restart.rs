//! What survives the end of the process, orderly or not.

use crate::app::{App, Options};
use serde_json::json;
use simulators::telegram::{Chat, Person, TelegramSimulator};

#[tokio::test]
async fn agents_files_and_transcripts_survive_a_restart() {
    let app = App::start().await;
    app.agent("Ada").await;
    let mut events = app.events("/api/v1/events", None).await;
    app.hand_in("write note.txt: kept over a restart").await;
    let first = app.finished_job(&mut events).await;
    drop(events);
    let dir = app.stop().await;

    let app = App::start_in(dir, Options::default()).await;
    assert_eq!(app.items("/api/v1/agents").await.len(), 1);
    let path = format!("/api/v1/jobs/{}/messages", first["id"].as_str().unwrap());
    assert!(app.items(&path).await.len() >= 4);
    let mut events = app.events("/api/v1/events", None).await;
    app.hand_in("run `cat note.txt`").await;
    let second = app.finished_job(&mut events).await;
    let messages = app
        .items(&format!(
            "/api/v1/jobs/{}/messages",
            second["id"].as_str().unwrap()
        ))
        .await;
    assert!(
        messages
            .last()
            .unwrap()
            .to_string()
            .contains("kept over a restart")
    );
}

#[tokio::test]
async fn a_job_killed_in_the_middle_of_a_command_resumes_and_answers_once() {
    let app = App::start().await;
    let telegram = TelegramSimulator::start().await.unwrap();
    app.agent("Ada").await;
    app.telegram(&telegram, json!({})).await;
    let kim = Person::new(7, "Kim");
    let chat = Chat::private(&kim);
    let mut events = app.events("/api/v1/events", None).await;
    telegram.say(
        &chat,
        &kim,
        "run `echo begun; sleep 600` then run `echo carried-on`",
    );
    events.until(|e| e.name == "tool.output").await;
    drop(events);
    let dir = app.kill().await;

    let app = App::start_in(dir, Options::default()).await;
    telegram.wait_for_message(&chat, |_| true).await;
    let job = app.items("/api/v1/jobs").await.remove(0);
    assert_eq!(job["status"], "completed");
    let calls = app
        .items(&format!(
            "/api/v1/jobs/{}/tool-calls",
            job["id"].as_str().unwrap()
        ))
        .await;
    assert_eq!(calls[0]["status"], "interrupted");
    assert_eq!(telegram.messages(&chat).len(), 1);
    assert_eq!(app.items("/api/v1/jobs").await.len(), 1);
}
