//! Sprites as such: made, listed, watched, changed, restarted and ended.

use crate::support::Bench;
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

#[tokio::test]
async fn a_sprite_is_made_found_changed_and_ended() {
    let bench = Bench::start().await;
    let asked = json!({"name": "a", "labels": ["x", "y"], "config": {"ramMB": 1}, "wait_for_capacity": true});
    let (status, made) = bench.post("/v1/sprites", asked).await;
    assert_eq!(status, StatusCode::CREATED, "{made}");
    assert!(made["id"].as_str().unwrap().starts_with("sprite-"));
    assert_eq!(
        (&made["name"], &made["status"]),
        (&json!("a"), &json!("cold"))
    );
    assert_eq!(made["url_settings"], json!({"auth": "sprite"}));
    assert!(
        made["url"]
            .as_str()
            .unwrap()
            .starts_with("http://a.localhost:")
    );
    assert_eq!(made["labels"], json!(["x", "y"]));
    bench.run("a", "true").await;
    let (_, used) = bench.get("/v1/sprites/a").await;
    assert_ne!(used["status"], "cold");
    assert!(used["last_running_at"].is_string());
    assert_eq!(used["created_at"], made["created_at"]);
    let change = json!({"url_settings": {"auth": "public"}, "labels": ["z"]});
    let (status, changed) = bench.send(Method::PUT, "/v1/sprites/a", change).await;
    assert_eq!(
        (status, &changed["labels"]),
        (StatusCode::OK, &json!(["z"]))
    );
    assert_eq!(changed["url_settings"]["auth"], "public");
    let clear = json!({"clear_labels": true});
    let (_, cleared) = bench.send(Method::PUT, "/v1/sprites/a", clear).await;
    assert_eq!(
        (cleared.get("labels"), &cleared["url_settings"]["auth"]),
        (None, &json!("public"))
    );
    let (status, _) = bench.send(Method::PUT, "/v1/sprites/a", json!({})).await;
    assert_eq!(status, StatusCode::BAD_REQUEST);
    let delete = bench
        .ask(Method::DELETE, "/v1/sprites/a")
        .send()
        .await
        .unwrap();
    assert_eq!(delete.status(), StatusCode::NO_CONTENT);
    assert_eq!(bench.get("/v1/sprites/a").await.0, StatusCode::NOT_FOUND);
    let again = bench
        .ask(Method::DELETE, "/v1/sprites/a")
        .send()
        .await
        .unwrap();
    assert_eq!(again.status(), StatusCode::NOT_FOUND);
    bench.stop().await;
}

#[tokio::test]
async fn what_was_deleted_does_not_come_back_under_the_same_name() {
    let bench = Bench::start().await;
    bench.sprite("a").await;
    bench.run("a", "echo old > file").await;
    bench
        .ask(Method::DELETE, "/v1/sprites/a")
        .send()
        .await
        .unwrap();
    bench.sprite("a").await;
    assert_eq!(
        bench
            .run("a", "cat file 2>/dev/null || echo none")
            .await
            .stdout(),
        "none\n"
    );
    bench.stop().await;
}

#[tokio::test]
async fn a_list_has_pages_and_both_forms_of_counts() {
    let bench = Bench::start().await;
    for name in ["b1", "b2", "b3", "c"] {
        bench.sprite(name).await;
    }
    let (_, page) = bench.get("/v1/sprites?prefix=b&max_results=2").await;
    let names = |page: &Value| -> Vec<String> {
        let sprites = page["sprites"].as_array().unwrap();
        sprites
            .iter()
            .map(|sprite| sprite["name"].as_str().unwrap().to_owned())
            .collect()
    };
    assert_eq!(
        (names(&page), &page["has_more"]),
        (vec!["b1".into(), "b2".into()], &json!(true))
    );
    assert_eq!(
        (&page["cold"], &page["org"]["cold"]),
        (&json!(2), &json!(2))
    );
    assert_eq!(
        (&page["name"], &page["org"]["name"]),
        (&json!("local"), &json!("local"))
    );
    let token = page["next_continuation_token"].as_str().unwrap();
    let next = format!("/v1/sprites?prefix=b&max_results=2&continuation_token={token}");
    let (_, page) = bench.get(&next).await;
    assert_eq!(
        (names(&page), &page["has_more"]),
        (vec!["b3".into()], &json!(false))
    );
    assert!(page.get("next_continuation_token").is_none());
    for clamped in ["0", "-5", "100000"] {
        let (status, _) = bench
            .get(&format!("/v1/sprites?max_results={clamped}"))
            .await;
        assert_eq!(status, StatusCode::OK);
    }
    let (_, none) = bench.get("/v1/sprites?prefix=zzz").await;
    assert_eq!(none["sprites"], json!([]));
    bench.stop().await;
}

#[tokio::test]
async fn watchers_hear_of_each_sprite_and_of_its_waking() {
    let bench = Bench::start().await;
    bench.sprite("a").await;
    let request = bench
        .ask(Method::GET, "/v1/sprites?prefix=a")
        .header("accept", "application/x-ndjson");
    let mut response = request.send().await.unwrap();
    let mut next = async || -> Value {
        let chunk = response.chunk().await.unwrap().unwrap();
        serde_json::from_slice(&chunk).unwrap()
    };
    let first = next().await;
    assert_eq!(
        (&first["name"], &first["status"]),
        (&json!("a"), &json!("cold"))
    );
    assert_eq!(first["org"]["cold"], 1);
    bench.run("a", "true").await;
    let woken = next().await;
    assert_eq!(woken["name"], "a");
    assert_ne!(woken["status"], "cold");
    bench.stop().await;
}

#[tokio::test]
async fn sprites_and_their_files_are_there_after_a_restart_of_the_server() {
    let bench = Bench::start().await;
    bench.sprite("a").await;
    let (_, before) = bench.get("/v1/sprites/a").await;
    bench.run("a", "echo kept > file").await;
    let bench = Bench::again(bench.stop().await, |_| {}).await;
    let (_, after) = bench.get("/v1/sprites/a").await;
    assert_eq!(
        (&after["id"], &after["created_at"]),
        (&before["id"], &before["created_at"])
    );
    assert!(after["last_running_at"].is_string());
    assert_eq!(after["status"], "cold");
    assert_eq!(bench.run("a", "cat file").await.stdout(), "kept\n");
    bench.stop().await;
}

#[tokio::test]
async fn a_restart_of_a_sprite_ends_what_runs_in_it() {
    let bench = Bench::start().await;
    bench.sprite("a").await;
    let mut socket = bench.exec("a", &[("cmd", "sleep"), ("cmd", "1000")]).await;
    socket.text().await;
    let (status, body) = bench.post("/v1/sprites/a/restart", json!(null)).await;
    assert_eq!(
        (status, &body["sprite_name"]),
        (StatusCode::OK, &json!("a"))
    );
    assert!(body["machine_id"].is_string() && body["message"].is_string());
    assert_eq!(socket.rest().await.code(), 143);
    let (_, check) = bench.get("/v1/sprites/a/check").await;
    assert_eq!(
        (&check["status"], &check["sprite_name"]),
        (&json!("healthy"), &json!("a"))
    );
    let (status, _) = bench
        .post("/v1/sprites/a/upgrade", json!({"version": "x"}))
        .await;
    assert_eq!(status, StatusCode::NO_CONTENT);
    bench.stop().await;
}
