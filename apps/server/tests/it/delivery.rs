//! Webhooks: who may deliver, and that one event is one work item.

use crate::app::{App, client};
use reqwest::StatusCode;
use serde_json::{Value, json};
use simulators::telegram::{Chat, Person, TelegramSimulator};

fn update(id: i64, text: &str) -> Value {
    json!({"update_id": id, "message": {
        "message_id": id, "date": 1_767_225_600, "text": text,
        "chat": {"id": 7, "type": "private", "first_name": "Kim"},
        "from": {"id": 7, "is_bot": false, "first_name": "Kim"},
    }})
}

async fn deliver(url: &str, secret: Option<&str>, body: &Value) -> StatusCode {
    let mut request = client().post(url).json(body);
    if let Some(secret) = secret {
        request = request.header("X-Telegram-Bot-Api-Secret-Token", secret);
    }
    request.send().await.unwrap().status()
}

#[tokio::test]
async fn a_hundred_identical_deliveries_are_one_item_one_job_and_one_reply() {
    let app = App::start().await;
    let telegram = TelegramSimulator::start().await.unwrap();
    app.agent("Ada").await;
    let config = json!({ "mode": "webhook", "webhook_secret": "hook-secret-canary" });
    let id = app.telegram(&telegram, config).await;
    let url = format!("{}/webhooks/telegram/{id}", app.url);
    let body = update(501, "run `echo once`");
    let chat = Chat::private(&Person::new(7, "Kim"));
    telegram.open(&chat);
    let deliveries = (0..100).map(|_| deliver(&url, Some("hook-secret-canary"), &body));
    let statuses = futures_util::future::join_all(deliveries).await;
    assert!(statuses.iter().all(StatusCode::is_success), "{statuses:?}");
    telegram
        .wait_for_message(&chat, |m| m.text.contains("once"))
        .await;
    assert_eq!(
        deliver(&url, Some("hook-secret-canary"), &body).await,
        StatusCode::OK
    );
    assert_eq!(app.items("/api/v1/work-items").await.len(), 1);
    assert_eq!(app.items("/api/v1/jobs").await.len(), 1);
    assert_eq!(telegram.messages(&chat).len(), 1);
}

#[tokio::test]
async fn a_missing_or_wrong_secret_is_refused_and_changes_nothing() {
    let app = App::start().await;
    let telegram = TelegramSimulator::start().await.unwrap();
    app.agent("Ada").await;
    let config = json!({ "mode": "webhook", "webhook_secret": "hook-secret-canary" });
    let id = app.telegram(&telegram, config).await;
    let url = format!("{}/webhooks/telegram/{id}", app.url);
    assert_eq!(
        deliver(&url, None, &update(1, "hi")).await,
        StatusCode::UNAUTHORIZED
    );
    assert_eq!(
        deliver(&url, Some("wrong"), &update(1, "hi")).await,
        StatusCode::UNAUTHORIZED
    );
    let unknown = format!(
        "{}/webhooks/telegram/018f0000-0000-7000-8000-000000000000",
        app.url
    );
    assert_eq!(
        deliver(&unknown, Some("wrong"), &update(1, "hi")).await,
        StatusCode::NOT_FOUND
    );
    assert!(app.items("/api/v1/work-items").await.is_empty());
}

#[tokio::test]
async fn chats_that_are_not_allowed_and_other_bots_are_ignored() {
    let app = App::start().await;
    let telegram = TelegramSimulator::start().await.unwrap();
    app.agent("Ada").await;
    let config = json!({ "webhook_secret": "hook-secret-canary", "allowed_chat_ids": [7] });
    let id = app.telegram(&telegram, config).await;
    let url = format!("{}/webhooks/telegram/{id}", app.url);
    let mut foreign = update(1, "hi");
    foreign["message"]["chat"]["id"] = json!(8);
    let mut bot = update(2, "hi");
    bot["message"]["from"]["is_bot"] = json!(true);
    for body in [foreign, bot] {
        assert_eq!(
            deliver(&url, Some("hook-secret-canary"), &body).await,
            StatusCode::OK
        );
    }
    assert!(app.items("/api/v1/work-items").await.is_empty());
    assert_eq!(
        deliver(&url, Some("hook-secret-canary"), &update(3, "run `true`")).await,
        StatusCode::OK
    );
    assert_eq!(app.items("/api/v1/work-items").await.len(), 1);
}
