//! Commands that run beside the job and after it: servers, watchers, long builds. They belong to the
//! conversation; the sprite keeps the last of their output.

use crate::action::Action;
use async_trait::async_trait;
use domain::{
    id::BackgroundProcessId,
    sprite::{BackgroundProcess, BackgroundStatus},
};
use ports::{
    inference::ToolSpec,
    sandbox::SandboxError,
    tool::{ToolContext, ToolOutcome},
};
use serde::Deserialize;
use serde_json::{Value, json};
use std::fmt::Write as _;

/// How much of a command is shown in a list, in characters.
const COMMAND: usize = 200;
/// How much output the model reads, in bytes; the end is what matters.
const OUTPUT: usize = 12 << 10;

/// Starts one.
pub(crate) struct StartProcess;

/// Shows those of the conversation.
pub(crate) struct ListProcesses;

/// Shows how one stands and what it said last.
pub(crate) struct ReadProcessOutput;

/// Ends one.
pub(crate) struct StopProcess;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Start {
    command: String,
    directory: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Nothing {}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct One {
    process_id: BackgroundProcessId,
}

#[async_trait]
impl Action for StartProcess {
    type Arguments = Start;

    fn spec(&self) -> ToolSpec {
        let parameters = json!({
            "type": "object",
            "properties": {
                "command": {
                    "type": "string",
                    "description": "The bash source to run."
                },
                "directory": {
                    "type": "string",
                    "description": "Where to run it; the home directory unless given."
                }
            },
            "required": ["command"],
            "additionalProperties": false
        });
        ToolSpec {
            name: "start_process",
            description: "Starts a command in the background of your sandbox: a server, a watcher, a long build. It goes on when this job ends, and later jobs of this conversation can look at it and stop it.",
            parameters,
            read_only: false,
        }
    }

    async fn run(
        &self,
        context: &ToolContext<'_>,
        arguments: Start,
    ) -> Result<ToolOutcome, SandboxError> {
        let Start { command, directory } = arguments;
        let started = context
            .background
            .start(&command, directory.as_deref())
            .await?;
        let text = format!(
            "Started as {}. read_process_output shows what it says.",
            started.id
        );
        Ok(ToolOutcome::ok(text).with("process_id", started.id.to_string()))
    }
}

#[async_trait]
impl Action for ListProcesses {
    type Arguments = Nothing;

    fn spec(&self) -> ToolSpec {
        ToolSpec {
            name: "list_processes",
            description: "Lists the background processes of this conversation, newest first, and how they stand.",
            parameters: json!({ "type": "object", "properties": {}, "additionalProperties": false }),
            read_only: true,
        }
    }

    async fn run(
        &self,
        context: &ToolContext<'_>,
        _arguments: Nothing,
    ) -> Result<ToolOutcome, SandboxError> {
        let processes = context.background.list().await?;
        if processes.is_empty() {
            return Ok(ToolOutcome::ok("There are no background processes."));
        }
        let mut text = String::new();
        for process in &processes {
            let command: String = process.command.chars().take(COMMAND).collect();
            let started = process.created_at.format("%Y-%m-%d %H:%M:%S UTC");
            let standing = standing(process);
            // Writing to a string cannot fail.
            writeln!(
                text,
                "{} {standing}, started {started}: {command}",
                process.id
            )
            .unwrap_or(());
        }
        Ok(ToolOutcome::ok(text))
    }
}

#[async_trait]
impl Action for ReadProcessOutput {
    type Arguments = One;

    fn spec(&self) -> ToolSpec {
        ToolSpec {
            name: "read_process_output",
            description: "Shows how a background process stands and the last of its output.",
            parameters: one(),
            read_only: true,
        }
    }

    async fn run(
        &self,
        context: &ToolContext<'_>,
        arguments: One,
    ) -> Result<ToolOutcome, SandboxError> {
        let (process, output) = context.background.output(arguments.process_id).await?;
        let mut from = output.len().saturating_sub(OUTPUT);
        while !output.is_char_boundary(from) {
            from += 1;
        }
        let shown = output.get(from..).unwrap_or_default();
        let text = match (shown, from) {
            ("", _) => format!("{}; no output yet", standing(&process)),
            (shown, 0) => format!("{}\noutput:\n{shown}", standing(&process)),
            (shown, _) => format!("{}\nthe last of its output:\n{shown}", standing(&process)),
        };
        Ok(facts(ToolOutcome::ok(text), &process))
    }
}

#[async_trait]
impl Action for StopProcess {
    type Arguments = One;

    fn spec(&self) -> ToolSpec {
        ToolSpec {
            name: "stop_process",
            description: "Ends a background process and everything it started.",
            parameters: one(),
            read_only: false,
        }
    }

    async fn run(
        &self,
        context: &ToolContext<'_>,
        arguments: One,
    ) -> Result<ToolOutcome, SandboxError> {
        let process = context.background.stop(arguments.process_id).await?;
        let text = format!("{}: {}", process.id, standing(&process));
        Ok(facts(ToolOutcome::ok(text), &process))
    }
}

fn one() -> Value {
    json!({
        "type": "object",
        "properties": {
            "process_id": {
                "type": "string",
                "description": "As start_process and list_processes give it."
            }
        },
        "required": ["process_id"],
        "additionalProperties": false
    })
}

fn facts(outcome: ToolOutcome, process: &BackgroundProcess) -> ToolOutcome {
    let outcome = outcome.with("status", process.status.as_str());
    match process.exit_code {
        Some(code) => outcome.with("exit_code", code),
        None => outcome,
    }
}

fn standing(process: &BackgroundProcess) -> String {
    match (process.status, process.exit_code) {
        (BackgroundStatus::Running, _) => "running".to_owned(),
        (BackgroundStatus::Ended, Some(code)) => format!("ended with exit code {code}"),
        (BackgroundStatus::Ended, None) => "ended".to_owned(),
        (BackgroundStatus::Stopped, _) => "stopped".to_owned(),
        (BackgroundStatus::Lost, _) => "lost: the server or the sandbox ended under it".to_owned(),
    }
}
