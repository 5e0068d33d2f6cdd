//! Finds the handful of plain requests in what a person wrote.
//!
//! No cleverness: a request it does not recognise stays unrecognised, and the answer says what would
//! have been.

/// The longest it pretends to think, in seconds.
const LONGEST_THOUGHT: u64 = 60;
const LONG_THOUGHT: u64 = 20;

/// One thing a person wants.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Ask {
    Run(String),
    /// A command that people are asked about first.
    Approval(String),
    Write {
        path: String,
        content: String,
    },
    /// A file that is then run.
    Script {
        path: String,
        content: String,
        command: String,
    },
    Read(String),
    List(String),
    Remember(String),
    Recall,
    Fail,
    /// Seconds.
    Think(u64),
    WhatDidYouDo,
    /// Forget what has not been started.
    Drop,
}

/// Everything a message asks for, in order; empty when nothing was understood.
pub(super) fn asks(text: &str) -> Vec<Ask> {
    let whole = clauses(text);
    if !whole.is_empty() {
        return whole;
    }
    // The request may stand below a line that says who wrote it.
    text.lines()
        .map(clauses)
        .find(|asks| !asks.is_empty())
        .unwrap_or_default()
}

fn clauses(text: &str) -> Vec<Ask> {
    let mut asks = Vec::new();
    let mut written: Option<String> = None;
    for ask in split_then(text).into_iter().flat_map(clause) {
        match (&ask, &written) {
            (Ask::Run(command), Some(path)) if means(command, path) => {
                asks.push(Ask::Run(format!(
                    "{} {}",
                    interpreter(path),
                    shell_quote(path)
                )));
            }
            // "Run it" without anything to run.
            (Ask::Run(command), None) if means(command, "it") => {}
            (Ask::Write { path, .. }, _) => {
                written = Some(path.clone());
                asks.push(ask);
            }
            _ => asks.push(ask),
        }
    }
    asks
}

/// Whether somebody who says "run …" means the file just written.
fn means(command: &str, path: &str) -> bool {
    let command = command.trim_end_matches(['.', '!']);
    command == path || ["it", "that", "the script"].contains(&command)
}

fn interpreter(path: &str) -> &'static str {
    match path.rsplit_once('.') {
        Some((_, "py")) => "python3",
        Some((_, "js")) => "node",
        _ => "sh",
    }
}

/// Splits at "then" outside quotes and backticks.
fn split_then(text: &str) -> Vec<&str> {
    let lower = text.to_ascii_lowercase();
    let mut parts = Vec::new();
    let (mut start, mut quote) = (0, None);
    for (at, c) in text.char_indices() {
        match (quote, c) {
            (None, '`' | '"') => quote = Some(c),
            (Some(open), c) if open == c => quote = None,
            (None, ' ')
                if lower
                    .get(at..)
                    .is_some_and(|rest| rest.starts_with(" then ")) =>
            {
                parts.push(text.get(start..at).unwrap_or_default());
                start = at + " then ".len();
            }
            _ => {}
        }
    }
    parts.push(text.get(start..).unwrap_or_default());
    let joined = |part: &'_ str| -> usize {
        let part = part.trim_end().trim_end_matches([',', ';']);
        let part = part.strip_suffix(" and").unwrap_or(part);
        part.trim_end_matches([',', ';']).len()
    };
    parts
        .into_iter()
        .map(|part| part.get(..joined(part)).unwrap_or(part).trim())
        .collect()
}

fn clause(text: &str) -> Vec<Ask> {
    let text = strip_manners(text);
    if let Some(asks) = verb(text) {
        return asks;
    }
    // A name before the request: "Ada: run …", "Ada, run …", "Ada (guest): run …", "Scout run …".
    let after = |mark: char| Some(text.split_once(mark)?.1);
    let word = after_name(text);
    [after(':'), after(','), after(']'), word]
        .into_iter()
        .flatten()
        .find_map(|rest| verb(strip_manners(rest)))
        .or_else(|| quoted_command(text))
        .unwrap_or_default()
}

/// What follows a first word that can be somebody's name.
fn after_name(text: &str) -> Option<&str> {
    const NO_NAMES: [&str; 12] = [
        "do", "did", "how", "i", "never", "not", "should", "they", "to", "we", "why", "you",
    ];
    let (name, rest) = text.split_once(char::is_whitespace)?;
    let letters = |c: char| c.is_alphanumeric() || c == '_' || c == '-';
    let is_name =
        name.chars().all(letters) && NO_NAMES.iter().all(|word| !name.eq_ignore_ascii_case(word));
    is_name.then_some(rest)
}

/// "… run `x` …" anywhere is clear enough.
fn quoted_command(text: &str) -> Option<Vec<Ask>> {
    let at = text.to_ascii_lowercase().find("run `")?;
    verb(text.get(at..)?)
}

fn strip_manners(text: &str) -> &str {
    const MANNERS: [&str; 14] = [
        "please",
        "hey",
        "hi",
        "hello",
        "ok",
        "okay",
        "now",
        "also",
        "and",
        "could you",
        "can you",
        "would you",
        "i want you to",
        "actually",
    ];
    let mut text = text.trim();
    loop {
        let mut shorter = text;
        if text.starts_with('@') {
            shorter = text
                .split_once(char::is_whitespace)
                .map_or("", |(_, rest)| rest);
        }
        for word in MANNERS {
            shorter = after_word(shorter, word).unwrap_or(shorter);
        }
        shorter = shorter.trim_start_matches([',', '.', '!', ' ', '\n']);
        if shorter.len() == text.len() {
            return text;
        }
        text = shorter;
    }
}

