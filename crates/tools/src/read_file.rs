//! Reads a text file of the sprite with line numbers.

use crate::action::Action;
use async_trait::async_trait;
use ports::{
    inference::ToolSpec,
    sandbox::SandboxError,
    tool::{ToolContext, ToolOutcome},
};
use serde::Deserialize;
use serde_json::json;
use std::fmt::Write as _;

const MAX_FILE_BYTES: u64 = 16 << 20;
const DEFAULT_LINES: usize = 2000;
const MAX_TEXT_BYTES: usize = 64 << 10;
const MAX_LINE_CHARACTERS: usize = 2000;
/// A NUL in the beginning makes a file binary.
const SNIFFED: usize = 8 << 10;

/// The tool.
pub(crate) struct ReadFile;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Arguments {
    path: String,
    offset: Option<usize>,
    limit: Option<usize>,
}

#[async_trait]
impl Action for ReadFile {
    type Arguments = Arguments;

    fn spec(&self) -> ToolSpec {
        ToolSpec {
            name: "read_file",
            description: "Reads a text file and returns its lines, each with its number and a tab before it. Long files come in parts; the answer says how to go on.",
            parameters: json!({
                "type": "object",
                "properties": {
                    "path": {
                        "type": "string",
                        "description": "Absolute, or relative to the home directory."
                    },
                    "offset": {
                        "type": "integer",
                        "minimum": 1,
                        "description": "The first line to read, from 1."
                    },
                    "limit": {
                        "type": "integer",
                        "minimum": 1,
                        "description": "How many lines to read; 2000 unless given."
                    }
                },
                "required": ["path"],
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
        let path = &arguments.path;
        let sandbox = context.sandbox.sandbox().await?;
        let bytes = sandbox.read_file(path, MAX_FILE_BYTES).await?;
        if bytes.iter().take(SNIFFED).any(|byte| *byte == 0) {
            let size = bytes.len();
            let text = format!(
                "{path} is a binary file of {size} bytes; look at it with bash, for example with `file` or `xxd`."
            );
            return Ok(ToolOutcome::error(text).with("bytes", size));
        }
        let first = arguments.offset.unwrap_or(1).max(1);
        let limit = arguments.limit.unwrap_or(DEFAULT_LINES).max(1);
        Ok(show(path, &String::from_utf8_lossy(&bytes), first, limit))
    }
}

fn show(path: &str, content: &str, first: usize, limit: usize) -> ToolOutcome {
    let total = content.lines().count();
    if total == 0 {
        return ToolOutcome::ok(format!("{path} is empty.")).with("lines", 0);
    }
    if first > total {
        let text = format!("{path} has only {total} lines; `offset` {first} is behind its end.");
        return ToolOutcome::error(text).with("lines", total);
    }
    let mut text = String::new();
    let mut next = first;
    for line in content.lines().skip(first - 1).take(limit) {
        if text.len() >= MAX_TEXT_BYTES {
            break;
        }
        let (shown, cut) = match line.char_indices().nth(MAX_LINE_CHARACTERS) {
            Some((end, _)) => line.split_at_checked(end).unwrap_or((line, "")),
            None => (line, ""),
        };
        // Writing to a string cannot fail.
        write!(text, "{next:>6}\t{shown}").unwrap_or(());
        if !cut.is_empty() {
            write!(text, " [… {} bytes cut …]", cut.len()).unwrap_or(());
        }
        text.push('\n');
        next += 1;
    }
    let left = total - (next - 1);
    if left > 0 {
        writeln!(text, "[… {left} more lines; go on with offset {next} …]").unwrap_or(());
    }
    if content.contains("\r\n") {
        text.push_str("[The file has CRLF line ends.]\n");
    }
    ToolOutcome::ok(text)
        .with("lines", total)
        .with("first_line", first)
        .with("last_line", next - 1)
}

#[cfg(test)]
mod tests {
    use super::show;

    #[test]
    fn lines_are_numbered_and_the_rest_is_announced() {
        let outcome = show("f", "a\nb\r\nc\nd", 2, 2);
        let expected = "     2\tb\n     3\tc\n[… 1 more lines; go on with offset 4 …]\n[The file has CRLF line ends.]\n";
        assert_eq!(outcome.text, expected);
        assert_eq!(show("f", "a\nb", 1, 9).text, "     1\ta\n     2\tb\n");
        assert!(show("f", "a\nb", 3, 9).is_error);
        assert_eq!(show("f", "", 1, 9).text, "f is empty.");
    }

    #[test]
    fn long_lines_and_long_files_are_cut() {
        let outcome = show("f", &"ü".repeat(3000), 1, 9);
        assert!(outcome.text.ends_with("ü [… 2000 bytes cut …]\n"));
        let outcome = show("f", &format!("{}\n", "x".repeat(999)).repeat(200), 1, 2000);
        assert!(outcome.text.contains("more lines; go on with offset"));
        assert!(outcome.text.len() < 70_000);
    }
}
