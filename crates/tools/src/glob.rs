//! Finds files of the sprite by name.

use crate::action::Action;
use async_trait::async_trait;
use ports::{
    inference::ToolSpec,
    sandbox::SandboxError,
    tool::{ToolContext, ToolOutcome},
};
use serde::Deserialize;
use serde_json::json;

const MAX_PATHS: usize = 500;

/// The tool.
pub(crate) struct Glob;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Arguments {
    pattern: String,
    path: Option<String>,
}

#[async_trait]
impl Action for Glob {
    type Arguments = Arguments;

    fn spec(&self) -> ToolSpec {
        ToolSpec {
            name: "glob",
            description: "Finds files and directories whose path below a directory matches a glob such as `**/*.rs` or `src/*.{ts,tsx}`. Honours .gitignore; hidden files are included.",
            parameters: json!({
                "type": "object",
                "properties": {
                    "pattern": {
                        "type": "string",
                        "description": "The glob; `*` stays within a directory, `**` does not."
                    },
                    "path": {
                        "type": "string",
                        "description": "The directory to start at; the home directory unless given."
                    }
                },
                "required": ["pattern"],
                "additionalProperties": false
            }),
            read_only: true,
        }
    }

    async fn run(
        &self,
        context: &ToolContext<'_>,
        arguments: Arguments,
    ) -> Result<ToolOutcome, SandboxError> {
        let sandbox = context.sandbox.sandbox().await?;
        let root = arguments.path.unwrap_or_else(|| ".".into());
        let found = sandbox.glob(&root, &arguments.pattern, MAX_PATHS).await?;
        let count = found.items.len();
        if count == 0 {
            let text = format!("Nothing below {root} matches {}.", arguments.pattern);
            return Ok(ToolOutcome::ok(text).with("matches", 0));
        }
        let mut lines = found.items;
        if found.truncated {
            lines.push(format!(
                "[… more than {MAX_PATHS} match; narrow the pattern or the path …]"
            ));
        }
        Ok(ToolOutcome::ok(lines.join("\n"))
            .with("matches", count)
            .with("truncated", found.truncated))
    }
}
