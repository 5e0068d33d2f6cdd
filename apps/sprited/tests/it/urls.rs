//! Ports of a sprite: through a tunnel, watched, and behind its URL.

use crate::support::{Bench, TOKEN};
use reqwest::{Method, StatusCode};
use serde_json::json;
use tokio_tungstenite::tungstenite::Message;

/// Answers every request with its head, and a line of its own.
const SERVER: &str = r#"
import http.server
class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        body = (self.path + "\n" + str(self.headers)).encode()
        self.send_response(200)
        self.send_header("x-from", "sprite")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
http.server.HTTPServer(("127.0.0.1", PORT), Handler).serve_forever()
"#;

/// Whether a program of the sprite can listen: one tier forbids it, and it takes Python to try.
async fn can_listen(bench: &Bench) -> bool {
    let script = "command -v python3 >/dev/null || exit 3
        exec python3 -c 'import socket; socket.create_server((\"127.0.0.1\", 0))'";
    let tried = bench.run("a", script).await;
    let landlock = bench.get("/healthz").await.1["tier"] == "landlock";
    let can = tried.code() == 0;
    assert!(can || landlock || tried.code() == 3, "{tried:?}");
    can
}

/// Something that listens on a port, or `false` where nothing can.
async fn listen(bench: &Bench, port: u16) -> bool {
    if !can_listen(bench).await {
        return false;
    }
    let script = SERVER.replace("PORT", &port.to_string());
    let definition =
        json!({"cmd": "python3", "args": ["-c", script], "needs": [], "http_port": port});
    bench
        .lines(
            Method::PUT,
            "/v1/sprites/a/services/web?duration=100ms",
            definition,
        )
        .await;
    loop {
        let mut socket = bench.socket("/v1/sprites/a/proxy").await.ok().unwrap();
        socket
            .say_json(json!({"host": "localhost", "port": port}))
            .await;
        if socket.text().await["status"] == "connected" {
            return true;
        }
    }
}

#[tokio::test]
async fn bytes_pass_through_a_tunnel_to_a_port_of_the_sprite_alone() {
    let bench = Bench::start().await;
    bench.sprite("a").await;
    if !listen(&bench, 18081).await {
        return;
    }
    let mut socket = bench.socket("/v1/sprites/a/proxy").await.ok().unwrap();
    socket
        .say_json(json!({"host": "localhost", "port": 18081}))
        .await;
    let answer = socket.text().await;
    assert_eq!(
        answer,
        json!({"status": "connected", "target": "localhost:18081"})
    );
    let request = b"GET /through HTTP/1.0\r\n\r\n".to_vec();
    socket.say(Message::binary(request)).await;
    let run = socket.rest().await;
    let all: Vec<u8> = run.frames().flat_map(|frame| frame.to_vec()).collect();
    assert!(String::from_utf8_lossy(&all).contains("/through"));
    assert_eq!(u16::from(run.close.unwrap().code), 1000);
    for refused in [
        json!({"host": "169.254.169.254", "port": 80}),
        json!({"host": "localhost", "port": 1}),
        json!({"port": "x"}),
    ] {
        let mut socket = bench.socket("/v1/sprites/a/proxy").await.ok().unwrap();
        socket.say_json(refused.clone()).await;
        let answer = socket.text().await;
        assert_ne!(answer["status"], "connected", "{refused}");
        assert!(!answer["error"].as_str().unwrap().is_empty());
    }
    bench.stop().await;
}

#[tokio::test]
async fn watchers_hear_of_ports_that_open_and_close() {
    let bench = Bench::start().await;
    bench.sprite("a").await;
    if !can_listen(&bench).await {
        return;
    }
    let mut watch = bench
        .socket("/v1/sprites/a/ports/watch")
        .await
        .ok()
        .unwrap();
    assert_eq!(watch.text().await["type"], "port_list");
    let script = "import socket; s = socket.create_server(('127.0.0.1', 18082)); input()";
    let parameters = [
        ("cmd", "python3"),
        ("cmd", "-c"),
        ("cmd", script),
        ("stdin", "true"),
    ];
    let mut server = bench.exec("a", &parameters).await;
    server.text().await;
    let mut news = async |kind: &str| loop {
        let message = watch.text().await;
        if message["port"] == 18082 {
            assert_eq!(
                (&message["type"], &message["address"]),
                (&json!(kind), &json!("127.0.0.1"))
            );
            return;
        }
    };
    news("port_opened").await;
    server.end_input().await;
    server.rest().await;
    news("port_closed").await;
    bench.stop().await;
}

#[tokio::test]
async fn the_url_of_a_sprite_leads_to_its_service_and_keeps_our_token_from_it() {
    let bench = Bench::start().await;
    bench.sprite("a").await;
    if !listen(&bench, 18083).await {
        return;
    }
    let ask = |token: Option<&str>, host: &str| {
        let request = bench
            .bare(Method::GET, "/page?x=1")
            .header("host", format!("{host}:1"));
        match token {
            Some(token) => request.bearer_auth(token).send(),
            None => request.send(),
        }
    };
    assert_eq!(
        ask(None, "a.localhost").await.unwrap().status(),
        StatusCode::UNAUTHORIZED
    );
    let answer = ask(Some(TOKEN), "a.localhost").await.unwrap();
    assert_eq!(answer.status(), StatusCode::OK);
    assert_eq!(answer.headers()["x-from"], "sprite");
    let text = answer.text().await.unwrap();
    assert!(text.starts_with("/page?x=1\n"), "{text}");
    assert!(!text.contains(TOKEN), "{text}");
    assert_eq!(
        ask(Some(TOKEN), "none.localhost").await.unwrap().status(),
        StatusCode::NOT_FOUND
    );
    assert_eq!(
        ask(None, "none.localhost").await.unwrap().status(),
        StatusCode::UNAUTHORIZED
    );
    let public = json!({"url_settings": {"auth": "public"}});
    bench.send(Method::PUT, "/v1/sprites/a", public).await;
    assert_eq!(
        ask(None, "a.localhost").await.unwrap().status(),
        StatusCode::OK
    );
    let own = ask(Some("a-token-of-the-page-itself"), "a.localhost")
        .await
        .unwrap();
    assert!(
        own.text()
            .await
            .unwrap()
            .contains("a-token-of-the-page-itself")
    );
    bench.sprite("b").await;
    let answer = ask(Some(TOKEN), "b.localhost").await.unwrap();
    assert_eq!(answer.status(), StatusCode::BAD_GATEWAY);
    bench.stop().await;
}
