//! Sessions: listed, attached to, left behind and ended.

use crate::support::{Bench, Socket};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use tokio_tungstenite::tungstenite::Message;

/// A loop that answers each line and ends with `end`.
const ECHO: &str =
    "echo ready; while read line; do [ \"$line\" = end ] && exit 4; echo got $line; done";

async fn echo(bench: &Bench, more: &[(&str, &str)]) -> (Socket, String) {
    let start = [
        ("cmd", "sh"),
        ("cmd", "-c"),
        ("cmd", ECHO),
        ("stdin", "true"),
    ];
    let parameters = [&start[..], more].concat();
    let mut socket = bench.exec("a", &parameters).await;
    let info = socket.text().await;
    socket.until("ready").await;
    (socket, info["session_id"].as_str().unwrap().to_owned())
}

async fn sessions(bench: &Bench) -> Vec<Value> {
    let (status, body) = bench.get("/v1/sprites/a/exec").await;
    assert_eq!(status, StatusCode::OK, "{body}");
    let sessions = body["sessions"].as_array().unwrap().clone();
    assert_eq!(body["count"], sessions.len());
    sessions
}

/// Waits until no session is left.
async fn until_none(bench: &Bench) {
    while !sessions(bench).await.is_empty() {
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn a_session_is_listed_while_it_runs_and_taken_up_again_after_a_cut() {
    let bench = Bench::start().await;
    bench.sprite("a").await;
    let (mut first, id) = echo(&bench, &[("detachable", "true")]).await;
    first.input(b"one\n").await;
    first.until("got one").await;
    let listed = sessions(&bench).await;
    assert_eq!(listed.len(), 1);
    assert_eq!(listed[0]["id"], id);
    assert_eq!(listed[0]["is_active"], true);
    assert_eq!(listed[0]["tty"], false);
    assert!(
        listed[0]["command"]
            .as_str()
            .unwrap()
            .starts_with("sh -c echo ready")
    );
    first.cut();
    let path = format!("/v1/sprites/a/exec/{id}?stdin=true");
    let mut second = bench.socket(&path).await.ok().unwrap();
    let info = second.text().await;
    assert_eq!(
        (&info["session_id"], &info["is_owner"]),
        (&json!(id), &json!(false))
    );
    let earlier = second.until("got one").await;
    assert!(earlier.contains("ready"), "{earlier}");
    second.input(b"two\n").await;
    second.until("got two").await;
    second.input(b"end\n").await;
    assert_eq!(second.rest().await.code(), 4);
    until_none(&bench).await;
    let gone = bench.socket(&path).await.err().unwrap();
    assert_eq!(gone.status(), 404);
    let body = String::from_utf8(gone.into_body().unwrap()).unwrap();
    assert!(body.contains(&format!("session not found: {id}")), "{body}");
    bench.stop().await;
}

#[tokio::test]
async fn two_clients_share_a_session_and_one_of_them_came_the_old_way() {
    let bench = Bench::start().await;
    bench.sprite("a").await;
    let (mut first, id) = echo(&bench, &[]).await;
    let mut second = bench.exec("a", &[("id", &id), ("stdin", "true")]).await;
    assert_eq!(second.text().await["is_owner"], false);
    second.until("ready").await;
    second.input(b"from the second\n").await;
    first.until("got from the second").await;
    second.until("got from the second").await;
    first.input(b"end\n").await;
    assert_eq!(first.rest().await.code(), 4);
    assert_eq!(second.rest().await.code(), 4);
    bench.stop().await;
}

#[tokio::test]
async fn a_session_that_is_left_runs_as_long_as_it_was_told_to() {
    let bench = Bench::start().await;
    bench.sprite("a").await;
    let (short, _) = echo(&bench, &[("max_run_after_disconnect", "100ms")]).await;
    let (long, kept) = echo(&bench, &[("max_run_after_disconnect", "1h")]).await;
    short.cut();
    long.cut();
    let left = loop {
        let sessions = sessions(&bench).await;
        if sessions.len() < 2 {
            break sessions;
        }
        tokio::task::yield_now().await;
    };
    assert_eq!(left[0]["id"], kept);
    bench.stop().await;
}

async fn kill(
    bench: &Bench,
    id: &str,
    query: &str,
    body: Option<Value>,
) -> (StatusCode, Vec<Value>) {
    let path = format!("/v1/sprites/a/exec/{id}/kill{query}");
    let mut request = bench.ask(Method::POST, &path);
    if let Some(body) = body {
        request = request.json(&body);
    }
    let response = request.send().await.unwrap();
    let status = response.status();
    let text = response.text().await.unwrap();
    let lines = text.lines().map(|line| serde_json::from_str(line).unwrap());
    (status, lines.collect())
}

#[tokio::test]
async fn a_session_is_killed_as_any_client_says_it() {
    let bench = Bench::start().await;
    bench.sprite("a").await;
    let forms = [
        ("?signal=SIGTERM&timeout=10s", None),
        ("?signal=TERM&timeout=10", None),
        ("", Some(json!({"signal": "SIGTERM", "timeout": 10}))),
        ("", None),
    ];
    for (query, body) in forms {
        let (socket, id) = echo(&bench, &[]).await;
        let (status, lines) = kill(&bench, &id, query, body).await;
        assert_eq!(status, StatusCode::OK);
        let kinds: Vec<_> = lines
            .iter()
            .map(|line| line["type"].as_str().unwrap())
            .collect();
        assert_eq!(kinds, ["signal", "exited", "complete"], "{lines:?}");
        assert_eq!(lines[0]["signal"], "SIGTERM");
        assert_eq!(lines[2]["exit_code"], 143);
        assert_eq!(socket.rest().await.code(), 143);
        let (status, _) = kill(&bench, &id, "", None).await;
        assert!(
            [StatusCode::GONE, StatusCode::NOT_FOUND].contains(&status),
            "{status}"
        );
    }
    let (status, body) = kill(&bench, "999999", "", None).await;
    assert_eq!(status, StatusCode::NOT_FOUND);
    assert_eq!(body[0]["error"], "session not found: 999999");
    let (socket, id) = echo(&bench, &[]).await;
    let (status, _) = kill(&bench, &id, "?signal=SIGNOTHING", None).await;
    assert_eq!(status, StatusCode::BAD_REQUEST);
    let (_, lines) = kill(&bench, &id, "?signal=KILL&timeout=0s", None).await;
    assert_eq!(lines.last().unwrap()["type"], "complete");
    assert_eq!(socket.rest().await.code(), 137);
    bench.stop().await;
}

#[tokio::test]
async fn what_does_not_heed_a_signal_is_killed_when_its_time_is_up() {
    let bench = Bench::start().await;
    bench.sprite("a").await;
    let script = "trap '' TERM; echo ready; while :; do sleep 1; done";
    let parameters = [("cmd", "sh"), ("cmd", "-c"), ("cmd", script)];
    let mut socket = bench.exec("a", &parameters).await;
    let info = socket.text().await;
    socket.until("ready").await;
    let id = info["session_id"].as_str().unwrap();
    let (_, lines) = kill(&bench, id, "?signal=TERM&timeout=200ms", None).await;
    let kinds: Vec<_> = lines
        .iter()
        .map(|line| line["type"].as_str().unwrap())
        .collect();
    assert_eq!(kinds, ["signal", "timeout", "killed", "complete"]);
    assert_eq!(lines[3]["exit_code"], 137);
    assert_eq!(socket.rest().await.code(), 137);
    bench.stop().await;
}

#[tokio::test]
async fn input_that_was_sent_before_a_client_left_still_arrives() {
    let bench = Bench::start().await;
    bench.sprite("a").await;
    let script = "cat > got; mv got whole";
    let parameters = [
        ("cmd", "sh"),
        ("cmd", "-c"),
        ("cmd", script),
        ("stdin", "true"),
        ("detachable", "true"),
    ];
    let mut socket = bench.exec("a", &parameters).await;
    socket.text().await;
    socket.input(&vec![b'x'; 1_000_000]).await;
    socket.end_input().await;
    socket.say(Message::Close(None)).await;
    socket.rest().await;
    until_none(&bench).await;
    assert_eq!(
        bench.run("a", "wc -c < whole").await.stdout().trim(),
        "1000000"
    );
    bench.stop().await;
}
