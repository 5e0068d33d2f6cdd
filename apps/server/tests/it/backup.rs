//! Backups that are really restored: made while the server works, put in place elsewhere, and gone on with.

use crate::{
    ON_POSTGRES,
    app::{App, Home, Options, command},
};
use serde_json::{Value, json};
use simulators::telegram::{Chat, Person, TelegramSimulator};
use std::{
    fs,
    os::unix::fs::{DirBuilderExt, PermissionsExt},
    path::Path,
};

/// How a command ended: exit code, what it printed, what it complained of.
async fn nitejar(
    home: &Home,
    args: &[&str],
    env: Vec<(&'static str, String)>,
) -> (i32, String, String) {
    let options = Options {
        env,
        ..Options::default()
    };
    let ended = command(home.path(), &options)
        .envs(home.database())
        .args(args)
        .output()
        .await
        .unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    (
        ended.status.code().unwrap(),
        text(ended.stdout),
        text(ended.stderr),
    )
}

/// A fresh place with the key of another.
async fn with_key_of(other: &Home) -> Home {
    let home = Home::new().await;
    let data = home.path().join("data");
    fs::DirBuilder::new().mode(0o700).create(&data).unwrap();
    let key = "data/encryption.key";
    fs::copy(other.path().join(key), home.path().join(key)).unwrap();
    home
}

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o777
}

/// A stopped server with one finished job, and a backup of it.
async fn backed_up() -> (Home, String) {
    let app = App::start().await;
    app.agent("Ada").await;
    let mut events = app.events("/api/v1/events", None).await;
    app.hand_in("run `true`").await;
    app.finished_job(&mut events).await;
    drop(events);
    let backup = app.dir.path().join("backup").display().to_string();
    let (code, _, error) = nitejar(&app.dir, &["backup", &backup], vec![]).await;
    assert_eq!(code, 0, "{error}");
    (app.stop().await, backup)
}

#[tokio::test]
async fn a_job_backed_up_in_the_middle_of_a_command_goes_on_elsewhere_and_answers_once() {
    let app = App::start().await;
    let telegram = TelegramSimulator::start().await.unwrap();
    app.agent("Ada").await;
    app.telegram(&telegram, json!({})).await;
    let kim = Person::new(7, "Kim");
    let chat = Chat::private(&kim);
    let mut events = app.events("/api/v1/events", None).await;
    let asked = "run `echo begun; sleep 600` then run `echo carried-on`";
    telegram.say(&chat, &kim, asked);
    events.until(|e| e.name == "tool.output").await;
    drop(events);

    let shelf = app.dir.path().join("shelf");
    fs::create_dir(&shelf).unwrap();
    let place = shelf.display().to_string();
    let (code, said, error) = nitejar(&app.dir, &["backup", &place, "--json"], vec![]).await;
    assert_eq!(code, 0, "{error}");
    let report: Value = serde_json::from_str(&said).unwrap();
    let backup = report["backup"].as_str().unwrap().to_owned();
    assert!(backup.starts_with(&place), "{backup}");
    let (kind, file) = if ON_POSTGRES {
        ("postgres", "nitejar.dump")
    } else {
        ("sqlite", "nitejar.db")
    };
    assert_eq!(report["manifest"]["database"], kind);
    assert!(report["manifest"]["key_id"].is_string());
    assert_eq!(report["not_included"], json!(["encryption_key", "sprites"]));
    let folder = Path::new(&backup);
    assert_eq!(mode(folder), 0o700);
    for file in [file, "manifest.json"] {
        assert_eq!(mode(&folder.join(file)), 0o600);
    }
    let left: Vec<_> = fs::read_dir(&shelf).unwrap().collect();
    assert_eq!(left.len(), 1, "{left:?}");

    let dead = app.kill().await;
    let dir = with_key_of(&dead).await;
    let (code, said, error) = nitejar(&dir, &["restore", &backup], vec![]).await;
    assert_eq!(code, 0, "{error}");
    assert!(said.contains("is as it was at"), "{said}");
    if !ON_POSTGRES {
        assert_eq!(mode(&dir.path().join("data/nitejar.db")), 0o600);
    }

    let app = App::start_in(dir, Options::default()).await;
    let reply = telegram.wait_for_message(&chat, |_| true).await;
    assert!(reply.text.contains("carried-on"), "{}", reply.text);
    let jobs = app.items("/api/v1/jobs").await;
    assert_eq!((jobs.len(), &jobs[0]["status"]), (1, &json!("completed")));
    let id = jobs[0]["id"].as_str().unwrap();
    let calls = app.items(&format!("/api/v1/jobs/{id}/tool-calls")).await;
    assert_eq!(calls[0]["status"], "interrupted");
    assert_eq!(telegram.messages(&chat).len(), 1);
}

