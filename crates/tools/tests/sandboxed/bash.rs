//! Commands: what is told of their end, and of a sandbox that ends with them.

use crate::bench::Bench;
use serde_json::{Value, json};
use std::time::Duration;

#[tokio::test]
async fn bash_reports_code_and_streams_apart() {
    let bench = Bench::start().await;
    let text = bench
        .text(
            "bash",
            json!({"command": "cd /usr; x=1; echo out; echo err >&2"}),
        )
        .await;
    assert_eq!(text, "exit code: 0\nstdout:\nout\nstderr:\nerr\n");
    assert_eq!(bench.live.0.lock().unwrap().len(), 8);
    let outcome = bench
        .call(
            "bash",
            json!({"command": "printf '%s\\xff' $PWD $x; exit 7"}),
        )
        .await;
    assert!(outcome.is_error);
    assert_eq!(outcome.detail.get("exit_code"), Some(&json!(7)));
    assert_eq!(
        outcome.text,
        "exit code: 7\nthe shell ended with it: the next command starts in the home directory, without the variables set so far\nstdout:\n/usr\u{fffd}1\u{fffd}\n"
    );
    assert_eq!(
        bench.text("bash", json!({"command": "cd"})).await,
        "exit code: 0\nno output\n"
    );
}

#[tokio::test]
async fn bash_cuts_long_output_but_not_what_people_see() {
    let bench = Bench::start().await;
    let outcome = bench.call("bash", json!({"command": "seq 100000"})).await;
    assert!(outcome.text.len() < 20_000);
    assert!(outcome.text.starts_with("exit code: 0\nstdout:\n1\n2\n"));
    assert!(outcome.text.ends_with("\n99999\n100000\n"));
    let cut = outcome
        .detail
        .get("stdout_cut_bytes")
        .and_then(Value::as_u64)
        .unwrap();
    assert!(outcome.text.contains(&format!("[… {cut} bytes (")));
    assert_eq!(bench.live.0.lock().unwrap().len(), 588_895);
}

#[tokio::test]
async fn bash_says_what_a_timeout_did() {
    let bench = Bench::start().await;
    let command = json!({"command": "echo before; sleep 600; echo after", "timeout_seconds": 1});
    let outcome = bench.call("bash", command).await;
    let text = "timed out after 1 s: the command and what it started were stopped, the rest of it was skipped\nthe shell is kept, with its directory and variables\nstdout:\nbefore\n";
    assert!(
        outcome.is_error && outcome.text.starts_with(text),
        "{}",
        outcome.text
    );
    assert_eq!(outcome.detail.get("timed_out"), Some(&json!(true)));
    let text = bench
        .error("bash", json!({"command": "true", "timeout_seconds": 601}))
        .await;
    assert!(text.contains("must be 1 to 600, got 601"), "{text}");
    let text = bench.error("bash", json!({"command": "a\0b"})).await;
    assert!(text.contains("NUL"), "{text}");
}

#[tokio::test]
async fn a_lost_sandbox_is_explained() {
    let bench = Bench::start().await;
    let command = json!({"command": "kill -9 $PPID; sleep 600"});
    let text = tokio::time::timeout(Duration::from_secs(20), bench.error("bash", command))
        .await
        .unwrap();
    assert!(
        text.starts_with("the sandbox stopped while it worked"),
        "{text}"
    );
}
