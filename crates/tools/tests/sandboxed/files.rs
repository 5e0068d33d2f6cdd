//! Files and directories, and attachments that become files.

use crate::bench::Bench;
use serde_json::json;

#[tokio::test]
async fn files_are_written_read_and_edited_exactly() {
    let bench = Bench::start().await;
    let write = |content: &str| json!({"path": "a/f", "content": content});
    assert_eq!(
        bench.text("write_file", write("one\ntwo\n")).await,
        "Created a/f (8 bytes)."
    );
    let text = bench.text("write_file", write("one\r\nzwei")).await;
    assert!(
        text.starts_with("Overwrote a/f (9 bytes):\n--- a/f\n+++ a/f\n@@"),
        "{text}"
    );
    let text = bench.text("write_file", write("one\r\nzwei")).await;
    assert_eq!(text, "a/f had exactly this content already.");
    let read = bench.text("read_file", json!({"path": "a/f"})).await;
    assert_eq!(
        read,
        "     1\tone\n     2\tzwei\n[The file has CRLF line ends.]\n"
    );
    let edit = json!({"path": "a/f", "old_string": "one\nzwei", "new_string": "eins\nzwei"});
    let text = bench.text("edit_file", edit.clone()).await;
    assert!(text.contains("\n-one\r\n+eins\r\n zwei\n"), "{text}");
    let bytes = bench.sandbox.read_file("a/f", 100).await.unwrap();
    assert_eq!(&*bytes, b"eins\r\nzwei");
    let text = bench.error("edit_file", edit).await;
    assert!(
        text.starts_with("a/f is unchanged: `old_string` is not in it."),
        "{text}"
    );
}

#[tokio::test]
async fn what_cannot_be_read_is_explained() {
    let bench = Bench::start().await;
    bench
        .sandbox
        .write_file("bin", b"\x7fELF\0"[..].into())
        .await
        .unwrap();
    bench
        .sandbox
        .write_file("latin", b"gr\xfc\xdfe"[..].into())
        .await
        .unwrap();
    let text = bench.error("read_file", json!({"path": "bin"})).await;
    assert!(
        text.starts_with("bin is a binary file of 5 bytes"),
        "{text}"
    );
    let edit = json!({"path": "latin", "old_string": "gr", "new_string": "x"});
    assert!(bench.error("edit_file", edit).await.contains("not UTF-8"));
    let text = bench.error("read_file", json!({"path": "nope"})).await;
    assert_eq!(
        text,
        "nope: no such file or directory. Relative paths start at the home directory."
    );
    let text = bench
        .error("write_file", json!({"path": ".", "content": ""}))
        .await;
    assert_eq!(text, ".: it is a directory");
}

#[tokio::test]
async fn directories_and_searches_answer_in_lines() {
    let bench = Bench::start().await;
    bench
        .text("create_directory", json!({"path": "src/deep"}))
        .await;
    bench
        .text(
            "write_file",
            json!({"path": "src/a.rs", "content": "fn main() {}\n"}),
        )
        .await;
    assert_eq!(
        bench.text("list_directory", json!({"path": "src"})).await,
        "a.rs\t13\ndeep/"
    );
    assert_eq!(
        bench
            .text("list_directory", json!({"path": "src/deep"}))
            .await,
        "src/deep is empty."
    );
    assert_eq!(
        bench.text("glob", json!({"pattern": "**/*.rs"})).await,
        "src/a.rs"
    );
    assert_eq!(
        bench.text("glob", json!({"pattern": "*.py"})).await,
        "Nothing below . matches *.py."
    );
    let grep = json!({"pattern": "MAIN", "ignore_case": true});
    assert_eq!(bench.text("grep", grep).await, "src/a.rs:1: fn main() {}");
    assert_eq!(
        bench.text("grep", json!({"pattern": "MAIN"})).await,
        "No line matches."
    );
    assert!(
        bench
            .error("grep", json!({"pattern": "("}))
            .await
            .contains("bad pattern")
    );
}

#[tokio::test]
async fn attachments_are_saved_unchanged() {
    let bench = Bench::start().await;
    let save = |reference: &str| json!({"reference": reference, "path": "in/file"});
    let text = bench.text("save_attachment", save("known")).await;
    assert_eq!(text, "Saved in/file (3 bytes).");
    assert_eq!(
        &*bench.sandbox.read_file("in/file", 9).await.unwrap(),
        b"a\0b"
    );
    let text = bench.error("save_attachment", save("other")).await;
    assert_eq!(text, "The attachment was not saved: there is no `other`.");
}
