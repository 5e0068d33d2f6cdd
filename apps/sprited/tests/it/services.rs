//! Services as streams of lines.

use crate::support::Bench;
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

const WEB: &str = "/v1/sprites/a/services/web";

fn kinds(lines: &[Value]) -> Vec<&str> {
    lines
        .iter()
        .map(|line| line["type"].as_str().unwrap())
        .collect()
}

#[tokio::test]
async fn a_service_is_defined_followed_and_listed() {
    let bench = Bench::start().await;
    bench.sprite("a").await;
    assert_eq!(bench.get("/v1/sprites/a/services").await.1, json!([]));
    let script = "echo up $V; echo bad >&2; exec sleep 1000";
    let definition = json!({"cmd": "sh", "args": ["-c", script], "env": {"V": "1"}, "needs": [], "httpPort": 8081});
    let lines = bench
        .lines(Method::PUT, &format!("{WEB}?duration=2s"), definition)
        .await;
    assert_eq!(lines[0]["type"], "started");
    let told = |kind: &str, data: &str| {
        lines
            .iter()
            .any(|line| line["type"] == kind && line["data"] == data)
    };
    assert!(told("stdout", "up 1") && told("stderr", "bad"), "{lines:?}");
    assert_eq!(lines.last().unwrap()["type"], "complete");
    assert!(
        lines
            .iter()
            .all(|line| line["timestamp"].as_u64().unwrap() > 1_700_000_000_000)
    );
    let (_, web) = bench.get(WEB).await;
    assert_eq!(
        (&web["cmd"], &web["args"]),
        (&json!("sh"), &json!(["-c", script]))
    );
    assert_eq!(
        (&web["http_port"], &web["env"]),
        (&json!(8081), &json!({"V": "1"}))
    );
    assert_eq!(web["state"]["status"], "running");
    let (_, list) = bench.get("/v1/sprites/a/services").await;
    assert_eq!(list, json!([web]));
    let other = json!({"cmd": "sleep", "args": ["1"], "needs": [], "http_port": 9000});
    let (status, body) = bench
        .send(Method::PUT, "/v1/sprites/a/services/other", other)
        .await;
    assert_eq!(status, StatusCode::CONFLICT, "{body}");
    bench.stop().await;
}

#[tokio::test]
async fn a_service_is_stopped_started_and_forgotten() {
    let bench = Bench::start().await;
    bench.sprite("a").await;
    let definition = json!({"cmd": "sh", "args": ["-c", "echo up; exec sleep 1000"], "needs": []});
    bench
        .lines(Method::PUT, &format!("{WEB}?duration=500ms"), definition)
        .await;
    let lines = bench
        .lines(Method::POST, &format!("{WEB}/stop?timeout=5s"), json!(null))
        .await;
    assert_eq!(kinds(&lines), ["stopping", "stopped", "complete"]);
    let (status, _) = bench.post(&format!("{WEB}/stop"), json!(null)).await;
    assert_eq!(status, StatusCode::CONFLICT);
    let lines = bench
        .lines(
            Method::POST,
            &format!("{WEB}/start?duration=1"),
            json!(null),
        )
        .await;
    assert_eq!(kinds(&lines)[0], "started");
    let lines = bench
        .lines(
            Method::POST,
            &format!("{WEB}/restart?duration=500ms"),
            json!(null),
        )
        .await;
    assert_eq!(kinds(&lines)[..3], ["stopping", "stopped", "started"]);
    let lines = bench
        .lines(Method::GET, &format!("{WEB}/logs?lines=2"), json!(null))
        .await;
    assert_eq!(lines.len(), 3, "{lines:?}");
    let deleted = bench.ask(Method::DELETE, WEB).send().await.unwrap();
    assert_eq!(deleted.status(), StatusCode::NO_CONTENT);
    assert_eq!(bench.get(WEB).await.0, StatusCode::NOT_FOUND);
    bench.stop().await;
}

#[tokio::test]
async fn signals_reach_services_that_run() {
    let bench = Bench::start().await;
    bench.sprite("a").await;
    let script = "trap 'echo heard' USR1; while :; do sleep 0.1; done";
    let definition = json!({"cmd": "sh", "args": ["-c", script], "needs": []});
    bench
        .lines(Method::PUT, &format!("{WEB}?duration=500ms"), definition)
        .await;
    let signal = async |name: &str, signal: &str| {
        let body = json!({"name": name, "signal": signal});
        bench.post("/v1/sprites/a/services/signal", body).await.0
    };
    assert_eq!(signal("web", "SIGUSR1").await, StatusCode::NO_CONTENT);
    assert_eq!(signal("web", "NOTHING").await, StatusCode::BAD_REQUEST);
    assert_eq!(signal("none", "TERM").await, StatusCode::NOT_FOUND);
    let lines = bench
        .lines(Method::GET, &format!("{WEB}/logs?duration=1s"), json!(null))
        .await;
    assert!(
        lines.iter().any(|line| line["data"] == "heard"),
        "{lines:?}"
    );
    bench.stop().await;
}
