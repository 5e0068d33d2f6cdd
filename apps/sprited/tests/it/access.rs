//! Who may ask: nothing answers without a token, under a foreign name or to a foreign page.

use crate::support::{Bench, TOKEN};
use reqwest::{Method, StatusCode};
use serde_json::json;

/// Every path of the API with one method it has.
const PATHS: [(&str, &str); 41] = [
    ("GET", "/v1/sprites"),
    ("POST", "/v1/sprites"),
    ("GET", "/v1/sprites/there"),
    ("PUT", "/v1/sprites/there"),
    ("DELETE", "/v1/sprites/there"),
    ("POST", "/v1/sprites/there/upgrade"),
    ("POST", "/v1/sprites/there/restart"),
    ("GET", "/v1/sprites/there/check"),
    ("GET", "/v1/sprites/there/control"),
    ("GET", "/v1/sprites/there/exec"),
    ("POST", "/v1/sprites/there/exec"),
    ("GET", "/v1/sprites/there/exec/1"),
    ("POST", "/v1/sprites/there/exec/1/kill"),
    ("GET", "/v1/sprites/there/proxy"),
    ("GET", "/v1/sprites/there/ports/watch"),
    ("GET", "/v1/sprites/there/fs/read"),
    ("PUT", "/v1/sprites/there/fs/write"),
    ("GET", "/v1/sprites/there/fs/list"),
    ("DELETE", "/v1/sprites/there/fs/delete"),
    ("POST", "/v1/sprites/there/fs/rename"),
    ("POST", "/v1/sprites/there/fs/copy"),
    ("POST", "/v1/sprites/there/fs/chmod"),
    ("POST", "/v1/sprites/there/fs/chown"),
    ("GET", "/v1/sprites/there/fs/watch"),
    ("POST", "/v1/sprites/there/checkpoint"),
    ("GET", "/v1/sprites/there/checkpoints"),
    ("GET", "/v1/sprites/there/checkpoints/v1"),
    ("DELETE", "/v1/sprites/there/checkpoints/v1"),
    ("POST", "/v1/sprites/there/checkpoints/v1/restore"),
    ("GET", "/v1/sprites/there/policy/network"),
    ("GET", "/v1/sprites/there/policy/privileges"),
    ("GET", "/v1/sprites/there/policy/resources"),
    ("GET", "/v1/sprites/there/services"),
    ("POST", "/v1/sprites/there/services/signal"),
    ("GET", "/v1/sprites/there/services/web"),
    ("PUT", "/v1/sprites/there/services/web"),
    ("DELETE", "/v1/sprites/there/services/web"),
    ("POST", "/v1/sprites/there/services/web/start"),
    ("POST", "/v1/sprites/there/services/web/restart"),
    ("POST", "/v1/sprites/there/services/web/stop"),
    ("GET", "/v1/sprites/there/services/web/logs"),
];

#[tokio::test]
async fn nothing_but_health_answers_without_a_token() {
    let bench = Bench::start().await;
    bench.sprite("there").await;
    let elsewhere = [
        ("GET", "/"),
        ("GET", "/v1/nothing"),
        ("PATCH", "/v1/sprites"),
    ];
    for (method, path) in PATHS.into_iter().chain(elsewhere) {
        let method: Method = method.parse().unwrap();
        for token in [
            None,
            Some("wrong-token-0123456789"),
            Some(&TOKEN[1..]),
            Some(""),
        ] {
            let mut request = bench.bare(method.clone(), path);
            if let Some(token) = token {
                request = request.bearer_auth(token);
            }
            let response = request.send().await.unwrap();
            assert_eq!(
                response.status(),
                StatusCode::UNAUTHORIZED,
                "{method} {path}"
            );
            assert_eq!(response.headers()["sprite-version"], "v0.0.1-rc48");
            let body: serde_json::Value = response.json().await.unwrap();
            assert_eq!(body["error"], "unauthorized");
        }
    }
    let health = bench.bare(Method::GET, "/healthz").send().await.unwrap();
    assert_eq!(health.status(), StatusCode::OK);
    let health: serde_json::Value = health.json().await.unwrap();
    assert!(["namespaces", "landlock", "plain"].contains(&health["tier"].as_str().unwrap()));
    bench.stop().await;
}

