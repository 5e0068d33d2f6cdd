//! Gives the job a working copy of its own: one clone per repository in the sprite, one Git worktree
//! per job, so that two jobs of an agent do not write into each other's files.

use crate::{action::Action, bash::Tee};
use async_trait::async_trait;
use domain::id::SpriteSessionId;
use ports::{
    inference::ToolSpec,
    sandbox::{ExecRequest, Exit, SandboxError},
    tool::{ToolContext, ToolOutcome},
};
use serde::Deserialize;
use serde_json::json;
use std::time::Duration;

const CHECKOUT: &str = include_str!("checkout_repository.sh");
const LEAVE: &str = include_str!("leave_worktrees.sh");
/// Large repositories take a while.
const PATIENCE: Duration = Duration::from_mins(10);

/// The tool.
pub(crate) struct CheckoutRepository;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Arguments {
    repository: String,
    reference: Option<String>,
}

#[async_trait]
impl Action for CheckoutRepository {
    type Arguments = Arguments;

    fn spec(&self) -> ToolSpec {
        ToolSpec {
            name: "checkout_repository",
            description: "Checks a Git repository out into a directory of this job alone, on a branch of its own, and says where. The clone is shared with other jobs and only fetched when it is there already. When the job ends, the directory goes if nothing in it is uncommitted; the branch stays.",
            parameters: json!({
                "type": "object",
                "properties": {
                    "repository": {
                        "type": "string",
                        "description": "A URL, or a path in the sandbox."
                    },
                    "reference": {
                        "type": "string",
                        "description": "A branch, tag or commit to start from; the default branch unless given."
                    }
                },
                "required": ["repository"],
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
        let Arguments {
            repository,
            reference,
        } = arguments;
        let reference = reference.unwrap_or_default();
        // Git would take it for an option.
        if repository.starts_with('-') || reference.starts_with('-') {
            let text = "A repository or a reference cannot begin with a hyphen.";
            return Ok(ToolOutcome::error(text));
        }
        let job = context.job_id.to_string();
        let script = format!(
            "{CHECKOUT}\n__checkout {} {} {job}",
            quoted(&repository),
            quoted(&reference)
        );
        let shell = context.sandbox.shell().await?;
        let said = run(context, shell, script).await?;
        context.sandbox.at_end(format!("{LEAVE}\n__leave {job}"));
        Ok(match said.exit {
            Exit::Code(0) => {
                let path = said.stdout.trim_end();
                let text = format!("Checked out in {path}\n{}", said.stderr);
                ToolOutcome::ok(text.trim_end()).with("path", path)
            }
            Exit::TimedOut => ToolOutcome::error(format!(
                "It took longer than {} minutes and was stopped.",
                PATIENCE.as_secs() / 60
            )),
            Exit::Code(_) | Exit::Signal(_) => ToolOutcome::error(format!(
                "{repository} could not be checked out:\n{}",
                said.stderr
            )),
        })
    }
}

struct Said {
    exit: Exit,
    stdout: String,
    stderr: String,
}

async fn run(
    context: &ToolContext<'_>,
    shell: SpriteSessionId,
    script: String,
) -> Result<Said, SandboxError> {
    let request = ExecRequest {
        shell,
        script,
        timeout: PATIENCE,
    };
    let tee = Tee::new(context.live);
    let sandbox = context.sandbox.sandbox().await?;
    let outcome = sandbox.exec(request, &tee).await?;
    let [stdout, stderr] = tee.shown();
    Ok(Said {
        exit: outcome.exit,
        stdout: stdout.text,
        stderr: stderr.text,
    })
}

/// One word for bash, whatever is in it.
fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    use super::quoted;

    #[test]
    fn quotes_do_not_end_the_word() {
        assert_eq!(quoted("a'; rm -rf ~ #"), r"'a'\''; rm -rf ~ #'");
    }
}
