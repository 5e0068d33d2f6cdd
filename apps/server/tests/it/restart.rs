//! What survives the end of the process, orderly or not.

use crate::app::{App, Options, TOKEN, client};
use reqwest::{RequestBuilder, StatusCode};
use serde_json::json;
use simulators::telegram::{Chat, Person, TelegramSimulator};
use tokio::net::TcpListener;

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

#[tokio::test]
async fn a_request_that_was_under_way_at_a_kill_can_be_sent_again() {
    let app = App::start().await;
    let vendor = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let config = json!({
        "bot_token": TelegramSimulator::TOKEN,
        "api_base_url": format!("http://{}", vendor.local_addr().unwrap()),
    });
    let body = json!({ "type": "telegram", "name": "bot", "config": config, "enabled": false });
    let made = app.post("/api/v1/integrations", body).await;
    let path = format!("/api/v1/integrations/{}/test", made["id"].as_str().unwrap());
    // The vendor takes the call and says nothing: the request goes on until the process is killed.
    let silent = tokio::select! {
        call = vendor.accept() => call.unwrap(),
        answer = with_key(&app, &path).send() => panic!("{answer:?}"),
    };
    let repeated = with_key(&app, &path).send().await.unwrap();
    assert_eq!(repeated.status(), StatusCode::CONFLICT);
    let dir = app.kill().await;
    drop(silent);

    let app = App::start_in(dir, Options::default()).await;
    let hang_up = async {
        loop {
            drop(vendor.accept().await.unwrap());
        }
    };
    let again = tokio::select! {
        () = hang_up => panic!("that never ends"),
        answer = with_key(&app, &path).send() => answer.unwrap(),
    };
    assert_eq!(again.status(), StatusCode::OK);
    assert!(app.log().contains("requests were cut short"));
}

fn with_key(app: &App, path: &str) -> RequestBuilder {
    client()
        .post(format!("{}{path}", app.url))
        .bearer_auth(TOKEN)
        .header("Idempotency-Key", "once")
}