/// What follows `word` (any case) at the start of the text, without leading space.
fn after_word<'t>(text: &'t str, word: &str) -> Option<&'t str> {
    let head = text.get(..word.len())?;
    let rest = text.get(word.len()..)?;
    let ends = rest
        .chars()
        .next()
        .is_none_or(|c| !c.is_alphanumeric() && c != '_');
    (head.eq_ignore_ascii_case(word) && ends).then(|| rest.trim_start())
}

fn after_any<'t>(text: &'t str, words: &[&str]) -> Option<&'t str> {
    words.iter().find_map(|word| after_word(text, word))
}

fn verb(text: &str) -> Option<Vec<Ask>> {
    if let Some(rest) = after_any(
        text,
        &["never mind", "nevermind", "stop", "cancel", "instead"],
    ) {
        let mut asks = vec![Ask::Drop];
        asks.extend(clause(rest.trim_start_matches([',', ':', '.', ' '])));
        return Some(asks);
    }
    one(text).map(|ask| vec![ask])
}

fn one(text: &str) -> Option<Ask> {
    let bare = text
        .trim_end_matches(['?', '!', '.', ' '])
        .to_ascii_lowercase();
    match bare.as_str() {
        "fail" | "fail please" => return Some(Ask::Fail),
        "think" | "think long" | "think hard" => return Some(Ask::Think(LONG_THOUGHT)),
        "what did you do" | "what have you done" => return Some(Ask::WhatDidYouDo),
        "what do you remember" | "recall" => return Some(Ask::Recall),
        "ls" | "list" | "list files" | "list the files" => return Some(Ask::List(".".to_owned())),
        _ => {}
    }
    if bare.starts_with("what did you do") {
        return Some(Ask::WhatDidYouDo);
    }
    if bare.starts_with("what do you remember") {
        return Some(Ask::Recall);
    }
    if let Some(rest) = after_any(text, &["think for", "think"]) {
        return thought(rest);
    }
    if let Some(rest) = after_any(text, &["remember that", "remember"]) {
        let fact = rest.trim_start_matches(':').trim();
        return (!fact.is_empty()).then(|| Ask::Remember(fact.to_owned()));
    }
    if let Some(rest) = after_any(
        text,
        &[
            "ask for approval to run",
            "ask before you run",
            "ask before running",
        ],
    ) {
        return match command(rest)? {
            Ask::Run(command) => Some(Ask::Approval(command)),
            other => Some(other),
        };
    }
    if let Some(rest) = after_any(text, &["run the command", "run command", "run", "execute"]) {
        return command(rest);
    }
    if let Some(rest) = after_any(text, &["read the file", "read file", "read", "cat"]) {
        return path(rest).map(Ask::Read);
    }
    if let Some(rest) = after_any(text, &["list the files in", "list files in", "list", "ls"]) {
        return if rest.starts_with('-') {
            Some(Ask::Run(format!("ls {rest}")))
        } else {
            path(rest).map(Ask::List)
        };
    }
    let rest = after_any(text, &["create", "make", "write"])?;
    script(rest).or_else(|| file(rest))
}

fn thought(rest: &str) -> Option<Ask> {
    let digits: String = rest.chars().take_while(char::is_ascii_digit).collect();
    let number: u64 = digits.parse().ok()?;
    let unit = rest.get(digits.len()..)?.trim_start();
    let seconds = if unit.starts_with("min") {
        number.saturating_mul(60)
    } else {
        number
    };
    Some(Ask::Think(seconds.clamp(1, LONGEST_THOUGHT)))
}

fn command(rest: &str) -> Option<Ask> {
    let rest = rest.trim_start_matches(':').trim();
    let command = code(rest).unwrap_or(rest).trim();
    (!command.is_empty()).then(|| Ask::Run(command.to_owned()))
}

/// What stands between backticks, fenced or inline.
fn code(text: &str) -> Option<&str> {
    if let Some((_, fenced)) = text.split_once("```") {
        let (body, _) = fenced.split_once("```")?;
        // The first line of a fence names the language.
        return Some(body.split_once('\n').map_or(body, |(_, lines)| lines));
    }
    let (_, rest) = text.split_once('`')?;
    Some(rest.split_once('`')?.0)
}

fn path(text: &str) -> Option<String> {
    let path = unquote(text.trim().trim_end_matches(['?', '!']));
    let path = path.trim_end_matches('.');
    let path = if path.is_empty() { text.trim() } else { path };
    let one_word = !path.is_empty() && !path.contains(char::is_whitespace);
    one_word.then(|| path.to_owned())
}

fn unquote(text: &str) -> &str {
    let text = text.trim();
    ['"', '`', '\'']
        .iter()
        .find_map(|q| text.strip_prefix(*q)?.strip_suffix(*q))
        .unwrap_or(text)
}

/// `[a] script [X] that prints Y [and run it]`
fn script(rest: &str) -> Option<Ask> {
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
fn file(rest: &str) -> Option<Ask> {
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

/// The text as one word of a shell.
pub(super) fn shell_quote(text: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "._-/".contains(c);
    if !text.is_empty() && text.chars().all(plain) {
        text.to_owned()
    } else {
        format!("'{}'", text.replace('\'', r"'\''"))
    }
}
