//! The tools against a real sandbox: what the model reads, what people see and what is on disk.
#![expect(clippy::panic, clippy::unwrap_used, reason = "test code")]

use async_trait::async_trait;
use bytes::Bytes;
use domain::{
    id::{AgentId, BackgroundProcessId, ConversationId, JobId, SpriteSessionId, TenantId},
    sprite::{BackgroundProcess, BackgroundStatus, SandboxTier, SpriteKey},
};
use ports::{
    sandbox::{OutputSink, OutputStream, Sandbox, SandboxError, SandboxHost as _},
    tool::{AttachmentAccess, BackgroundAccess, SandboxAccess, Tool, ToolContext, ToolOutcome},
};
use serde_json::{Value, json};
use sprites_local::{LocalHost, LocalSettings};
use std::{
    collections::BTreeSet,
    sync::{Arc, Mutex},
    time::Duration,
};
use tempfile::TempDir;
use uuid::Uuid;

/// Not a test: the sandbox's inner program, which this binary starts itself as.
#[test]
#[ignore = "started by the sandbox"]
fn supervisor() {
    std::process::exit(i32::from(
        sprites_local::supervisor::run() != std::process::ExitCode::SUCCESS,
    ));
}

struct Bench {
    _directory: TempDir,
    _host: LocalHost,
    sandbox: Arc<dyn Sandbox>,
    tools: Vec<Arc<dyn Tool>>,
    live: Live,
    at_end: Mutex<Vec<String>>,
    known: Mutex<Vec<BackgroundProcess>>,
}

#[derive(Default)]
struct Live(Mutex<Vec<u8>>);

#[async_trait]
impl OutputSink for Live {
    async fn write(&self, _stream: OutputStream, bytes: &[u8]) {
        self.0.lock().unwrap().extend_from_slice(bytes);
    }
}

#[async_trait]
impl SandboxAccess for Bench {
    async fn sandbox(&self) -> Result<Arc<dyn Sandbox>, SandboxError> {
        Ok(Arc::clone(&self.sandbox))
    }

    async fn shell(&self) -> Result<SpriteSessionId, SandboxError> {
        Ok(SpriteSessionId::from_uuid(Uuid::nil()))
    }

    fn at_end(&self, script: String) {
        self.at_end.lock().unwrap().push(script);
    }
}

/// Processes are the runtime's; here one is known.
#[async_trait]
impl BackgroundAccess for Bench {
    async fn start(
        &self,
        command: &str,
        directory: Option<&str>,
    ) -> Result<BackgroundProcess, SandboxError> {
        let mut started = self.known.lock().unwrap();
        let process = process(&format!("{command} in {directory:?}"));
        started.push(process.clone());
        Ok(process)
    }

    async fn list(&self) -> Result<Vec<BackgroundProcess>, SandboxError> {
        Ok(self.known.lock().unwrap().clone())
    }

    async fn output(
        &self,
        id: BackgroundProcessId,
    ) -> Result<(BackgroundProcess, String), SandboxError> {
        let known = self.known.lock().unwrap();
        let process = known.iter().find(|process| process.id == id).unwrap();
        Ok((process.clone(), format!("é{}end", "x".repeat(20_000))))
    }

    async fn stop(&self, id: BackgroundProcessId) -> Result<BackgroundProcess, SandboxError> {
        let mut known = self.known.lock().unwrap();
        let process = known.iter_mut().find(|process| process.id == id).unwrap();
        process.status = BackgroundStatus::Stopped;
        process.exit_code = Some(143);
        Ok(process.clone())
    }
}

fn process(command: &str) -> BackgroundProcess {
    BackgroundProcess {
        id: BackgroundProcessId::from_uuid(Uuid::from_u128(5)),
        tenant_id: TenantId::from_uuid(Uuid::nil()),
        agent_id: AgentId::from_uuid(Uuid::nil()),
        conversation_id: ConversationId::from_uuid(Uuid::nil()),
        job_id: JobId::from_uuid(Uuid::nil()),
        process: Some("1".to_owned()),
        command: command.to_owned(),
        status: BackgroundStatus::Running,
        exit_code: None,
        output: None,
        created_at: domain::Timestamp::default(),
        ended_at: None,
    }
}

#[async_trait]
impl AttachmentAccess for Bench {
    async fn fetch(&self, reference: &str) -> Result<Bytes, String> {
        match reference {
            "known" => Ok(Bytes::from_static(b"a\0b")),
            other => Err(format!("there is no `{other}`")),
        }
    }
}

impl Bench {
    async fn start() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let program = std::env::current_exe().unwrap();
        let arguments = [
            "--exact",
            "supervisor",
            "--ignored",
            "--nocapture",
            "--test-threads=1",
        ];
        let supervisor = std::iter::once(program.into())
            .chain(arguments.map(Into::into))
            .collect();
        let host = LocalHost::start(LocalSettings {
            min_tier: SandboxTier::Plain,
            force_tier: Some(SandboxTier::Plain),
            ..LocalSettings::new(directory.path().join("sprites"), supervisor)
        });
        let host = host.await.unwrap_or_else(|error| panic!("{error}"));
        let key = SpriteKey {
            tenant_id: TenantId::from_uuid(Uuid::nil()),
            agent_id: AgentId::from_uuid(Uuid::nil()),
        };
        Self {
            sandbox: host.open(key).await.unwrap(),
            _directory: directory,
            _host: host,
            tools: tools::standard(),
            live: Live::default(),
            at_end: Mutex::default(),
            known: Mutex::default(),
        }
    }

    async fn call(&self, tool: &str, arguments: Value) -> ToolOutcome {
        self.call_as(1, tool, arguments).await
    }

    async fn call_as(&self, job: u128, tool: &str, arguments: Value) -> ToolOutcome {
        let context = ToolContext {
            job_id: JobId::from_uuid(Uuid::from_u128(job)),
            sandbox: self,
            background: self,
            attachments: self,
            live: &self.live,
        };
        let tool = self
            .tools
            .iter()
            .find(|known| known.spec().name == tool)
            .unwrap();
        tool.call(&context, arguments).await
    }

    /// The text of a call that must succeed.
    async fn text(&self, tool: &str, arguments: Value) -> String {
        let outcome = self.call(tool, arguments).await;
        assert!(!outcome.is_error, "{}", outcome.text);
        outcome.text
    }

    /// The text of a call that must fail.
    async fn error(&self, tool: &str, arguments: Value) -> String {
        let outcome = self.call(tool, arguments).await;
        assert!(outcome.is_error, "{}", outcome.text);
        outcome.text
    }
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
