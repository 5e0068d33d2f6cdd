//! Commands over a WebSocket, message by message, and over plain HTTP.

use crate::support::Bench;
use reqwest::{Method, StatusCode};
use serde_json::json;
use std::time::Duration;
use tokio_tungstenite::tungstenite::Message;

#[tokio::test]
async fn messages_come_in_the_order_that_clients_rely_on() {
    let bench = Bench::start().await;
    bench.sprite("a").await;
    let run = bench.run("a", "echo out; echo err >&2; exit 7").await;
    let kinds: Vec<String> = run
        .messages
        .iter()
        .map(|message| match message {
            Message::Text(text) => {
                let text: serde_json::Value = serde_json::from_str(text).unwrap();
                text["type"].as_str().unwrap().to_owned()
            }
            Message::Binary(bytes) => bytes[0].to_string(),
            other => panic!("{other:?}"),
        })
        .collect();
    assert_eq!(kinds.first().unwrap(), "session_info");
    let (output, end) = kinds[1..].split_at(kinds.len() - 3);
    assert!(
        output.iter().all(|kind| kind == "1" || kind == "2"),
        "{kinds:?}"
    );
    assert_eq!(end, ["exit", "3"]);
    assert_eq!(run.frames().last().unwrap().as_ref(), [3, 7]);
    assert_eq!(
        (run.stdout(), run.stderr()),
        ("out\n".into(), "err\n".into())
    );
    assert_eq!(run.code(), 7);
    assert_eq!(u16::from(run.close.as_ref().unwrap().code), 1000);
    let info = &run.texts()[0];
    assert!(info["session_id"].is_string() && info["created"].is_i64());
    assert_eq!(
        (&info["is_owner"], &info["tty"]),
        (&json!(true), &json!(false))
    );
    bench.stop().await;
}

#[tokio::test]
async fn three_megabytes_arrive_whole_in_frames_of_32_kib() {
    let bench = Bench::start().await;
    bench.sprite("a").await;
    let script = "head -c 3000000 /dev/zero | tr '\\0' 'x'; echo done >&2";
    let run = bench.run("a", script).await;
    let stdout = run.bytes(1);
    assert_eq!(stdout.len(), 3_000_000);
    assert!(stdout.iter().all(|byte| *byte == b'x'));
    assert!(run.frames().all(|frame| frame.len() <= (32 << 10) + 1));
    assert_eq!(run.stderr(), "done\n");
    bench.stop().await;
}

#[tokio::test]
async fn ends_by_a_signal_and_missing_programs_have_the_codes_of_shells() {
    let bench = Bench::start().await;
    bench.sprite("a").await;
    assert_eq!(bench.run("a", "kill -9 $$").await.code(), 137);
    let missing = bench.exec(
        "a",
        &[("cmd", "no-such-program"), ("path", "no-such-program")],
    );
    let missing = missing.await.rest().await;
    assert_eq!(missing.code(), 127);
    assert!(missing.stderr().contains("no-such-program"), "{missing:?}");
    let mut signalled = bench.exec("a", &[("cmd", "sleep"), ("cmd", "60")]).await;
    assert_eq!(signalled.text().await["type"], "session_info");
    signalled
        .say_json(json!({"type": "signal", "signal": "SIGTERM"}))
        .await;
    assert_eq!(signalled.rest().await.code(), 143);
    bench.stop().await;
}

#[tokio::test]
async fn input_arguments_environment_and_directory_arrive_unchanged() {
    let bench = Bench::start().await;
    bench.sprite("a").await;
    let mut cat = bench.exec("a", &[("cmd", "cat"), ("stdin", "true")]).await;
    cat.input(b"one ").await;
    cat.input(&[]).await;
    cat.say(Message::binary(vec![9, 9])).await;
    cat.say(Message::binary(Vec::new())).await;
    cat.input("zwei \u{1f600}\n".as_bytes()).await;
    cat.end_input().await;
    let cat = cat.rest().await;
    assert_eq!(cat.stdout(), "one zwei \u{1f600}\n");
    assert_eq!(cat.code(), 0);
    let odd = "a 'b' \"c\" $HOME \\ * é\n";
    let script = "printf '%s|%s|%s|' \"$1\" \"$V\" \"$PWD\"; command -v env >/dev/null";
    let parameters = [
        ("cmd", "sh"),
        ("cmd", "-c"),
        ("cmd", script),
        ("cmd", "sh"),
        ("cmd", odd),
        ("env", "V=x=y z"),
        ("dir", "/tmp"),
    ];
    let run = bench.exec("a", &parameters).await.rest().await;
    assert_eq!(run.stdout(), format!("{odd}|x=y z|/tmp|"));
    assert_eq!(run.code(), 0, "{run:?}");
    bench.stop().await;
}

