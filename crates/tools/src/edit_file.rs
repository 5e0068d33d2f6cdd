//! Replaces text in a file of the sprite, exactly or not at all.

use crate::{action::Action, diff};
use async_trait::async_trait;
use ports::{
    inference::ToolSpec,
    sandbox::SandboxError,
    tool::{ToolContext, ToolOutcome},
};
use serde::Deserialize;
use serde_json::json;
use std::borrow::Cow;

const MAX_FILE_BYTES: u64 = 16 << 20;
const NAMED_LINES: usize = 5;

/// The tool.
pub(crate) struct EditFile;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Arguments {
    path: String,
    old_string: String,
    new_string: String,
    replace_all: Option<bool>,
}

#[async_trait]
impl Action for EditFile {
    type Arguments = Arguments;

    fn spec(&self) -> ToolSpec {
        ToolSpec {
            name: "edit_file",
            description: "Replaces a text in a file and returns the diff. `old_string` must be in the file exactly as given, spaces and line breaks included but without line numbers, and exactly once unless `replace_all` is true.",
            parameters: json!({
                "type": "object",
                "properties": {
                    "path": {
                        "type": "string",
                        "description": "Absolute, or relative to the home directory."
                    },
                    "old_string": {
                        "type": "string",
                        "description": "The text to replace, with enough around it to be unique."
                    },
                    "new_string": {
                        "type": "string",
                        "description": "The text to put in its place; may be empty."
                    },
                    "replace_all": {
                        "type": "boolean",
                        "description": "Replace every occurrence; only one unless given."
                    }
                },
                "required": ["path", "old_string", "new_string"],
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
        let path = &arguments.path;
        let bytes = sandbox.read_file(path, MAX_FILE_BYTES).await?;
        let Ok(old) = String::from_utf8(bytes.into()) else {
            let text = format!("{path} is not UTF-8 text; change it with bash.");
            return Ok(ToolOutcome::error(text));
        };
        let (new, count) = match replace(&old, &arguments) {
            Ok(replaced) => replaced,
            Err(text) => return Ok(ToolOutcome::error(format!("{path} is unchanged: {text}"))),
        };
        let diff = diff::between(path, &old, &new);
        sandbox.write_file(path, new.into()).await?;
        let places = if count == 1 {
            "1 place".into()
        } else {
            format!("{count} places")
        };
        Ok(
            ToolOutcome::ok(format!("Changed {path} in {places}:\n{diff}"))
                .with("replacements", count)
                .with("diff", diff),
        )
    }
}

/// The new content and the number of replacements; the error says why there is none.
fn replace(content: &str, arguments: &Arguments) -> Result<(String, usize), String> {
    if arguments.old_string.is_empty() {
        return Err("`old_string` is empty; use write_file for a new file".into());
    }
    if arguments.old_string == arguments.new_string {
        return Err("`old_string` and `new_string` are the same".into());
    }
    // A model sees lines without their ends, so it writes bare newlines.
    let windows = content.contains("\r\n")
        && content.matches('\n').count() == content.matches("\r\n").count();
    let [old, new] = [&arguments.old_string, &arguments.new_string].map(|text| {
        if windows && text.contains('\n') {
            Cow::Owned(text.replace("\r\n", "\n").replace('\n', "\r\n"))
        } else {
            Cow::Borrowed(text.as_str())
        }
    });
    let places: Vec<usize> = content
        .match_indices(&*old)
        .map(|(place, _)| place)
        .collect();
    match places.as_slice() {
        [] => Err("`old_string` is not in it. Read the file again and copy the text exactly, without the line numbers".into()),
        [_, _, ..] if arguments.replace_all != Some(true) => {
            let lines: Vec<String> = places
                .iter()
                .take(NAMED_LINES)
                .map(|place| (content.get(..*place).map_or(0, |before| before.matches('\n').count()) + 1).to_string())
                .collect();
            let more = if places.len() > NAMED_LINES { ", …" } else { "" };
            Err(format!(
                "`old_string` is in it {} times (lines {}{more}). Add more of the text around it, or set `replace_all`",
                places.len(),
                lines.join(", "),
            ))
        }
        all => Ok((content.replace(&*old, &new), all.len())),
    }
}

#[cfg(test)]
mod tests {
    use super::{Arguments, replace};

    fn edit(
        content: &str,
        old: &str,
        new: &str,
        all: Option<bool>,
    ) -> Result<(String, usize), String> {
        let arguments = Arguments {
            path: "f".into(),
            old_string: old.into(),
            new_string: new.into(),
            replace_all: all,
        };
        replace(content, &arguments)
    }

    #[test]
    fn a_unique_text_is_replaced_and_nothing_else() {
        assert_eq!(edit("a\nb\nc", "b\n", "", None), Ok(("a\nc".into(), 1)));
        assert_eq!(
            edit("aXbX", "X", "$1\\", Some(true)),
            Ok(("a$1\\b$1\\".into(), 2))
        );
    }

    #[test]
    fn line_ends_stay_as_they_are() {
        assert_eq!(
            edit("a\r\nb\r\nc", "a\nb", "x\ny\nz", None),
            Ok(("x\r\ny\r\nz\r\nc".into(), 1))
        );
        assert_eq!(
            edit("a\r\nb\n", "a\r\n", "c\n", None),
            Ok(("c\nb\n".into(), 1))
        );
    }

    #[test]
    fn what_is_ambiguous_or_missing_is_refused() {
        let error = edit("x\ny\nx\n", "x", "z", None).unwrap_err();
        assert!(
            error.starts_with("`old_string` is in it 2 times (lines 1, 3)"),
            "{error}"
        );
        assert!(edit("x", "X", "z", None).unwrap_err().contains("not in it"));
        assert!(edit("x", "", "z", None).is_err() && edit("x", "x", "x", None).is_err());
    }
}
