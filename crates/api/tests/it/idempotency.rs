//! Requests that are sent again.

use crate::harness::{Answer, App};
use axum::http::{Method, StatusCode};
use domain::{channel::ChannelType, integration::Visibility};
use serde_json::{Value, json};
use services::{
    Context,
    access::authenticate,
    agents::{self, CreateAgent},
    idempotency::{Begun, begin},
    integrations::{self, CreateIntegration},
    work::{self, CreateWorkItem},
};
use std::time::Duration;

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

/// A request as a process serves it that is killed when it has done everything but keep its answer. Gives the
/// context to do it with.
async fn cut_short(app: &App, key: &str, path: &str, body: &Value) -> Context {
    let caller = authenticate(&app.platform, &app.token).await.unwrap();
    // The API sees its own part of the path.
    let path = path.strip_prefix("/api/v1").unwrap();
    let body = body.to_string();
    match begin(&caller, key, ("POST", path, body.as_bytes())).await {
        Ok(Begun::Proceed(claim)) => claim.context(),
        Ok(Begun::Replay { .. }) => panic!("it was answered before"),
        Err(error) => panic!("{error}"),
    }
}

async fn restart(app: &App, keys: u64) {
    let freed = app.store.free_keys(&app.platform.settings.instance).await;
    assert_eq!(freed.unwrap(), keys);
}

#[tokio::test]
async fn a_request_that_was_cut_short_is_done_by_its_repetition() {
    let app = App::start().await;
    let body = json!({"name": "Ada"});
    cut_short(&app, "k", "/api/v1/agents", &body).await;
    app.clock.advance(Duration::from_mins(1));
    post(&app, "k", "/api/v1/agents", body.clone())
        .await
        .is_problem(409, "request_in_progress");
    app.clock.advance(Duration::from_secs(1));
    let made = post(&app, "k", "/api/v1/agents", body.clone()).await;
    assert_eq!(made.status, StatusCode::CREATED, "{}", made.body);
    let again = post(&app, "k", "/api/v1/agents", body).await;
    assert_eq!(again.headers["idempotency-replayed"], "true");
    assert_eq!(again.body, made.body);
}

#[tokio::test]
async fn work_handed_in_before_a_crash_is_not_handed_in_again() {
    let app = App::start().await;
    app.agent("Ada").await;
    let path = "/api/v1/work-items";
    let body = json!({"text": "do it"});
    let context = cut_short(&app, "k", path, &body).await;
    let request = CreateWorkItem {
        text: "do it".to_owned(),
        agent_ids: Vec::new(),
        conversation_id: None,
    };
    let made = work::create(&context, request).await.unwrap();
    post(&app, "k", path, body.clone())
        .await
        .is_problem(409, "request_in_progress");
    restart(&app, 1).await;
    let other = post(&app, "k", path, json!({"text": "do that"})).await;
    other.is_problem(422, "validation_failed");
    let again = post(&app, "k", path, body.clone()).await;
    assert_eq!(again.status, StatusCode::CREATED, "{}", again.body);
    assert_eq!(again.id(), made.item.id.to_string());
    assert_eq!(items(&app, path).await, 1);
    restart(&app, 0).await;

    // A day later the key is a new one.
    app.clock.advance(Duration::from_hours(25));
    let new = post(&app, "k", path, body).await;
    assert_eq!(new.status, StatusCode::CREATED, "{}", new.body);
    assert_ne!(new.id(), again.id());
    assert_eq!(items(&app, path).await, 2);
}

#[tokio::test]
async fn what_was_made_before_a_crash_is_found_by_the_repetition() {
    let app = App::start().await;
    let path = "/api/v1/agents";
    let body = json!({"name": "Ada"});
    let context = cut_short(&app, "agent", path, &body).await;
    let request = CreateAgent {
        name: "Ada".to_owned(),
        ..CreateAgent::default()
    };
    let agent = agents::create(&context, request).await.unwrap();
    restart(&app, 1).await;
    let again = post(&app, "agent", path, body).await;
    assert_eq!(again.status, StatusCode::CREATED, "{}", again.body);
    assert_eq!(again.id(), agent.id.to_string());
    let other = post(&app, "other", path, json!({"name": "Ada"})).await;
    other.is_problem(409, "name_taken");

    let path = "/api/v1/integrations";
    let config =
        json!({"bot_token": "1:canary-bot-token", "webhook_secret": "s", "account": "@jar"});
    let body = json!({"type": "telegram", "name": "bot", "config": config});
    let context = cut_short(&app, "integration", path, &body).await;
    let request = CreateIntegration {
        channel: ChannelType::Telegram,
        name: "bot".to_owned(),
        config: config.as_object().unwrap().clone(),
        visibility: Visibility::AllAgents,
        enabled: true,
    };
    let made = integrations::create(&context, request).await.unwrap();
    restart(&app, 1).await;
    let again = post(&app, "integration", path, body).await;
    assert_eq!(again.status, StatusCode::CREATED, "{}", again.body);
    assert_eq!(again.id(), made.integration.id.to_string());
}

async fn items(app: &App, path: &str) -> usize {
    app.get(path).await.body["items"].as_array().unwrap().len()
}
