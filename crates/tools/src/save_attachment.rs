//! Puts a file that came with a message into the sprite.

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
pub(crate) struct SaveAttachment;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Arguments {
    reference: String,
    path: String,
}

#[async_trait]
impl Action for SaveAttachment {
    type Arguments = Arguments;

    fn spec(&self) -> ToolSpec {
        ToolSpec {
            name: "save_attachment",
            description: "Fetches a file that was attached to a message and saves it in the sandbox. The message says its reference.",
            parameters: json!({
                "type": "object",
                "properties": {
                    "reference": {
                        "type": "string",
                        "description": "The reference the message names."
                    },
                    "path": {
                        "type": "string",
                        "description": "Where to save it; absolute, or relative to the home directory. What is there is replaced."
                    }
                },
                "required": ["reference", "path"],
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
        let Arguments { reference, path } = arguments;
        let bytes = match context.attachments.fetch(&reference).await {
            Ok(bytes) => bytes,
            Err(text) => {
                let text = format!("The attachment was not saved: {text}.");
                return Ok(ToolOutcome::error(text));
            }
        };
        let size = bytes.len();
        let sandbox = context.sandbox.sandbox().await?;
        sandbox.write_file(&path, bytes).await?;
        Ok(ToolOutcome::ok(format!("Saved {path} ({size} bytes).")).with("bytes", size))
    }
}
