//! Requests that are sent again.

use crate::harness::{Answer, App};
use axum::http::{Method, StatusCode};
use serde_json::{Value, json};

async fn post(app: &App, key: &str, path: &str, body: Value) -> Answer {
    let mut request = app.request(&Method::POST, path, &body);
    request
        .headers_mut()
        .insert("idempotency-key", key.parse().unwrap());
    app.send(request).await
}

#[tokio::test]
async fn the_second_request_gets_the_first_answer() {
    let app = App::start().await;
    let first = post(&app, "k1", "/api/v1/agents", json!({"name": "Ada"})).await;
    let second = post(&app, "k1", "/api/v1/agents", json!({"name": "Ada"})).await;
    assert_eq!(second.status, StatusCode::CREATED);
    assert_eq!(second.body, first.body);
    assert_eq!(second.headers["idempotency-replayed"], "true");
    assert_eq!(second.headers["content-type"], "application/json");
    let list = app.get("/api/v1/agents").await.body;
    assert_eq!(list["items"].as_array().unwrap().len(), 1);

    let other = post(&app, "k1", "/api/v1/agents", json!({"name": "Bob"})).await;
    other.is_problem(422, "validation_failed");
    let blank = post(&app, "", "/api/v1/agents", json!({"name": "Bob"})).await;
    blank.is_problem(422, "validation_failed");
}

#[tokio::test]
async fn a_refused_request_gives_its_key_back() {
    let app = App::start().await;
    post(&app, "k", "/api/v1/agents", json!({"name": ""}))
        .await
        .is_problem(422, "validation_failed");
    let again = post(&app, "k", "/api/v1/agents", json!({"name": "Ada"})).await;
    assert_eq!(again.status, StatusCode::CREATED);
}

#[tokio::test]
async fn a_kept_answer_is_nobody_elses_and_not_readable_in_the_database() {
    let app = App::start().await;
    let body = json!({"name": "secret-holder", "role": "viewer"});
    let made = post(&app, "k", "/api/v1/tokens", body.clone()).await;
    let again = post(&app, "k", "/api/v1/tokens", body.clone()).await;
    assert_eq!(again.body, made.body);
    let token = made.body["token"].as_str().unwrap();

    let owner = app
        .post("/api/v1/tokens", json!({"name": "o", "role": "owner"}))
        .await;
    let mut request = app.request(&Method::POST, "/api/v1/tokens", &body);
    let bearer = format!("Bearer {}", owner.body["token"].as_str().unwrap());
    request
        .headers_mut()
        .insert("authorization", bearer.parse().unwrap());
    request
        .headers_mut()
        .insert("idempotency-key", "k".parse().unwrap());
    app.send(request).await.is_problem(422, "validation_failed");

    for file in std::fs::read_dir(app.file.path()).unwrap() {
        let bytes = std::fs::read(file.unwrap().path()).unwrap();
        assert!(!String::from_utf8_lossy(&bytes).contains(token));
    }
}

#[tokio::test]
async fn of_many_at_once_one_acts() {
    let app = App::start().await;
    let all = (0..10).map(|_| post(&app, "k", "/api/v1/agents", json!({"name": "Ada"})));
    for answer in futures_util::future::join_all(all).await {
        match answer.status {
            StatusCode::CREATED => {}
            _ => answer.is_problem(409, "request_in_progress"),
        }
    }
    let list = app.get("/api/v1/agents").await.body;
    assert_eq!(list["items"].as_array().unwrap().len(), 1);
}
