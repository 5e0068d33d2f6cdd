//! People in control: cancel, retry, drafts that wait for a human, budgets.

use crate::app::App;
use reqwest::{Method, StatusCode};
use serde_json::json;
use simulators::telegram::{Chat, Person, TelegramSimulator};

#[tokio::test]
async fn a_running_job_is_cancelled_and_its_command_dies() {
    let app = App::start().await;
    app.agent("Ada").await;
    let mut events = app.events("/api/v1/events", None).await;
    app.hand_in("run `echo started; sleep 600`").await;
    let output = events.until(|e| e.name == "tool.output").await;
    let id = output.data["job_id"].as_str().unwrap().to_owned();
    app.post(&format!("/api/v1/jobs/{id}/cancel"), json!({}))
        .await;
    let job = app.finished_job(&mut events).await;
    assert_eq!(
        (job["id"].as_str(), job["status"].as_str()),
        (Some(id.as_str()), Some("cancelled"))
    );
    let calls = app.items(&format!("/api/v1/jobs/{id}/tool-calls")).await;
    assert_eq!(calls[0]["status"], "interrupted");
    let messages = app.items(&format!("/api/v1/jobs/{id}/messages")).await;
    assert_eq!(
        messages.last().unwrap()["role"],
        "tool",
        "every call has its result"
    );
    let (status, _) = app
        .call(
            Method::POST,
            &format!("/api/v1/jobs/{id}/cancel"),
            Some(json!({})),
        )
        .await;
    assert_eq!(status, StatusCode::CONFLICT);
}

#[tokio::test]
async fn a_retry_is_a_new_job_and_a_sent_reply_is_not_repeated_by_accident() {
    let app = App::start().await;
    let telegram = TelegramSimulator::start().await.unwrap();
    app.agent("Ada").await;
    app.telegram(&telegram, json!({})).await;
    let kim = Person::new(7, "Kim");
    let chat = Chat::private(&kim);
    let mut events = app.events("/api/v1/events", None).await;
    telegram.say(&chat, &kim, "run `echo again`");
    let job = app.finished_job(&mut events).await;
    events
        .until(|e| e.name == "effect" && e.data["slot"] == "reply" && e.data["status"] == "sent")
        .await;
    let path = format!("/api/v1/jobs/{}/retry", job["id"].as_str().unwrap());
    let (status, problem) = app
        .call(Method::POST, &path, Some(json!({ "from": "start" })))
        .await;
    assert_eq!(status, StatusCode::CONFLICT, "{problem}");
    let (status, retried) = app
        .call(
            Method::POST,
            &path,
            Some(json!({ "from": "start", "reply_again": true })),
        )
        .await;
    assert_eq!(status, StatusCode::CREATED, "{retried}");
    assert_eq!(
        (retried["attempt"].as_i64(), retried["retry_of"].as_str()),
        (Some(2), job["id"].as_str())
    );
    let second = app.finished_job(&mut events).await;
    assert_eq!(
        (second["id"].as_str(), second["status"].as_str()),
        (retried["id"].as_str(), Some("completed"))
    );
    events
        .until(|e| e.name == "effect" && e.data["slot"] == "reply" && e.data["status"] == "sent")
        .await;
    assert_eq!(telegram.messages(&chat).len(), 2);
}

#[tokio::test]
async fn a_draft_waits_until_a_human_releases_it() {
    let app = App::start().await;
    let telegram = TelegramSimulator::start().await.unwrap();
    app.post(
        "/api/v1/agents",
        json!({ "name": "Ada", "reply_policy": "approve" }),
    )
    .await;
    app.telegram(&telegram, json!({})).await;
    let kim = Person::new(7, "Kim");
    let chat = Chat::private(&kim);
    let mut events = app.events("/api/v1/events", None).await;
    telegram.say(&chat, &kim, "run `echo drafted`");
    let held = events
        .until(|e| e.name == "effect" && e.data["status"] == "held")
        .await;
    assert!(telegram.messages(&chat).is_empty());
    assert_eq!(app.items("/api/v1/work-items?status=open").await.len(), 1);
    app.post(
        &format!(
            "/api/v1/effects/{}/release",
            held.data["effect_id"].as_str().unwrap()
        ),
        json!({}),
    )
    .await;
    telegram
        .wait_for_message(&chat, |m| m.text.contains("drafted"))
        .await;
}

#[tokio::test]
async fn bad_input_is_a_precise_problem_and_changes_nothing() {
    let app = App::start().await;
    for (path, body, status, part) in [
        (
            "/api/v1/agents",
            json!({ "name": "" }),
            StatusCode::UNPROCESSABLE_ENTITY,
            "name",
        ),
        (
            "/api/v1/agents",
            json!({ "name": "x", "nonsense": 1 }),
            StatusCode::UNPROCESSABLE_ENTITY,
            "nonsense",
        ),
        (
            "/api/v1/agents",
            json!({ "name": "x", "model": "foreign/model" }),
            StatusCode::UNPROCESSABLE_ENTITY,
            "model",
        ),
        (
            "/api/v1/integrations",
            json!({ "type": "telegram", "name": "b", "config": {}, "agent_ids": null }),
            StatusCode::UNPROCESSABLE_ENTITY,
            "bot_token",
        ),
        (
            "/api/v1/nowhere",
            json!({}),
            StatusCode::NOT_FOUND,
            "nothing at this path",
        ),
    ] {
        let (got, problem) = app.call(Method::POST, path, Some(body)).await;
        assert_eq!(got, status, "{path}: {problem}");
        assert!(
            problem["code"].is_string() && problem.to_string().contains(part),
            "{problem}"
        );
    }
    assert!(app.items("/api/v1/agents").await.is_empty());
}
