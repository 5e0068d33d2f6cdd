//! Short words for what the cases do over and over.

use async_trait::async_trait;
use bytes::Bytes;
use domain::id::SpriteSessionId;
use futures_util::StreamExt;
use ports::sandbox::{
    Attached, Command, ExecOutcome, ExecRequest, Exit, OutputSink, OutputStream, ProcessEvent,
    Processes, Sandbox, SandboxError,
};
use std::{sync::Mutex, time::Duration};
use tokio::sync::Notify;
use uuid::Uuid;

/// The shell that [`run`] uses.
pub const SHELL: u128 = 11;

/// A shell by number.
pub fn shell(number: u128) -> SpriteSessionId {
    SpriteSessionId::from_uuid(Uuid::from_u128(number))
}

/// Keeps all output and tells when some comes.
#[derive(Default)]
pub struct Kept {
    /// Standard output so far.
    pub stdout: Mutex<Vec<u8>>,
    /// Standard error so far.
    pub stderr: Mutex<Vec<u8>>,
    came: Notify,
}

impl Kept {
    /// Standard output as text.
    pub fn stdout(&self) -> String {
        String::from_utf8_lossy(&self.stdout.lock().unwrap()).into_owned()
    }

    /// Standard error as text.
    pub fn stderr(&self) -> String {
        String::from_utf8_lossy(&self.stderr.lock().unwrap()).into_owned()
    }

    /// Waits until standard output contains a text.
    pub async fn until(&self, text: &str) {
        while !self.stdout().contains(text) {
            self.came.notified().await;
        }
    }
}

#[async_trait]
impl OutputSink for Kept {
    async fn write(&self, stream: OutputStream, bytes: &[u8]) {
        match stream {
            OutputStream::Stdout => self.stdout.lock().unwrap().extend_from_slice(bytes),
            OutputStream::Stderr => self.stderr.lock().unwrap().extend_from_slice(bytes),
        }
        self.came.notify_one();
    }
}

/// What `sleep 1000` becomes in scripts. Where sandboxes see each other's processes, those of other
/// tests must not be taken for ours.
pub fn nap() -> String {
    format!("sleep 1000.{}", std::process::id())
}

/// A script for a shell by number.
pub fn request(number: u128, script: &str) -> ExecRequest {
    ExecRequest {
        shell: shell(number),
        script: script.replace("sleep 1000", &nap()),
        timeout: Duration::from_mins(1),
    }
}

/// Runs a script in the usual shell.
pub async fn run<S: Sandbox + ?Sized>(sandbox: &S, script: &str) -> (ExecOutcome, Kept) {
    let kept = Kept::default();
    let outcome = sandbox.exec(request(SHELL, script), &kept).await.unwrap();
    (outcome, kept)
}

/// Runs a script that must end with 0 and gives its standard output.
pub async fn output<S: Sandbox + ?Sized>(sandbox: &S, script: &str) -> String {
    let (outcome, kept) = run(sandbox, script).await;
    let stderr = kept.stderr();
    assert_eq!(outcome.exit, Exit::Code(0), "{script}: {stderr}");
    kept.stdout()
}

/// The words of a refusal.
pub fn refused<T: std::fmt::Debug>(result: Result<T, SandboxError>) -> String {
    match result {
        Err(SandboxError::Refused(text)) => text,
        other => panic!("not refused: {other:?}"),
    }
}

/// Whether there is no such thing.
pub fn is_missing<T>(result: &Result<T, SandboxError>) -> bool {
    matches!(result, Err(SandboxError::NotFound { .. }))
}

/// A program with pipes that is killed a while after the last reader left.
pub fn program(arguments: &[&str]) -> Command {
    Command {
        program: None,
        arguments: arguments.iter().map(|text| (*text).to_owned()).collect(),
        environment: Vec::new(),
        directory: None,
        terminal: None,
        input: false,
        linger: Some(Duration::from_secs(10)),
    }
}

/// The same for bash source.
pub fn script(source: &str) -> Command {
    program(&["bash", "-c", &source.replace("sleep 1000", &nap())])
}

/// How a process went.
#[derive(Debug, PartialEq, Eq)]
pub struct Ended {
    /// The exit code; 128 and the signal for a death by one, which is all that some backends say.
    pub code: i32,
    /// All of standard output.
    pub stdout: Vec<u8>,
    /// All of standard error.
    pub stderr: Vec<u8>,
}

impl Ended {
    /// Standard output as text.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.stdout).into_owned()
    }
}

/// As shells have it.
pub fn code(exit: Exit) -> i32 {
    match exit {
        Exit::Code(code) => code,
        Exit::Signal(signal) => 128 + signal,
        Exit::TimedOut => panic!("nothing limits its time"),
    }
}

/// Reads a process to its end.
pub async fn read(mut attached: Attached) -> Ended {
    let (mut stdout, mut stderr) = (Vec::new(), Vec::new());
    loop {
        let event = attached.output.next().await;
        match event.expect_event().unwrap() {
            ProcessEvent::Output(OutputStream::Stdout, bytes) => stdout.extend_from_slice(&bytes),
            ProcessEvent::Output(OutputStream::Stderr, bytes) => stderr.extend_from_slice(&bytes),
            ProcessEvent::Ended(exit) => {
                let code = code(exit);
                return Ended {
                    code,
                    stdout,
                    stderr,
                };
            }
        }
    }
}

/// Starts a process and reads it to its end.
pub async fn execute<P: Processes + ?Sized>(processes: &P, command: Command) -> Ended {
    read(processes.start(command).await.unwrap()).await
}

/// Reads until standard output holds a text, and gives all of it so far.
pub async fn until(attached: &mut Attached, text: &str) -> String {
    let mut seen = Vec::new();
    loop {
        let event = attached.output.next().await;
        if let ProcessEvent::Output(_, bytes) = event.expect_event().unwrap() {
            seen.extend_from_slice(&bytes);
        } else {
            panic!("ended before `{text}`: {}", String::from_utf8_lossy(&seen));
        }
        let all = String::from_utf8_lossy(&seen);
        if all.contains(text) {
            return all.into_owned();
        }
    }
}

/// Asks again and again until the answer is yes; what is waited for announces itself to nobody.
pub async fn eventually(what: &str, mut holds: impl AsyncFnMut() -> bool) {
    const PATIENCE: Duration = Duration::from_secs(30);
    let waiting = async {
        while !holds().await {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    let held = tokio::time::timeout(PATIENCE, waiting).await;
    assert!(held.is_ok(), "{what} did not come about in {PATIENCE:?}");
}

/// Bytes that repeat nowhere near.
pub fn noise(length: usize) -> Bytes {
    let mut state = 1_u32;
    std::iter::repeat_with(|| {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        state.to_be_bytes()[0]
    })
    .take(length)
    .collect()
}

trait ExpectEvent<T> {
    fn expect_event(self) -> T;
}

impl<T> ExpectEvent<T> for Option<T> {
    fn expect_event(self) -> T {
        self.unwrap_or_else(|| panic!("the output broke off without an end"))
    }
}
