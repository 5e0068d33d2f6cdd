//! The tools against a real sandbox: what the model reads, what people see and what is on disk.
#![expect(clippy::panic, clippy::unwrap_used, reason = "test code")]

mod bash;
mod bench;
mod files;
mod jobs;

use serde_json::json;
use std::collections::BTreeSet;

/// Not a test: the sandbox's inner program, which this binary starts itself as.
#[test]
#[ignore = "started by the sandbox"]
fn supervisor() {
    std::process::exit(i32::from(
        sprites_local::supervisor::run() != std::process::ExitCode::SUCCESS,
    ));
}

#[test]
fn tools_are_sorted_and_their_schemas_are_closed() {
    let tools = tools::standard();
    let names: Vec<_> = tools.iter().map(|tool| tool.spec().name).collect();
    let sorted: BTreeSet<_> = names.iter().copied().collect();
    assert!(names.iter().copied().eq(sorted));
    for tool in &tools {
        let schema = &tool.spec().parameters;
        assert_eq!(schema.get("type"), Some(&json!("object")));
        assert_eq!(schema.get("additionalProperties"), Some(&json!(false)));
    }
    let changing = tools.iter().filter(|tool| !tool.spec().read_only);
    let changing: Vec<_> = changing.map(|tool| tool.spec().name).collect();
    assert_eq!(
        changing,
        [
            "bash",
            "checkout_repository",
            "create_directory",
            "edit_file",
            "save_attachment",
            "start_process",
            "stop_process",
            "write_file"
        ]
    );
}
