//! The command line: exit codes, messages, and what the commands print.

use crate::app::{App, Options, command};
use serde_json::Value;
use std::os::unix::fs::PermissionsExt;

#[tokio::test]
async fn wrong_configuration_is_exit_code_2_with_the_way_out() {
    let dir = tempfile::tempdir().unwrap();
    for (name, value, says) in [
        ("PORT", "x", "PORT: `x` is not a port number"),
        (
            "DATABASE_URL",
            "mysql://x",
            "DATABASE_URL: must be sqlite://",
        ),
        ("OPENAI_API_KEY", "sk-canary-key", "AGENT_MODEL: is not set"),
        (
            "SANDBOX_MIN_TIER",
            "vm",
            "SANDBOX_MIN_TIER: `vm` is not namespaces, landlock or plain",
        ),
        ("ENCRYPTION_KEY", "short-canary-key", "ENCRYPTION_KEY"),
    ] {
        let options = Options {
            env: vec![(name, value.to_owned())],
        };
        let ended = command(dir.path(), &options).output().await.unwrap();
        let text = String::from_utf8_lossy(&ended.stderr);
        assert_eq!(ended.status.code(), Some(2), "{name}: {text}");
        assert!(
            text.contains(says) && !text.contains("canary"),
            "{name}: {text}"
        );
    }
    let ended = command(dir.path(), &Options::default())
        .arg("nonsense")
        .output()
        .await
        .unwrap();
    assert_eq!(ended.status.code(), Some(2));
}

#[tokio::test]
async fn the_document_needs_neither_configuration_nor_database() {
    let dir = tempfile::tempdir().unwrap();
    let ended = command(dir.path(), &Options::default())
        .arg("openapi")
        .output()
        .await
        .unwrap();
    let document: Value = serde_json::from_slice(&ended.stdout).unwrap();
    assert_eq!(document["openapi"], "3.1.0");
    assert!(!dir.path().join("data").exists());
}

#[tokio::test]
async fn a_second_server_on_the_same_directory_is_refused() {
    let app = App::start().await;
    let ended = command(app.dir.path(), &Options::default())
        .output()
        .await
        .unwrap();
    assert_eq!(ended.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&ended.stderr).contains("another nitejar server is running"));
}

#[tokio::test]
async fn the_first_start_writes_the_owners_token_once_and_never_prints_it() {
    let dir = tempfile::tempdir().unwrap();
    let options = Options {
        env: vec![("NITEJAR_ADMIN_TOKEN", String::new())],
    };
    let app = App::start_in(dir, options).await;
    let token = std::fs::read_to_string(app.dir.path().join("data/admin.token")).unwrap();
    let agents = crate::app::client()
        .get(format!("{}/api/v1/agents", app.url))
        .bearer_auth(token.trim());
    assert!(agents.send().await.unwrap().status().is_success());
    assert!(!app.log().contains(token.trim()));
    let mode = std::fs::metadata(app.dir.path().join("data/admin.token"))
        .unwrap()
        .permissions()
        .mode();
    assert_eq!(mode & 0o777, 0o600);
}

#[tokio::test]
async fn tokens_open_and_stop_opening() {
    let app = App::start().await;
    let run = async |words: &[&str]| {
        let ended = command(app.dir.path(), &Options::default())
            .args(words)
            .output()
            .await
            .unwrap();
        assert!(
            ended.status.success(),
            "{}",
            String::from_utf8_lossy(&ended.stderr)
        );
        String::from_utf8(ended.stdout).unwrap()
    };
    let made: Value = serde_json::from_str(
        &run(&[
            "token", "create", "--name", "ci", "--role", "viewer", "--json",
        ])
        .await,
    )
    .unwrap();
    let token = made["token"].as_str().unwrap();
    let status = async |method: reqwest::Method| {
        let request = crate::app::client()
            .request(method, format!("{}/api/v1/agents", app.url))
            .bearer_auth(token);
        request
            .json(&serde_json::json!({ "name": "Eve" }))
            .send()
            .await
            .unwrap()
            .status()
            .as_u16()
    };
    assert_eq!(status(reqwest::Method::GET).await, 200);
    assert_eq!(status(reqwest::Method::POST).await, 403);
    assert!(run(&["token", "list"]).await.contains("ci"));
    run(&["token", "revoke", made["row"]["id"].as_str().unwrap()]).await;
    assert_eq!(status(reqwest::Method::GET).await, 401);
}

#[tokio::test]
async fn doctor_says_what_is_there() {
    let dir = tempfile::tempdir().unwrap();
    let ended = command(dir.path(), &Options::default())
        .args(["doctor", "--json"])
        .output()
        .await
        .unwrap();
    let report: Value = serde_json::from_slice(&ended.stdout).unwrap();
    assert_eq!(report["ok"], true, "{report}");
}