#[tokio::test]
async fn a_database_that_is_there_is_only_replaced_by_force_and_kept() {
    let (dir, backup) = backed_up().await;
    if ON_POSTGRES {
        let (code, _, error) = nitejar(&dir, &["restore", &backup], vec![]).await;
        assert_eq!(code, 1, "{error}");
        assert!(error.contains("nothing was restored"), "{error}");
        let (code, _, error) = nitejar(&dir, &["restore", &backup, "--force"], vec![]).await;
        assert_eq!(code, 2, "{error}");
        let app = App::start_in(dir, Options::default()).await;
        assert_eq!(app.items("/api/v1/jobs").await.len(), 1);
        return;
    }
    let data = dir.path().join("data");
    let before = fs::read(data.join("nitejar.db")).unwrap();
    let (code, _, error) = nitejar(&dir, &["restore", &backup], vec![]).await;
    assert_eq!(code, 2, "{error}");
    assert!(error.contains("exists; name another DATA_DIR"), "{error}");
    assert!(fs::read(data.join("nitejar.db")).unwrap() == before);

    let force = ["restore", &backup, "--force", "--json"];
    let (code, said, error) = nitejar(&dir, &force, vec![]).await;
    assert_eq!(code, 0, "{error}");
    let report: Value = serde_json::from_str(&said).unwrap();
    assert!(fs::read(report["kept"].as_str().unwrap()).unwrap() == before);
    let app = App::start_in(dir, Options::default()).await;
    assert_eq!(app.items("/api/v1/jobs").await.len(), 1);

    let (code, _, error) = nitejar(&app.dir, &force, vec![]).await;
    assert_eq!(code, 2, "{error}");
    assert!(error.contains("another nitejar process"), "{error}");
}

#[tokio::test]
async fn a_wrong_key_is_named_and_a_missing_one_is_asked_for() {
    let (_made, backup) = backed_up().await;
    let dir = Home::new().await;
    let wrong = vec![("ENCRYPTION_KEY", "00".repeat(32))];
    let (code, _, error) = nitejar(&dir, &["restore", &backup], wrong).await;
    assert_eq!(code, 2, "{error}");
    assert!(error.contains("ENCRYPTION_KEY: does not fit"), "{error}");
    let manifest = fs::read_to_string(Path::new(&backup).join("manifest.json")).unwrap();
    let manifest: Value = serde_json::from_str(&manifest).unwrap();
    assert!(
        error.contains(manifest["key_id"].as_str().unwrap()),
        "{error}"
    );
    assert!(!dir.path().join("data").exists());

    let (code, said, error) = nitejar(&dir, &["restore", &backup], vec![]).await;
    assert_eq!(code, 0, "{error}");
    assert!(
        said.contains("The encryption key is not here yet"),
        "{said}"
    );
    assert!(!dir.path().join("data/encryption.key").exists());
}

#[tokio::test]
async fn a_backup_that_is_damaged_newer_or_none_changes_nothing() {
    let (made, backup) = backed_up().await;
    if ON_POSTGRES {
        // What PostgreSQL's own programs make of their files is their business.
        return;
    }
    let dir = with_key_of(&made).await;
    let folder = Path::new(&backup);
    let refused = async |wanted: &str| {
        let (code, _, error) = nitejar(&dir, &["restore", &backup], vec![]).await;
        assert_eq!(code, 2, "{error}");
        assert!(error.contains(wanted), "{error}");
        let left: Vec<_> = fs::read_dir(dir.path().join("data"))
            .unwrap()
            .map(|entry| entry.unwrap().file_name())
            .filter(|name| name.to_string_lossy().starts_with("nitejar.db"))
            .filter(|name| !name.to_string_lossy().ends_with(".lock"))
            .collect();
        assert!(left.is_empty(), "{left:?}");
    };
    let file = folder.join("nitejar.db");
    let whole = fs::read(&file).unwrap();
    let mut damaged = whole.clone();
    damaged[8_192..40_960].fill(0x5A);
    fs::write(&file, damaged).unwrap();
    refused("is damaged").await;
    fs::write(&file, whole).unwrap();

    let manifest = folder.join("manifest.json");
    let text = fs::read_to_string(&manifest).unwrap();
    let mut newer: Value = serde_json::from_str(&text).unwrap();
    newer["schema"] = json!("m29990101_000001_far");
    fs::write(&manifest, newer.to_string()).unwrap();
    refused("which this version").await;
    fs::remove_file(&manifest).unwrap();
    refused("manifest.json cannot be read").await;
}

#[tokio::test]
async fn nothing_is_backed_up_where_nothing_is() {
    let dir = Home::from(tempfile::tempdir().unwrap());
    let place = dir.path().join("backup").display().to_string();
    let (code, _, error) = nitejar(&dir, &["backup", &place], vec![]).await;
    assert_eq!(code, 2, "{error}");
    assert!(error.contains("nothing to back up"), "{error}");
    assert!(fs::read_dir(dir.path()).unwrap().next().is_none());
}
