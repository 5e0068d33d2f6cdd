//! Integrations: secrets go in and never come out.

use crate::harness::App;
use axum::http::StatusCode;
use serde_json::json;

#[tokio::test]
async fn secrets_are_sealed_and_never_shown() {
    let app = App::start().await;
    let id = app.telegram("bot").await;
    let path = format!("/api/v1/integrations/{id}");
    let shown = app.get(&path).await.body;
    assert_eq!(shown["config"], json!({"account": "@jar"}));
    assert_eq!(
        shown["secrets"],
        json!({"bot_token": true, "webhook_secret": true})
    );
    assert_eq!(shown["agent_ids"], json!(null));
    let list = app.get("/api/v1/integrations").await.body.to_string();
    assert!(
        !list.contains("canary") && !list.contains("enc:v1"),
        "{list}"
    );
    for file in std::fs::read_dir(app.file.path()).unwrap() {
        let bytes = std::fs::read(file.unwrap().path()).unwrap();
        assert!(!String::from_utf8_lossy(&bytes).contains("canary"));
    }
}

#[tokio::test]
async fn changes_merge_into_the_settings() {
    let app = App::start().await;
    let path = format!("/api/v1/integrations/{}", app.telegram("bot").await);
    let change =
        json!({"name": "other", "config": {"account": null, "colour": "red"}, "agent_ids": []});
    let changed = app.patch(&path, change).await;
    assert_eq!(changed.status, StatusCode::OK);
    assert_eq!(changed.body["config"], json!({"colour": "red"}));
    assert_eq!(changed.body["secrets"]["bot_token"], true);
    assert_eq!(changed.body["agent_ids"], json!([]));
    let refused = app
        .patch(&path, json!({"config": {"bot_token": null}}))
        .await;
    refused.is_problem(422, "validation_failed");
    assert_eq!(refused.body["errors"][0]["field"], "config.bot_token");
    let unknown = json!({"agent_ids": ["0190aaaa-0000-7000-8000-000000000000"]});
    app.patch(&path, unknown)
        .await
        .is_problem(422, "validation_failed");
    let taken = json!({"type": "telegram", "name": "other", "config": {"bot_token": "1"}});
    app.post("/api/v1/integrations", taken)
        .await
        .is_problem(409, "name_taken");
}

#[tokio::test]
async fn a_test_notes_what_the_vendor_said() {
    let app = App::start().await;
    let path = format!("/api/v1/integrations/{}", app.telegram("bot").await);
    let tested = app.post(&format!("{path}/test"), json!(null)).await.body;
    assert_eq!(
        tested,
        json!({"health": "ok", "account": "@jar", "detail": null})
    );
    app.patch(&path, json!({"config": {"account": null}})).await;
    let tested = app.post(&format!("{path}/test"), json!(null)).await.body;
    let detail = "refused: Unauthorized: /bot[redacted]/getMe";
    assert_eq!(
        tested,
        json!({"health": "failed", "account": null, "detail": detail})
    );
    let shown = app.get(&path).await.body;
    assert_eq!(
        (&shown["health"], &shown["health_detail"]),
        (&json!("failed"), &json!(detail))
    );
}

#[tokio::test]
async fn the_built_in_integration_cannot_be_touched() {
    let app = App::start().await;
    let list = app.get("/api/v1/integrations").await.body;
    assert_eq!(list["items"].as_array().unwrap().len(), 1);
    assert_eq!(list["items"][0]["type"], "web");
    let path = format!(
        "/api/v1/integrations/{}",
        list["items"][0]["id"].as_str().unwrap()
    );
    let create = json!({"type": "web", "name": "x", "config": {}});
    app.post("/api/v1/integrations", create)
        .await
        .is_problem(409, "built_in_integration");
    app.patch(&path, json!({"enabled": false}))
        .await
        .is_problem(409, "built_in_integration");
    app.delete(&path)
        .await
        .is_problem(409, "built_in_integration");
    let tested = app.post(&format!("{path}/test"), json!(null)).await;
    assert_eq!(tested.body["health"], "ok");
}
