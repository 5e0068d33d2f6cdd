//! Finds files of the sprite by content.

use crate::action::Action;
use async_trait::async_trait;
use ports::{
    inference::ToolSpec,
    sandbox::{GrepRequest, SandboxError},
    tool::{ToolContext, ToolOutcome},
};
use serde::Deserialize;
use serde_json::json;

const MAX_MATCHES: usize = 200;

/// The tool.
pub(crate) struct Grep;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Arguments {
    pattern: String,
    path: Option<String>,
    glob: Option<String>,
    ignore_case: Option<bool>,
}

#[async_trait]
impl Action for Grep {
    type Arguments = Arguments;

    fn spec(&self) -> ToolSpec {
        ToolSpec {
            name: "grep",
            description: "Searches file contents for a regular expression (Rust syntax), line by line, and returns `path:line: text`. Honours .gitignore; binary files are left out.",
            parameters: json!({
                "type": "object",
                "properties": {
                    "pattern": {
                        "type": "string",
                        "description": "The regular expression."
                    },
                    "path": {
                        "type": "string",
                        "description": "A file or directory to search; the home directory unless given."
                    },
                    "glob": {
                        "type": "string",
                        "description": "Only files whose path below `path` matches this glob, such as `**/*.py`."
                    },
                    "ignore_case": {
                        "type": "boolean",
                        "description": "Whether case is ignored; it counts unless given."
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
        let request = GrepRequest {
            pattern: arguments.pattern,
            path: arguments.path.unwrap_or_else(|| ".".into()),
            glob: arguments.glob,
            ignore_case: arguments.ignore_case.unwrap_or(false),
            limit: MAX_MATCHES,
        };
        let found = sandbox.grep(request).await?;
        let count = found.items.len();
        if count == 0 {
            return Ok(ToolOutcome::ok("No line matches.").with("matches", 0));
        }
        let found_lines = found.items.iter();
        let mut lines: Vec<String> = found_lines
            .map(|found| format!("{}:{}: {}", found.path, found.line, found.text))
            .collect();
        if found.truncated {
            lines.push(format!(
                "[… more than {MAX_MATCHES} lines match; narrow the search …]"
            ));
        }
        Ok(ToolOutcome::ok(lines.join("\n"))
            .with("matches", count)
            .with("truncated", found.truncated))
    }
}
