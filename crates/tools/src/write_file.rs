//! Writes a whole file of the sprite and shows what changed.

use crate::{action::Action, diff};
use async_trait::async_trait;
use ports::{
    inference::ToolSpec,
    sandbox::SandboxError,
    tool::{ToolContext, ToolOutcome},
};
use serde::Deserialize;
use serde_json::json;

/// Older content is compared up to this size.
const COMPARED_BYTES: u64 = 1 << 20;

/// The tool.
pub(crate) struct WriteFile;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Arguments {
    path: String,
    content: String,
}

/// What was there before.
enum Before {
    Nothing,
    Text(String),
    /// Binary, or too long to compare.
    Other,
}

#[async_trait]
impl Action for WriteFile {
    type Arguments = Arguments;

    fn spec(&self) -> ToolSpec {
        ToolSpec {
            name: "write_file",
            description: "Creates or replaces a file with exactly this content; missing directories are made. To change a part of a file, use edit_file.",
            parameters: json!({
                "type": "object",
                "properties": {
                    "path": {
                        "type": "string",
                        "description": "Absolute, or relative to the home directory."
                    },
                    "content": {
                        "type": "string",
                        "description": "The whole content, including the final newline if there is to be one."
                    }
                },
                "required": ["path", "content"],
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
        let Arguments { path, content } = arguments;
        let sandbox = context.sandbox.sandbox().await?;
        let before = match sandbox.read_file(&path, COMPARED_BYTES).await {
            Ok(bytes) => String::from_utf8(bytes.into()).map_or(Before::Other, Before::Text),
            Err(SandboxError::NotFound { .. }) => Before::Nothing,
            // Too long, or nothing that can be written either; the write will tell.
            Err(SandboxError::Refused(_)) => Before::Other,
            Err(
                error @ (SandboxError::Conflict(_)
                | SandboxError::Exhausted { .. }
                | SandboxError::Lost(_)
                | SandboxError::Unavailable(_)),
            ) => {
                return Err(error);
            }
        };
        let size = content.len();
        sandbox.write_file(&path, content.clone().into()).await?;
        let outcome = match before {
            Before::Nothing => ToolOutcome::ok(format!("Created {path} ({size} bytes).")),
            Before::Other => ToolOutcome::ok(format!(
                "Overwrote {path} ({size} bytes); the old content was binary or too long to compare."
            )),
            Before::Text(old) if old == content => {
                ToolOutcome::ok(format!("{path} had exactly this content already."))
            }
            Before::Text(old) => {
                let diff = diff::between(&path, &old, &content);
                ToolOutcome::ok(format!("Overwrote {path} ({size} bytes):\n{diff}"))
                    .with("diff", diff)
            }
        };
        Ok(outcome.with("bytes", size))
    }
}
