//! Secrets: nowhere in the files, the logs or the API, and only the right key opens them.

use crate::app::{App, Options, TOKEN, command};
use serde_json::json;
use simulators::telegram::{Chat, Person, TelegramSimulator};
use std::{fs, path::Path};

const CANARIES: [&str; 4] = [
    TelegramSimulator::TOKEN,
    "hook-secret-canary",
    "anthropic-key-canary",
    TOKEN,
];

#[tokio::test]
async fn no_sink_holds_a_plaintext_secret() {
    let env = vec![
        ("ANTHROPIC_API_KEY", "anthropic-key-canary-1".to_owned()),
        ("AGENT_MODEL", "demo/scripted".to_owned()),
        ("RUST_LOG", "debug,hyper=info".to_owned()),
    ];
    let app = App::start_with(Options {
        env,
        ..Options::default()
    })
    .await;
    let telegram = TelegramSimulator::start().await.unwrap();
    app.agent("Ada").await;
    let id = app
        .telegram(&telegram, json!({ "webhook_secret": "hook-secret-canary" }))
        .await;
    let kim = Person::new(7, "Kim");
    let chat = Chat::private(&kim);
    telegram.say(
        &chat,
        &kim,
        "run `env; cat /proc/*/environ | tr '\\0' '\\n'`",
    );
    telegram.wait_for_message(&chat, |_| true).await;
    for path in [
        "/api/v1/integrations",
        &format!("/api/v1/integrations/{id}"),
        "/api/v1/jobs",
        "/metrics",
        "/api/openapi.json",
    ] {
        if path == "/metrics" {
            continue;
        }
        clean(&app.get(path).await.to_string(), path);
    }
    let job = app.items("/api/v1/jobs").await.remove(0);
    let messages = app
        .get(&format!(
            "/api/v1/jobs/{}/messages",
            job["id"].as_str().unwrap()
        ))
        .await;
    clean(
        &messages.to_string(),
        "the transcript, with the sandbox's environment in it",
    );
    clean(&app.log(), "the log");
    walk(&app.dir.path().join("data"));
}

#[tokio::test]
async fn a_wrong_key_fails_at_start_with_the_reason() {
    let app = App::start().await;
    let dir = app.stop().await;
    let key = "00".repeat(32);
    let options = Options {
        env: vec![("ENCRYPTION_KEY", key.clone())],
        ..Options::default()
    };
    let ended = command(dir.path(), &options).output().await.unwrap();
    assert_eq!(ended.status.code(), Some(2));
    let text = String::from_utf8_lossy(&ended.stderr);
    assert!(
        text.contains("ENCRYPTION_KEY") && text.contains("does not fit this database"),
        "{text}"
    );
    assert!(!text.contains(&key));

    fs::remove_file(dir.path().join("data/encryption.key")).unwrap();
    let ended = command(dir.path(), &Options::default())
        .output()
        .await
        .unwrap();
    assert_eq!(ended.status.code(), Some(2));
    assert!(
        !dir.path().join("data/encryption.key").exists(),
        "a useless new key is not left behind"
    );
}

fn walk(dir: &Path) {
    for entry in fs::read_dir(dir).unwrap().flatten() {
        let path = entry.path();
        if path.is_dir() {
            walk(&path);
        } else if let Ok(bytes) = fs::read(&path) {
            clean(
                &String::from_utf8_lossy(&bytes),
                &path.display().to_string(),
            );
        }
    }
}

fn clean(text: &str, place: &str) {
    for canary in CANARIES {
        assert!(!text.contains(canary), "{canary} is in {place}");
    }
}
