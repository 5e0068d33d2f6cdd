//! One request by the word it starts with. Who said it, and how politely, was taken off before.

use super::{
    Ask, clause,
    file::{file, script},
    words::{after_any, code, path},
};

/// The longest it pretends to think, in seconds.
const LONGEST_THOUGHT: u64 = 60;
const LONG_THOUGHT: u64 = 20;

/// What the text asks for; taking back what was asked for may come with something new.
pub(super) fn verb(text: &str) -> Option<Vec<Ask>> {
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