#[tokio::test]
async fn every_path_is_there_with_a_token() {
    let bench = Bench::start().await;
    bench.sprite("there").await;
    for (method, path) in PATHS {
        // These end the sprite or what the rest needs.
        if (method, path) == ("DELETE", "/v1/sprites/there") {
            continue;
        }
        let request = bench.ask(method.parse().unwrap(), path);
        let response = request.send().await.unwrap();
        let status = response.status();
        let text = response.text().await.unwrap();
        assert!(
            !text.contains("nothing at this path"),
            "{method} {path}: {text}"
        );
        assert!(
            !status.is_server_error() || status == StatusCode::NOT_IMPLEMENTED,
            "{method} {path}: {text}"
        );
    }
    let (status, body) = bench.get("/v1/sprites/there/control").await;
    assert_eq!(status, StatusCode::NOT_FOUND);
    assert_eq!(body["error"], "control not supported");
    bench.stop().await;
}

#[tokio::test]
async fn sprites_that_are_not_there_are_said_to_be_missing_on_every_path() {
    let bench = Bench::start().await;
    for (method, path) in PATHS {
        if !path.starts_with("/v1/sprites/there") || path.ends_with("/control") {
            continue;
        }
        let path = path.replace("there", "gone");
        let request = bench.ask(method.parse().unwrap(), &path);
        let response = request.send().await.unwrap();
        assert_eq!(response.status(), StatusCode::NOT_FOUND, "{method} {path}");
        let body: serde_json::Value = response.json().await.unwrap();
        assert_eq!(body["error"], "sprite not found", "{method} {path}");
    }
    let refused = bench.socket("/v1/sprites/gone/exec?cmd=true").await;
    let refused = refused.err().unwrap();
    assert_eq!(refused.status(), 404);
    let body = refused.into_body().unwrap_or_default();
    assert!(String::from_utf8_lossy(&body).contains("sprite not found"));
    bench.stop().await;
}

#[tokio::test]
async fn requests_under_a_foreign_name_or_from_a_foreign_page_are_refused() {
    let bench = Bench::with(|settings| {
        settings.hosts = vec!["sprites.example".to_owned()];
        settings.origins = vec!["https://good.example".to_owned()];
    })
    .await;
    let asked = async |name: &str, value: &str| {
        let request = bench.ask(Method::GET, "/v1/sprites").header(name, value);
        request.send().await.unwrap().status()
    };
    for host in [
        "evil.example",
        "127.0.0.1.evil.example",
        "localhost.evil.example:8090",
    ] {
        assert_eq!(asked("host", host).await, StatusCode::FORBIDDEN, "{host}");
    }
    for host in [
        "localhost",
        "LOCALHOST:1",
        "127.0.0.1:8090",
        "[::1]:8090",
        "sprites.example:8090",
    ] {
        assert_eq!(asked("host", host).await, StatusCode::OK, "{host}");
    }
    for origin in ["https://evil.example", "http://localhost:3000", "null"] {
        assert_eq!(
            asked("origin", origin).await,
            StatusCode::FORBIDDEN,
            "{origin}"
        );
    }
    assert_eq!(
        asked("origin", "https://good.example").await,
        StatusCode::OK
    );
    bench.stop().await;
}

#[tokio::test]
async fn an_answer_is_never_compressed_and_always_says_the_version() {
    let bench = Bench::start().await;
    let request = bench
        .ask(Method::GET, "/v1/sprites")
        .header("accept-encoding", "gzip, deflate");
    let response = request.send().await.unwrap();
    assert!(!response.headers().contains_key("content-encoding"));
    bench.sprite("a").await;
    let socket = bench.exec("a", &[("cmd", "true")]).await;
    let headers = socket.answer.headers();
    assert_eq!(headers["sprite-version"], "v0.0.1-rc48");
    assert_eq!(headers["x-sprite-capabilities"], "signal");
    assert!(!headers.contains_key("sec-websocket-extensions"));
    assert_eq!(socket.rest().await.code(), 0);
    let head = bench
        .ask(Method::HEAD, "/v1/sprites/a/exec")
        .send()
        .await
        .unwrap();
    assert_eq!(head.status(), StatusCode::OK);
    assert_eq!(head.headers()["sprite-version"], "v0.0.1-rc48");
    let bad = bench.post("/v1/sprites", json!("no object")).await;
    assert_eq!(bad.0, StatusCode::BAD_REQUEST);
    bench.stop().await;
}
