//! How many sprites there may be and how fast, and what may be a name.

use crate::support::Bench;
use reqwest::{Method, StatusCode};
use serde_json::json;

#[tokio::test]
async fn one_sprite_too_many_is_refused_with_the_documented_body() {
    let bench = Bench::with(|settings| settings.max_sprites = 1).await;
    bench.sprite("a").await;
    let (status, body) = bench.post("/v1/sprites", json!({"name": "b"})).await;
    assert_eq!(status, StatusCode::TOO_MANY_REQUESTS);
    assert_eq!(body["error"], "concurrent_sprite_limit_exceeded");
    assert_eq!(
        (&body["limit"], &body["current_count"]),
        (&json!(1), &json!(1))
    );
    let deleted = bench
        .ask(Method::DELETE, "/v1/sprites/a")
        .send()
        .await
        .unwrap();
    assert_eq!(deleted.status(), StatusCode::NO_CONTENT);
    bench.sprite("b").await;
    bench.stop().await;
}

#[tokio::test]
async fn sprites_made_too_fast_are_refused_with_the_documented_body_and_headers() {
    let bench = Bench::with(|settings| settings.creations_per_minute = 1).await;
    bench.sprite("a").await;
    let request = bench
        .ask(Method::POST, "/v1/sprites")
        .json(&json!({"name": "b"}));
    let response = request.send().await.unwrap();
    assert_eq!(response.status(), StatusCode::TOO_MANY_REQUESTS);
    let header =
        |name: &str| -> u64 { response.headers()[name].to_str().unwrap().parse().unwrap() };
    let wait = header("retry-after");
    assert!((1..=60).contains(&wait));
    assert_eq!(
        (header("x-ratelimit-limit"), header("x-ratelimit-remaining")),
        (1, 0)
    );
    assert!(header("x-ratelimit-reset") > 1_700_000_000);
    let body: serde_json::Value = response.json().await.unwrap();
    assert_eq!(body["error"], "sprite_creation_rate_limited");
    assert_eq!(
        (&body["limit"], &body["window_seconds"]),
        (&json!(1), &json!(60))
    );
    assert_eq!(body["retry_after_seconds"], wait);
    bench.stop().await;
}

#[tokio::test]
async fn a_name_is_used_once_and_is_a_label_of_a_host_name() {
    let bench = Bench::start().await;
    bench.sprite("a-1").await;
    let (status, body) = bench.post("/v1/sprites", json!({"name": "a-1"})).await;
    assert_eq!(status, StatusCode::CONFLICT, "{body}");
    for bad in [
        "",
        "A",
        "-a",
        "a-",
        "a_b",
        "a.b",
        "../a",
        "a/b",
        &"a".repeat(64),
    ] {
        let (status, body) = bench.post("/v1/sprites", json!({"name": bad})).await;
        assert_eq!(status, StatusCode::BAD_REQUEST, "{bad}: {body}");
        assert!(
            body["error"].as_str().unwrap().contains("cannot be a name"),
            "{body}"
        );
    }
    let (status, _) = bench.post("/v1/sprites", json!({"labels": []})).await;
    assert_eq!(status, StatusCode::BAD_REQUEST);
    bench.stop().await;
}
