//! What a job has beyond its commands: working copies and background processes.

use crate::bench::Bench;
use domain::id::JobId;
use serde_json::json;
use std::collections::BTreeSet;
use uuid::Uuid;

#[tokio::test]
async fn jobs_have_working_copies_of_their_own() {
    let bench = Bench::start().await;
    let made = "git init -q -b main \"it's\" && cd \"it's\" && git config user.email a@b.c && git config user.name A \
        && echo one > file && git add . && git commit -qm first && cd ..";
    bench.text("bash", json!({ "command": made })).await;
    let checkout = async |job: u128| {
        let arguments = json!({ "repository": "it's" });
        let outcome = bench.call_as(job, "checkout_repository", arguments).await;
        assert!(!outcome.is_error, "{}", outcome.text);
        outcome.detail["path"].as_str().unwrap().to_owned()
    };
    let (first, second) = (checkout(1).await, checkout(2).await);
    assert_ne!(first, second);
    assert_eq!(checkout(1).await, first);
    let write = format!("echo two > '{first}/file'; cat '{second}/file'; cd ~");
    let seen = bench
        .text(
            "bash",
            json!({ "command": write.replace("it's", r"it'\''s") }),
        )
        .await;
    assert!(seen.contains("one"), "{seen}");
    let ends: BTreeSet<String> = std::mem::take(&mut *bench.at_end.lock().unwrap())
        .into_iter()
        .collect();
    assert_eq!(ends.len(), 2);
    for end in ends {
        bench.text("bash", json!({ "command": end })).await;
    }
    let left = bench
        .text("bash", json!({ "command": "ls worktrees" }))
        .await;
    let kept = format!("{}", JobId::from_uuid(Uuid::from_u128(1)));
    let gone = format!("{}", JobId::from_uuid(Uuid::from_u128(2)));
    assert!(left.contains(&kept) && !left.contains(&gone), "{left}");
    let missing = bench
        .error("checkout_repository", json!({ "repository": "nowhere" }))
        .await;
    assert!(missing.contains("could not be checked out"), "{missing}");
    let option = json!({ "repository": "--upload-pack=touch x" });
    bench.error("checkout_repository", option).await;
}

#[tokio::test]
async fn background_processes_are_started_shown_and_stopped() {
    let bench = Bench::start().await;
    let none = bench.text("list_processes", json!({})).await;
    assert_eq!(none, "There are no background processes.");
    let arguments = json!({ "command": "npm start", "directory": "app" });
    let started = bench.text("start_process", arguments).await;
    let id = Uuid::from_u128(5).to_string();
    assert!(started.contains(&id));
    let listed = bench.text("list_processes", json!({})).await;
    assert!(
        listed.contains("running") && listed.contains("npm start in Some(\"app\")"),
        "{listed}"
    );
    let shown = bench
        .text("read_process_output", json!({ "process_id": id }))
        .await;
    assert!(shown.starts_with("running") && shown.ends_with("xend") && shown.len() < 13_000);
    let stopped = bench
        .call("stop_process", json!({ "process_id": id }))
        .await;
    assert_eq!(stopped.detail["status"], "stopped");
    bench
        .error("stop_process", json!({ "process_id": "5" }))
        .await;
}
