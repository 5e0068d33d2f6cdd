//! The command line: exit codes, messages, and what the commands print.

use crate::app::{App, Options, command};
use serde_json::Value;
use std::{
    ffi::OsStr,
    fs,
    os::unix::{ffi::OsStrExt, fs::PermissionsExt},
};

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
        (
            "DATABASE_URL",
            "sqlite://x.db?mode=ro",
            "DATABASE_URL: must be sqlite://<path> without a query",
        ),
        ("RUST_LOG", "nonsense=loud", "RUST_LOG: `nonsense=loud`"),
        ("ENCRYPTION_KEY", "short-canary-key", "ENCRYPTION_KEY"),
    ] {
        let options = Options {
            env: vec![(name, value.to_owned())],
            ..Options::default()
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
        .env("AGENT_MODEL", OsStr::from_bytes(b"\xff"))
        .output()
        .await
        .unwrap();
    assert_eq!(ended.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&ended.stderr).contains("AGENT_MODEL: is not valid UTF-8"));
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
    let database = app.dir.path().join("data/nitejar.db");
    let elsewhere = tempfile::tempdir().unwrap();
    let url = ("DATABASE_URL", format!("sqlite://{}", database.display()));
    for (dir, env) in [(app.dir.path(), vec![]), (elsewhere.path(), vec![url])] {
        let before = fs::read(&database).unwrap();
        let ended = command(
            dir,
            &Options {
                env,
                ..Options::default()
            },
        )
        .output()
        .await
        .unwrap();
        assert_eq!(ended.status.code(), Some(2));
        let text = String::from_utf8_lossy(&ended.stderr);
        assert!(
            text.contains("another nitejar process is running"),
            "{text}"
        );
        assert_eq!(fs::read(&database).unwrap(), before);
    }
    assert!(!elsewhere.path().join("data").exists());
}

#[tokio::test]
async fn an_owners_token_that_could_not_be_written_is_made_at_the_next_start() {
    let dir = tempfile::tempdir().unwrap();
    let in_the_way = dir.path().join("data/admin.token");
    fs::create_dir_all(&in_the_way).unwrap();
    let options = || Options {
        env: vec![("NITEJAR_ADMIN_TOKEN", String::new())],
        ..Options::default()
    };
    let ended = command(dir.path(), &options()).output().await.unwrap();
    assert_eq!(ended.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&ended.stderr).contains("admin.token cannot be written"));
    fs::remove_dir(&in_the_way).unwrap();
    let app = App::start_in(dir, options()).await;
    let token = fs::read_to_string(&in_the_way).unwrap();
    let agents = crate::app::client()
        .get(format!("{}/api/v1/agents", app.url))
        .bearer_auth(token.trim());
    assert!(agents.send().await.unwrap().status().is_success());
}

#[tokio::test]
async fn the_first_start_writes_the_owners_token_once_and_never_prints_it() {
    let dir = tempfile::tempdir().unwrap();
    let options = Options {
        env: vec![("NITEJAR_ADMIN_TOKEN", String::new())],
        ..Options::default()
    };
    let app = App::start_in(dir, options).await;
    let token = fs::read_to_string(app.dir.path().join("data/admin.token")).unwrap();
    let agents = crate::app::client()
        .get(format!("{}/api/v1/agents", app.url))
        .bearer_auth(token.trim());
    assert!(agents.send().await.unwrap().status().is_success());
    assert!(!app.log().contains(token.trim()));
    let mode = fs::metadata(app.dir.path().join("data/admin.token"))
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
