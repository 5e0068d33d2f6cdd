//! Runs a command in the job's shell. What the model reads is limited; people who watch get every
//! byte as it comes.

use crate::{
    action::Action,
    output::{Output, Shown},
};
use async_trait::async_trait;
use ports::{
    inference::ToolSpec,
    sandbox::{ExecOutcome, ExecRequest, Exit, OutputSink, OutputStream, SandboxError},
    tool::{ToolContext, ToolOutcome},
};
use serde::Deserialize;
use serde_json::json;
use std::{
    fmt::Write as _,
    sync::{Mutex, PoisonError},
    time::Duration,
};

const DEFAULT_SECONDS: u64 = 120;
const MAX_SECONDS: u64 = 600;

/// The tool.
pub(crate) struct Bash;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Arguments {
    command: String,
    timeout_seconds: Option<u64>,
}

#[async_trait]
impl Action for Bash {
    type Arguments = Arguments;

    fn spec(&self) -> ToolSpec {
        ToolSpec {
            name: "bash",
            description: include_str!("bash.md"),
            parameters: json!({
                "type": "object",
                "properties": {
                    "command": {
                        "type": "string",
                        "description": "The bash source to run; may be many lines."
                    },
                    "timeout_seconds": {
                        "type": "integer",
                        "minimum": 1,
                        "maximum": MAX_SECONDS,
                        "description": "Stop it after this many seconds; 120 unless given."
                    }
                },
                "required": ["command"],
                "additionalProperties": false
            }),
            read_only: false,
        }
    }

    async fn run(
        &self,
        context: &ToolContext<'_>,
        arguments: Arguments,
    ) -> Result<ToolOutcome, SandboxError> {
        let seconds = arguments.timeout_seconds.unwrap_or(DEFAULT_SECONDS);
        if !(1..=MAX_SECONDS).contains(&seconds) {
            return Ok(ToolOutcome::error(format!(
                "Wrong arguments for bash: `timeout_seconds` must be 1 to {MAX_SECONDS}, got {seconds}. \
                 For longer work start it in the background with its output in a file."
            )));
        }
        let sandbox = context.sandbox.sandbox().await?;
        let request = ExecRequest {
            shell: context.sandbox.shell().await?,
            script: arguments.command,
            timeout: Duration::from_secs(seconds),
        };
        let tee = Tee::new(context.live);
        let outcome = sandbox.exec(request, &tee).await?;
        let [stdout, stderr] = tee.shown();
        Ok(report(outcome, seconds, &stdout, &stderr))
    }
}

/// Keeps what the model reads of a command's output while people see all of it.
pub(crate) struct Tee<'a> {
    live: &'a dyn OutputSink,
    stdout: Mutex<Output>,
    stderr: Mutex<Output>,
}

impl<'a> Tee<'a> {
    pub(crate) fn new(live: &'a dyn OutputSink) -> Self {
        Self {
            live,
            stdout: Mutex::default(),
            stderr: Mutex::default(),
        }
    }

    /// Standard output and standard error.
    pub(crate) fn shown(self) -> [Shown; 2] {
        [self.stdout, self.stderr].map(|output| {
            let output = output.into_inner().unwrap_or_else(PoisonError::into_inner);
            output.shown()
        })
    }
}

#[async_trait]
impl OutputSink for Tee<'_> {
    async fn write(&self, stream: OutputStream, bytes: &[u8]) {
        let output = match stream {
            OutputStream::Stdout => &self.stdout,
            OutputStream::Stderr => &self.stderr,
        };
        output
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(bytes);
        self.live.write(stream, bytes).await;
    }
}

fn report(outcome: ExecOutcome, seconds: u64, stdout: &Shown, stderr: &Shown) -> ToolOutcome {
    let mut text = match outcome.exit {
        Exit::Code(code) => format!("exit code: {code}\n"),
        Exit::Signal(signal) => format!("ended by signal {signal}\n"),
        Exit::TimedOut => format!(
            "timed out after {seconds} s: the command and what it started were stopped, the rest of it was skipped\n"
        ),
    };
    if outcome.shell_reset {
        text.push_str(
            "the shell ended with it: the next command starts in the home directory, without the variables set so far\n",
        );
    } else if outcome.exit == Exit::TimedOut {
        text.push_str("the shell is kept, with its directory and variables\n");
    }
    for (name, shown) in [("stdout", stdout), ("stderr", stderr)] {
        if shown.bytes > 0 {
            let end = if shown.text.ends_with('\n') { "" } else { "\n" };
            // Writing to a string cannot fail.
            write!(text, "{name}:\n{}{end}", shown.text).unwrap_or(());
        }
    }
    if stdout.bytes + stderr.bytes == 0 {
        text.push_str("no output\n");
    }
    let (answer, key, value) = match outcome.exit {
        Exit::Code(0) => (ToolOutcome::ok(text), "exit_code", 0),
        Exit::Code(code) => (ToolOutcome::error(text), "exit_code", code),
        Exit::Signal(signal) => (ToolOutcome::error(text), "signal", signal),
        Exit::TimedOut => {
            let answer = ToolOutcome::error(text).with("timed_out", true);
            return sizes(answer, outcome, stdout, stderr);
        }
    };
    sizes(answer.with(key, value), outcome, stdout, stderr)
}

fn sizes(answer: ToolOutcome, outcome: ExecOutcome, stdout: &Shown, stderr: &Shown) -> ToolOutcome {
    answer
        .with("shell_reset", outcome.shell_reset)
        .with("stdout_bytes", stdout.bytes)
        .with("stdout_cut_bytes", stdout.cut_bytes)
        .with("stderr_bytes", stderr.bytes)
        .with("stderr_cut_bytes", stderr.cut_bytes)
}
