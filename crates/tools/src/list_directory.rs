//! Shows what a directory of the sprite holds.

use crate::action::Action;
use async_trait::async_trait;
use ports::{
    inference::ToolSpec,
    sandbox::{DirectoryEntry, EntryKind, SandboxError},
    tool::{ToolContext, ToolOutcome},
};
use serde::Deserialize;
use serde_json::json;

const MAX_ENTRIES: usize = 1000;

/// The tool.
pub(crate) struct ListDirectory;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Arguments {
    path: Option<String>,
}

#[async_trait]
impl Action for ListDirectory {
    type Arguments = Arguments;

    fn spec(&self) -> ToolSpec {
        ToolSpec {
            name: "list_directory",
            description: "Lists a directory: names sorted, directories with a slash, files with their size in bytes. Hidden entries are included.",
            parameters: json!({
                "type": "object",
                "properties": {
                    "path": {
                        "type": "string",
                        "description": "Absolute, or relative to the home directory, which it is unless given."
                    }
                },
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
        let path = arguments.path.unwrap_or_else(|| ".".into());
        let entries = sandbox.list_directory(&path).await?;
        if entries.is_empty() {
            return Ok(ToolOutcome::ok(format!("{path} is empty.")).with("entries", 0));
        }
        let mut lines: Vec<String> = entries.iter().take(MAX_ENTRIES).map(line).collect();
        if let Some(left @ 1..) = entries.len().checked_sub(MAX_ENTRIES) {
            lines.push(format!(
                "[… {left} more entries; use glob to narrow it down …]"
            ));
        }
        Ok(ToolOutcome::ok(lines.join("\n")).with("entries", entries.len()))
    }
}

fn line(entry: &DirectoryEntry) -> String {
    let name = &entry.name;
    match entry.kind {
        EntryKind::File => format!("{name}\t{}", entry.bytes),
        EntryKind::Directory => format!("{name}/"),
        EntryKind::Symlink => format!("{name}\tsymbolic link"),
        EntryKind::Other => format!("{name}\tspecial file"),
    }
}
