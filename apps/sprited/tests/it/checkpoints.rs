//! Checkpoints as streams of lines.

use crate::support::Bench;
use reqwest::{Method, StatusCode};
use serde_json::json;

#[tokio::test]
async fn files_go_back_to_a_checkpoint_and_the_state_before_is_kept() {
    let bench = Bench::start().await;
    bench.sprite("a").await;
    bench.run("a", "echo one > file").await;
    let lines = bench
        .lines(
            Method::POST,
            "/v1/sprites/a/checkpoint",
            json!({"comment": "first"}),
        )
        .await;
    let last = lines.last().unwrap();
    assert_eq!(last["type"], "complete", "{lines:?}");
    let said = last["data"].as_str().unwrap();
    let id = said
        .strip_prefix("Checkpoint ")
        .unwrap()
        .strip_suffix(" created")
        .unwrap();
    assert!(id.starts_with('v'));
    bench.run("a", "echo two > file").await;
    let (_, one) = bench.get(&format!("/v1/sprites/a/checkpoints/{id}")).await;
    assert_eq!((&one["id"], &one["comment"]), (&json!(id), &json!("first")));
    assert!(one["create_time"].is_string());
    let path = format!("/v1/sprites/a/checkpoints/{id}/restore");
    let lines = bench.lines(Method::POST, &path, json!(null)).await;
    assert_eq!(
        lines.last().unwrap()["data"],
        format!("Restored to {id}"),
        "{lines:?}"
    );
    assert_eq!(bench.run("a", "cat file").await.stdout(), "one\n");
    let (_, listed) = bench.get("/v1/sprites/a/checkpoints").await;
    assert_eq!(listed.as_array().unwrap().len(), 1, "{listed}");
    let (_, all) = bench
        .get("/v1/sprites/a/checkpoints?includeAuto=true")
        .await;
    assert_eq!(all.as_array().unwrap().len(), 2, "{all}");
    assert_eq!(all[0]["is_auto"], true);
    let path = format!("/v1/sprites/a/checkpoints/{id}");
    let deleted = bench.ask(Method::DELETE, &path).send().await.unwrap();
    assert_eq!(deleted.status(), StatusCode::NO_CONTENT);
    for path in ["v99", "v99/restore"] {
        let method = if path.ends_with("restore") {
            Method::POST
        } else {
            Method::GET
        };
        let request = bench.ask(method, &format!("/v1/sprites/a/checkpoints/{path}"));
        assert_eq!(
            request.send().await.unwrap().status(),
            StatusCode::NOT_FOUND
        );
    }
    bench.stop().await;
}

#[tokio::test]
async fn a_checkpoint_needs_no_body() {
    let bench = Bench::start().await;
    bench.sprite("a").await;
    bench.run("a", "true").await;
    let response = bench
        .ask(Method::POST, "/v1/sprites/a/checkpoint")
        .send()
        .await
        .unwrap();
    assert_eq!(response.headers()["content-type"], "application/x-ndjson");
    let text = response.text().await.unwrap();
    assert!(text.lines().last().unwrap().contains("complete"), "{text}");
    bench.stop().await;
}