#[tokio::test]
async fn a_terminal_is_raw_has_a_size_and_closes_with_its_code() {
    let bench = Bench::start().await;
    bench.sprite("a").await;
    let script = "stty size; read line; stty size; echo got $line; exit 3";
    let parameters = [
        ("cmd", "sh"),
        ("cmd", "-c"),
        ("cmd", script),
        ("tty", "true"),
        ("rows", "30"),
        ("cols", "100"),
    ];
    let mut terminal = bench.exec("a", &parameters).await;
    let info = terminal.text().await;
    assert_eq!(
        (&info["tty"], &info["rows"], &info["cols"]),
        (&json!(true), &json!(30), &json!(100))
    );
    terminal.until("30 100").await;
    terminal
        .say_json(json!({"type": "resize", "cols": 90, "rows": 20}))
        .await;
    terminal.say(Message::binary(b"word\n".to_vec())).await;
    let run = terminal.rest().await;
    let all: String = run
        .frames()
        .map(|frame| String::from_utf8_lossy(frame))
        .collect();
    assert!(all.contains("20 90") && all.contains("got word"), "{all}");
    assert_eq!(run.code(), 3);
    assert_eq!(u16::from(run.close.unwrap().code), 4003);
    let usual = bench.exec("a", &[("cmd", "stty"), ("cmd", "size"), ("tty", "true")]);
    let usual = usual.await.rest().await;
    assert!(
        usual.frames().any(|frame| frame.starts_with(b"24 80")),
        "{usual:?}"
    );
    assert_eq!(u16::from(usual.close.unwrap().code), 1000);
    bench.stop().await;
}

#[tokio::test]
async fn a_silent_command_says_that_it_lives() {
    let bench = Bench::with(|settings| settings.keepalive = Duration::from_millis(50)).await;
    bench.sprite("a").await;
    let mut silent = bench.exec("a", &[("cmd", "cat"), ("stdin", "true")]).await;
    assert_eq!(silent.text().await["type"], "session_info");
    assert_eq!(silent.text().await["type"], "keepalive");
    assert_eq!(silent.text().await["type"], "keepalive");
    silent.end_input().await;
    assert_eq!(silent.rest().await.code(), 0);
    bench.stop().await;
}

#[tokio::test]
async fn pings_are_answered_while_a_process_takes_no_input() {
    let bench = Bench::start().await;
    bench.sprite("a").await;
    let parameters = [("cmd", "sleep"), ("cmd", "1000"), ("stdin", "true")];
    let mut stuck = bench.exec("a", &parameters).await;
    for _ in 0..20 {
        stuck.input(&vec![b'x'; 100_000]).await;
    }
    stuck.say(Message::Ping("still there".into())).await;
    stuck.pong("still there").await;
    stuck
        .say_json(json!({"type": "signal", "signal": "KILL"}))
        .await;
    assert_eq!(stuck.rest().await.code(), 137);
    bench.stop().await;
}

#[tokio::test]
async fn a_query_that_makes_no_sense_is_refused_before_the_upgrade() {
    let bench = Bench::start().await;
    bench.sprite("a").await;
    for bad in [
        "env=novalue",
        "tty=perhaps",
        "rows=x",
        "max_run_after_disconnect=soon",
        "cmd=a%00b",
    ] {
        let refused = bench.socket(&format!("/v1/sprites/a/exec?{bad}")).await;
        assert_eq!(refused.err().unwrap().status(), 400, "{bad}");
    }
    bench.stop().await;
}

#[tokio::test]
async fn commands_run_over_plain_http() {
    let bench = Bench::start().await;
    bench.sprite("a").await;
    let script = "cat; echo err >&2; head -c 100000 /dev/zero; exit 5";
    let parameters = [
        ("stdin", "true"),
        ("cmd", "sh"),
        ("cmd", "-c"),
        ("cmd", script),
    ];
    let chunks = bench.chunks("a", &parameters, b"in\n").await;
    let of = |stream: u8| -> Vec<u8> {
        let own = chunks.iter().filter(|chunk| chunk[0] == stream);
        own.flat_map(|chunk| chunk[1..].to_vec()).collect()
    };
    let stdout = of(1);
    assert_eq!(stdout.len(), 100_003);
    assert!(stdout.starts_with(b"in\n") && stdout.ends_with(&[0; 1000]));
    assert_eq!(of(2), b"err\n");
    assert_eq!(chunks.last().unwrap(), &[3, 5]);
    assert!(chunks.iter().all(|chunk| chunk.len() <= (16 << 10) + 1));
    let large = bench.ask(Method::POST, "/v1/sprites/a/exec?stdin=true&cmd=cat");
    let large = large.body(vec![0; (10 << 20) + 1]).send().await.unwrap();
    assert_eq!(large.status(), StatusCode::PAYLOAD_TOO_LARGE);
    let terminal = bench
        .ask(Method::POST, "/v1/sprites/a/exec?tty=true")
        .send()
        .await
        .unwrap();
    assert_eq!(terminal.status(), StatusCode::BAD_REQUEST);
    bench.stop().await;
}
