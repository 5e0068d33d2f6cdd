//! Finds the handful of plain requests in what a person wrote.
//!
//! No cleverness: a request it does not recognise stays unrecognised, and the answer says what would
//! have been.

mod file;
mod verb;
mod words;

pub(super) use file::shell_quote;

use file::interpreter;
use verb::verb;
use words::after_word;

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
