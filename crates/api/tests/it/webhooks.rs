//! Calls of vendors, and of those who pretend to be one.

use crate::harness::{Answer, App};
use axum::{
    body::Body,
    http::{Request, StatusCode},
};
use ports::clock::Clock;
use serde_json::{Value, json};
use test_kit::builders;

async fn call(app: &App, path: &str, secret: &str, body: &str) -> Answer {
    let request = Request::post(path)
        .header("x-secret", secret)
        .header("host", "jar.example")
        .header("origin", "https://elsewhere.example")
        .body(Body::from(body.to_owned()))
        .unwrap();
    app.send(request).await
}

fn message(app: &App, event: &str) -> String {
    let message = builders::inbound(event, "42", "hello", app.clock.now());
    serde_json::to_string(&message).unwrap()
}

#[tokio::test]
async fn a_signed_call_becomes_one_work_item_however_often_it_comes() {
    let app = App::start().await;
    app.agent("Ada").await;
    let path = format!("/webhooks/telegram/{}", app.telegram("bot").await);
    for _ in 0..3 {
        let answer = call(&app, &path, "canary-hook-secret", &message(&app, "1")).await;
        assert_eq!(
            (answer.status, answer.body),
            (StatusCode::OK, json!({"accepted": 1}))
        );
    }
    let items = app.get("/api/v1/work-items").await.body;
    assert_eq!(items["items"].as_array().unwrap().len(), 1);
    assert_eq!(items["items"][0]["message"]["text"], "hello");
}

#[tokio::test]
async fn a_stranger_learns_whether_the_signature_was_right_and_nothing_else() {
    let app = App::start().await;
    let id = app.telegram("bot").await;
    let path = format!("/webhooks/telegram/{id}");
    call(&app, &path, "wrong", "{")
        .await
        .is_problem(401, "unauthenticated");
    call(&app, &path, "canary-hook-secret", "{")
        .await
        .is_problem(400, "bad_request");
    let nobody = "0190aaaa-0000-7000-8000-000000000000";
    for path in [
        format!("/webhooks/telegram/{nobody}"),
        format!("/webhooks/web/{id}"),
        format!("/webhooks/nothing/{id}"),
        "/webhooks/telegram/nonsense".to_owned(),
    ] {
        let answer = call(&app, &path, "canary-hook-secret", "{}").await;
        answer.is_problem(404, "not_found");
    }
    app.patch(
        &format!("/api/v1/integrations/{id}"),
        json!({"enabled": false}),
    )
    .await;
    app.integrations_changed();
    call(&app, &path, "wrong", "{}")
        .await
        .is_problem(401, "unauthenticated");
    let answer = call(&app, &path, "canary-hook-secret", &message(&app, "1")).await;
    answer.is_problem(503, "unavailable");
}

#[tokio::test]
async fn a_new_secret_counts_from_the_change_on() {
    let app = App::start().await;
    let id = app.telegram("bot").await;
    let path = format!("/webhooks/telegram/{id}");
    let body = message(&app, "1");
    assert_eq!(
        call(&app, &path, "canary-hook-secret", &body).await.status,
        StatusCode::OK
    );
    let change = json!({"config": {"webhook_secret": "another-hook-secret"}});
    app.patch(&format!("/api/v1/integrations/{id}"), change)
        .await;
    app.integrations_changed();
    call(&app, &path, "canary-hook-secret", &body)
        .await
        .is_problem(401, "unauthenticated");
    assert_eq!(
        call(&app, &path, "another-hook-secret", &body).await.status,
        StatusCode::OK
    );
    assert_eq!(
        app.delete(&format!("/api/v1/integrations/{id}"))
            .await
            .status,
        StatusCode::NO_CONTENT
    );
    app.integrations_changed();
    call(&app, &path, "another-hook-secret", &body)
        .await
        .is_problem(404, "not_found");
}

#[tokio::test]
async fn who_guesses_is_not_heard_any_more_while_others_are() {
    let app = App::start().await;
    let path = format!("/webhooks/telegram/{}", app.telegram("bot").await);
    let other = format!("/webhooks/telegram/{}", app.telegram("bot 2").await);
    for _ in 0..30 {
        call(&app, &path, "guess", "{}")
            .await
            .is_problem(401, "unauthenticated");
    }
    let answer = call(&app, &path, "guess", "{}").await;
    answer.is_problem(429, "limit_reached");
    assert!(answer.headers.contains_key("retry-after"));
    let body: Value = serde_json::from_str(&message(&app, "1")).unwrap();
    let answer = call(&app, &other, "canary-hook-secret", &body.to_string()).await;
    assert_eq!(answer.status, StatusCode::OK);
}
