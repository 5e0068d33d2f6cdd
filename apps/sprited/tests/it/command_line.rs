//! The program: its exit codes, its token, its files.

use std::{
    os::unix::fs::PermissionsExt as _,
    path::Path,
    process::{Output, Stdio},
};
use tempfile::tempdir;
use tokio::{
    io::{AsyncBufReadExt as _, BufReader},
    process::Command,
};

fn sprited(directory: &Path, settings: &[(&str, &str)]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_sprited"));
    command
        .arg("serve")
        .env_clear()
        .env("PATH", "/usr/local/bin:/usr/bin:/bin")
        .env("DATA_DIR", directory)
        .env("PORT", "0")
        .env("SANDBOX_MIN_TIER", "plain")
        .envs(settings.iter().copied())
        .stdin(Stdio::null())
        .stderr(Stdio::piped())
        .kill_on_drop(true);
    command
}

async fn ended(directory: &Path, settings: &[(&str, &str)]) -> (Option<i32>, String) {
    let Output { status, stderr, .. } = sprited(directory, settings).output().await.unwrap();
    (status.code(), String::from_utf8(stderr).unwrap())
}

#[tokio::test]
async fn a_mistake_in_the_configuration_ends_with_2_and_names_what_to_change() {
    let directory = tempdir().unwrap();
    for (settings, name) in [
        (&[("SPRITED_TOKEN", "short")][..], "SPRITED_TOKEN"),
        (&[("HOST", "0.0.0.0")], "SPRITED_TOKEN"),
        (&[("PORT", "many")], "--port"),
        (&[("HOST", "somewhere")], "--host"),
        (&[("SANDBOX_MIN_TIER", "strong")], "--sandbox-min-tier"),
        (&[("RUST_LOG", "[")], "RUST_LOG"),
        (&[("DATA_DIR", "/proc/none")], "DATA_DIR"),
        (
            &[("HOST", "192.0.2.1"), ("SPRITED_TOKEN", "0123456789abcdef")],
            "HOST",
        ),
    ] {
        let (code, text) = ended(directory.path(), settings).await;
        assert_eq!(code, Some(2), "{settings:?}: {text}");
        assert!(text.contains(name), "{settings:?}: {text}");
        assert!(!text.contains("0123456789abcdef"), "{text}");
    }
}

#[tokio::test]
async fn a_token_is_made_once_kept_for_its_owner_alone_and_never_logged() {
    let directory = tempdir().unwrap();
    let path = directory.path().join("sprited-token");
    let mut made = String::new();
    for _ in 0..2 {
        let mut child = sprited(directory.path(), &[("RUST_LOG", "debug")])
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
        let mut log = String::new();
        while !log.contains("sprites are served on") {
            log.push_str(&lines.next_line().await.unwrap().expect("it serves"));
        }
        let token = std::fs::read_to_string(&path).unwrap();
        assert!(
            log.contains(path.to_str().unwrap()) && !log.contains(token.trim()),
            "{log}"
        );
        assert_eq!(
            std::fs::metadata(&path).unwrap().permissions().mode() & 0o777,
            0o600
        );
        assert!(made.is_empty() || made == token);
        made = token;
        let (code, text) = ended(directory.path(), &[]).await;
        assert_eq!(code, Some(2));
        assert!(text.contains("another sprited is running"), "{text}");
        let id = child.id().unwrap().to_string();
        let stop = Command::new("kill").args(["-TERM", &id]).status().await;
        assert!(stop.unwrap().success());
        assert!(child.wait().await.unwrap().success());
    }
}

#[tokio::test]
async fn a_version_is_printed() {
    let output = Command::new(env!("CARGO_BIN_EXE_sprited"))
        .arg("--version")
        .output()
        .await
        .unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    assert_eq!(
        text.trim(),
        format!("sprited {}", env!("CARGO_PKG_VERSION"))
    );
}
