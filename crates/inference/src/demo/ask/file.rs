//! Files that a person wants written: their name, their content, and what runs them.

use super::{
    Ask,
    words::{after_any, path, unquote},
};

/// `[a] script [X] that prints Y [and run it]`
pub(super) fn script(rest: &str) -> Option<Ask> {
    let rest = after_any(
        rest,
        &["a shell script", "a small script", "a script", "script"],
    )?;
    let lower = rest.to_ascii_lowercase();
    let (at, marker) = ["that prints", "that says", "printing", "which prints"]
        .iter()
        .find_map(|marker| Some((lower.find(marker)?, marker)))?;
    let name = rest.get(..at)?.trim();
    let name = after_any(name, &["called", "named"]).unwrap_or(name);
    let path = path(name).unwrap_or_else(|| "script.sh".to_owned());
    let what = rest.get(at + marker.len()..)?.trim();
    let (what, run) = match what.to_ascii_lowercase().rfind(" and run") {
        Some(end) => (what.get(..end)?, true),
        None => (what, false),
    };
    let what = unquote(what.trim_end_matches(['.', '!']));
    let content = program(&path, what);
    Some(if run {
        Ask::Script {
            command: format!("{} {}", interpreter(&path), shell_quote(&path)),
            path,
            content,
        }
    } else {
        Ask::Write { path, content }
    })
}

/// A program that prints the text, in the language of the file's ending.
fn program(path: &str, what: &str) -> String {
    let literal = serde_json::Value::from(what).to_string();
    match interpreter(path) {
        "python3" => format!("print({literal})\n"),
        "node" => format!("console.log({literal})\n"),
        _ => {
            let line = match what {
                "the date" => "date".to_owned(),
                _ => format!("printf '%s\\n' {}", shell_quote(what)),
            };
            format!("#!/bin/sh\n{line}\n")
        }
    }
}

/// `<file>: <content>`, `[a] file X with Y`, `Y to X`
pub(super) fn file(rest: &str) -> Option<Ask> {
    let rest = after_any(rest, &["a file", "the file", "file"]).unwrap_or(rest);
    let rest = after_any(rest, &["called", "named"]).unwrap_or(rest);
    if let Some((name, content)) = rest.split_once(':')
        && let Some(path) = path(name)
    {
        return Some(write(path, content));
    }
    for marker in [
        " with the content ",
        " with the text ",
        " with content ",
        " that says ",
        " containing ",
        " with ",
    ] {
        if let Some((name, content)) = rest.split_once(marker)
            && let Some(path) = path(name)
        {
            return Some(write(path, content));
        }
    }
    let (content, name) = rest.rsplit_once(" to ")?;
    Some(write(path(name)?, content))
}

fn write(path: String, content: &str) -> Ask {
    let mut content = unquote(content).to_owned();
    if !content.ends_with('\n') {
        content.push('\n');
    }
    Ask::Write { path, content }
}

/// What runs a file, by its ending.
pub(super) fn interpreter(path: &str) -> &'static str {
    match path.rsplit_once('.') {
        Some((_, "py")) => "python3",
        Some((_, "js")) => "node",
        _ => "sh",
    }
}

/// The text as one word of a shell.
pub(in crate::demo) fn shell_quote(text: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "._-/".contains(c);
    if !text.is_empty() && text.chars().all(plain) {
        text.to_owned()
    } else {
        format!("'{}'", text.replace('\'', r"'\''"))
    }
}
