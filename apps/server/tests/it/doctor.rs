//! `nitejar doctor` finds what would keep a server from starting, and changes nothing.

use crate::app::{App, Options, command};
use serde_json::Value;
use std::{
    fs,
    path::{Path, PathBuf},
};

async fn doctor(dir: &Path, env: Vec<(&'static str, String)>) -> Value {
    let ended = command(
        dir,
        &Options {
            env,
            ..Options::default()
        },
    )
    .args(["doctor", "--json"])
    .output()
    .await
    .unwrap();
    serde_json::from_slice(&ended.stdout).unwrap()
}

fn check<'a>(report: &'a Value, name: &str) -> &'a Value {
    let checks = report["checks"].as_array().unwrap();
    checks.iter().find(|check| check["name"] == name).unwrap()
}

fn files(dir: &Path) -> Vec<(PathBuf, Vec<u8>)> {
    let mut found = Vec::new();
    for entry in fs::read_dir(dir).unwrap().flatten() {
        let path = entry.path();
        if path.is_dir() {
            found.extend(files(&path));
        } else {
            // A socket cannot be read; that it is there is enough.
            let bytes = fs::read(&path).unwrap_or_default();
            found.push((path, bytes));
        }
    }
    found.sort();
    found
}

#[tokio::test]
async fn before_the_first_start_it_makes_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let report = doctor(dir.path(), vec![]).await;
    assert_eq!(report["ok"], true, "{report}");
    assert_eq!(check(&report, "database")["status"], "warning");
    assert!(!dir.path().join("data").exists());
}

#[tokio::test]
async fn it_tries_the_key_and_changes_nothing() {
    let dir = App::start().await.stop().await;
    let before = files(&dir.path().join("data"));
    let report = doctor(dir.path(), vec![]).await;
    assert_eq!(report["ok"], true, "{report}");
    assert_eq!(check(&report, "encryption")["status"], "ok");

    let report = doctor(dir.path(), vec![("ENCRYPTION_KEY", "00".repeat(32))]).await;
    let found = check(&report, "encryption");
    assert_eq!(
        (&report["ok"], &found["status"]),
        (&false.into(), &"failed".into())
    );
    assert!(
        found.to_string().contains("does not fit this database"),
        "{found}"
    );
    assert!(files(&dir.path().join("data")) == before);
}

#[tokio::test]
async fn a_lost_key_is_found_and_no_other_is_made() {
    let dir = App::start().await.stop().await;
    fs::remove_file(dir.path().join("data/encryption.key")).unwrap();
    let before = files(&dir.path().join("data"));
    let report = doctor(dir.path(), vec![]).await;
    let found = check(&report, "encryption");
    assert_eq!(
        (&report["ok"], &found["status"]),
        (&false.into(), &"failed".into())
    );
    assert!(
        found
            .to_string()
            .contains("restore that file, or set ENCRYPTION_KEY"),
        "{found}"
    );
    assert!(files(&dir.path().join("data")) == before);
}
