//! Makes a directory in the sprite.

use crate::action::Action;
use async_trait::async_trait;
use ports::{
    inference::ToolSpec,
    sandbox::SandboxError,
    tool::{ToolContext, ToolOutcome},
};
use serde::Deserialize;
use serde_json::json;

/// The tool.
pub(crate) struct CreateDirectory;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Arguments {
    path: String,
}

#[async_trait]
impl Action for CreateDirectory {
    type Arguments = Arguments;

    fn spec(&self) -> ToolSpec {
        ToolSpec {
            name: "create_directory",
            description: "Creates a directory and its missing parents. One that exists already is fine.",
            parameters: json!({
                "type": "object",
                "properties": {
                    "path": {
                        "type": "string",
                        "description": "Absolute, or relative to the home directory."
                    }
                },
                "required": ["path"],
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
        let sandbox = context.sandbox.sandbox().await?;
        sandbox.create_directory(&arguments.path).await?;
        Ok(ToolOutcome::ok(format!("{} is there.", arguments.path)))
    }
}
