//! What the demo model says. It always says what it is.

use domain::message::{Arguments, Content, Origin, Part, Role, Trust};
use ports::inference::Turn;

/// The most of a tool's output that an answer repeats, in characters.
const MAX_OUTPUT: usize = 3_000;
/// The most of somebody's words that an answer quotes.
const MAX_QUOTE: usize = 120;
/// The most of an earlier answer that is told again.
const MAX_ANSWER: usize = 600;

const NOTE: &str = "— demo/scripted, the built-in model without AI";

pub(super) const FAILED_ON_PURPOSE: &str = "That was meant to fail: you asked for it, so I read a \
    file that does not exist. A failing command does not end a job; its output comes back to the \
    model, which decides what to do next.";

/// What came of one step.
pub(super) enum Outcome<'a> {
    Did {
        label: &'a str,
        text: &'a str,
        failed: bool,
        shown: bool,
    },
    Thought(u64),
    Said(&'a str),
}

/// What it says when it understood nothing.
pub(super) fn help() -> String {
    "I am demo/scripted, the built-in model without AI. I understand a few plain requests:\n\
     - run `echo hello`\n\
     - write notes.txt: some text\n\
     - create a script hello.sh that prints \"hello\" and run it\n\
     - read notes.txt\n\
     - list\n\
     - remember that the office is in Lisbon\n\
     - what do you remember\n\
     - ask before running `touch deployed` (somebody approves or denies it)\n\
     - fail\n\
     - think for 10 seconds (write or cancel meanwhile)\n\
     - what did you do\n\n\
     Join several with “then”. For a model that understands everything else, set \
     ANTHROPIC_API_KEY or OPENAI_API_KEY."
        .to_owned()
}

/// What it says before it goes on, once somebody has written meanwhile.
pub(super) fn acknowledge(message: &str) -> String {
    format!(
        "I read your new message (“{}”) and take it into account.",
        quote(message)
    )
}

/// What it says to a message in between that it did not understand.
pub(super) fn unclear(message: &str) -> String {
    format!(
        "You also wrote “{}”; I could make nothing of that. I only understand plain requests, such as run `ls`.",
        quote(message)
    )
}

/// The final answer.
pub(super) fn compose(outcomes: Vec<Outcome<'_>>, steering: &[String]) -> String {
    let mut blocks: Vec<String> = steering
        .iter()
        .map(|text| {
            format!(
                "You wrote “{}” while I was working; I took it into account.",
                quote(text)
            )
        })
        .collect();
    let only_help = matches!(outcomes.as_slice(), [Outcome::Said(_)]);
    blocks.extend(outcomes.into_iter().map(|outcome| match outcome {
        Outcome::Did {
            label,
            text,
            failed: true,
            ..
        } => format!("I {label}, and it failed:\n{}", fenced(text)),
        Outcome::Did {
            label,
            text,
            shown: true,
            ..
        } => format!("I {label}:\n{}", fenced(text)),
        Outcome::Did { label, .. } => format!("I {label}."),
        Outcome::Thought(seconds) => format!("I thought for {seconds} seconds."),
        Outcome::Said(text) => text.to_owned(),
    }));
    if blocks.is_empty() {
        blocks.push("All right, I stopped.".to_owned());
    }
    if !only_help || !steering.is_empty() {
        blocks.push(NOTE.to_owned());
    }
    blocks.join("\n\n")
}

/// Whether a person asks this; what they only quote is nothing they ask for.
pub(super) fn is_asked(part: &Part) -> bool {
    part.origin == Origin::Human && part.trust != Trust::Untrusted
}

/// What happened in the turns before this request, as far as they were sent along.
pub(super) fn history(turns: &[Turn]) -> String {
    let parts: Vec<(Role, &Part)> = turns
        .iter()
        .flat_map(|turn| turn.parts.iter().map(|part| (turn.role, part)))
        .collect();
    let failed = |call: &str| {
        parts.iter().any(|(_, part)| {
            matches!(&part.content, Content::ToolResult { id, is_error: true, .. } if id == call)
        })
    };
    let lines: Vec<String> = parts
        .iter()
        .filter_map(|(role, part)| match &part.content {
            Content::Text { text } if *role == Role::User => {
                is_asked(part).then(|| format!("- You wrote: “{}”", quote(text)))
            }
            Content::Text { text } if *role == Role::Assistant && !text.is_empty() => {
                Some(format!("- I answered: “{}”", one_line(text, MAX_ANSWER)))
            }
            Content::ToolCall {
                id,
                name,
                arguments,
            } => {
                let end = if failed(id) { "; it failed" } else { "" };
                Some(format!("- I used {}{end}", deed(name, arguments)))
            }
            Content::Text { .. }
            | Content::Thinking { .. }
            | Content::ToolResult { .. }
            | Content::File { .. } => None,
        })
        .collect();
    if lines.is_empty() {
        "Nothing yet, as far as this conversation shows.".to_owned()
    } else {
        format!("This is what happened so far:\n{}", lines.join("\n"))
    }
}

fn deed(name: &str, arguments: &Arguments) -> String {
    let main = match arguments {
        Arguments::Valid { value } => ["command", "path"]
            .iter()
            .find_map(|field| value.get(field)?.as_str()),
        Arguments::Invalid { .. } => None,
    };
    match main {
        Some(main) => format!("{name}: `{}`", quote(main)),
        None => name.to_owned(),
    }
}

fn quote(text: &str) -> String {
    one_line(text, MAX_QUOTE)
}

fn one_line(text: &str, most: usize) -> String {
    let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    cut(&line, most)
}

fn cut(text: &str, most: usize) -> String {
    match text.char_indices().nth(most) {
        Some((end, _)) => format!("{}…", text.get(..end).unwrap_or_default()),
        None => text.to_owned(),
    }
}

/// The text in a fence longer than any it contains.
fn fenced(text: &str) -> String {
    let text = cut(text.trim_end(), MAX_OUTPUT);
    let mut fence = "```".to_owned();
    while text.contains(&fence) {
        fence.push('`');
    }
    format!("{fence}\n{text}\n{fence}")
}
