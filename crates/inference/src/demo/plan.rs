//! Decides the next step from the request alone.
//!
//! What the person asked for becomes a fixed list of steps; the results already in the history say
//! how many of them are done. That is the whole state.

use super::{
    answer::{self, Outcome},
    ask::{Ask, asks, shell_quote},
};
use domain::message::{Content, Origin, Part, Role};
use ports::inference::{ModelRequest, Turn};
use serde_json::{Value, json};

/// What the model does now.
pub(super) struct Plan {
    /// Seconds to think first.
    pub(super) think: u64,
    /// What to do then.
    pub(super) action: Action,
}

/// The end of an answer.
pub(super) enum Action {
    Answer(String),
    Call {
        preface: String,
        tool: &'static str,
        arguments: Value,
    },
}

/// One step of the list.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Step {
    Call {
        tool: &'static str,
        arguments: Value,
        /// What it does, after "I ".
        label: String,
        /// Whether people want to see what came out.
        shown: bool,
        /// Whether the next step is only done when this one succeeds.
        guards: bool,
    },
    Think(u64),
    Say(String),
}

/// The work since the last finished answer.
#[derive(Default)]
struct Work {
    steps: Vec<Step>,
    calls: usize,
    results: Vec<(String, bool)>,
    /// What people wrote after the work had begun, as far as it was understood.
    steering: Vec<String>,
    /// The newest message that has not been acknowledged yet.
    unread: Option<String>,
}

/// The next step.
pub(super) fn next(request: &ModelRequest) -> Plan {
    let start = request
        .turns
        .iter()
        .rposition(is_final)
        .map_or(0, |last| last + 1);
    let (earlier, current) = request.turns.split_at(start);
    let work = Work::read(current, request, earlier);
    let begun = work.position();
    let mut think = 0;
    for step in work.steps.iter().skip(begun) {
        match step {
            Step::Think(seconds) => think += seconds,
            Step::Say(_) => {}
            Step::Call {
                tool, arguments, ..
            } => {
                let preface = work.unread.as_deref().map(answer::acknowledge);
                return Plan {
                    think,
                    action: Action::Call {
                        preface: preface.unwrap_or_default(),
                        tool,
                        arguments: arguments.clone(),
                    },
                };
            }
        }
    }
    let mut results = work.results.iter();
    let outcomes = work.steps.iter().filter_map(|step| match step {
        Step::Call {
            label,
            shown,
            guards,
            ..
        } => results.next().map(|(text, failed)| Outcome::Did {
            label,
            text,
            // A no is an answer like any other.
            failed: *failed && !guards,
            shown: *shown,
        }),
        Step::Think(seconds) => Some(Outcome::Thought(*seconds)),
        Step::Say(text) => Some(Outcome::Said(text)),
    });
    Plan {
        think,
        action: Action::Answer(answer::compose(outcomes.collect(), &work.steering)),
    }
}

/// An answer that asked for no tool ended whatever came before it.
fn is_final(turn: &Turn) -> bool {
    let is_call = |part: &Part| matches!(part.content, Content::ToolCall { .. });
    turn.role == Role::Assistant && !turn.parts.iter().any(is_call)
}

impl Work {
    fn read(turns: &[Turn], request: &ModelRequest, earlier: &[Turn]) -> Self {
        let mut work = Self::default();
        let begins = turns.iter().position(|turn| turn.role == Role::Assistant);
        let opening = turns
            .get(..begins.unwrap_or(turns.len()))
            .unwrap_or_default();
        if !work.take(&said(opening), request, earlier) {
            work.steps.push(Step::Say(answer::help()));
        }
        for turn in turns.iter().skip(opening.len()) {
            match turn.role {
                Role::Assistant => {
                    let is_call = |p: &&Part| matches!(p.content, Content::ToolCall { .. });
                    work.calls += turn.parts.iter().filter(is_call).count();
                    work.unread = None;
                }
                Role::User | Role::Tool => {
                    for part in &turn.parts {
                        if let Content::ToolResult { text, is_error, .. } = &part.content {
                            work.results.push((text.clone(), *is_error));
                        }
                    }
                    for text in human(turn) {
                        work.unread = Some(text.to_owned());
                        if work.take(&[text], request, earlier) {
                            work.steering.push(text.to_owned());
                        } else {
                            work.steps.push(Step::Say(answer::unclear(text)));
                        }
                    }
                }
            }
        }
        work.drop_refused();
        work
    }

    /// Takes out the steps that a refusal stands before.
    fn drop_refused(&mut self) {
        let mut results = self.results.iter();
        let mut refused = false;
        self.steps.retain(|step| {
            if std::mem::take(&mut refused) {
                return false;
            }
            if let Step::Call { guards, .. } = step {
                refused = results.next().is_some_and(|(_, failed)| *failed && *guards);
            }
            true
        });
    }

    /// Adds what the texts ask for; returns whether anything was understood.
    fn take(&mut self, texts: &[&str], request: &ModelRequest, earlier: &[Turn]) -> bool {
        let mut understood = false;
        for ask in texts.iter().flat_map(|text| asks(text)) {
            understood = true;
            if ask == Ask::Drop {
                let done = self.position();
                self.steps.truncate(done);
            } else {
                self.steps.extend(steps(ask, request, earlier));
            }
        }
        understood
    }

    /// How many steps have begun: everything up to the last call that was made.
    fn position(&self) -> usize {
        let is_call = |(_, step): &(usize, &Step)| matches!(step, Step::Call { .. });
        let calls = self.steps.iter().enumerate().filter(is_call);
        match self.calls.checked_sub(1) {
            None => 0,
            Some(last) => calls
                .map(|(position, _)| position + 1)
                .nth(last)
                .unwrap_or(self.steps.len()),
        }
    }
}

fn human(turn: &Turn) -> Vec<&str> {
    let parts = turn.parts.iter().filter(|part| answer::is_asked(part));
    parts.filter_map(Part::as_text).collect()
}

/// What the messages say that the work begins with; the server's own words count only where no
/// person spoke.
fn said(opening: &[Turn]) -> Vec<&str> {
    let texts: Vec<&str> = opening.iter().flat_map(human).collect();
    if !texts.is_empty() {
        return texts;
    }
    let parts = opening.iter().flat_map(|turn| &turn.parts);
    let own = parts.filter(|part| part.origin == Origin::System);
    own.filter_map(Part::as_text).collect()
}

fn steps(ask: Ask, request: &ModelRequest, earlier: &[Turn]) -> Vec<Step> {
    let steps = match ask {
        Ask::Run(command) => vec![run(&command, format!("ran `{command}`"))],
        Ask::Approval(command) => asked_first(&command),
        Ask::Write { path, content } => vec![write(&path, &content)],
        Ask::Script {
            path,
            content,
            command,
        } => {
            let label = format!("ran `{command}`");
            vec![write(&path, &content), run(&command, label)]
        }
        Ask::Read(path) => vec![call(
            "read_file",
            json!({ "path": path }),
            format!("read `{path}`"),
        )],
        Ask::List(path) => {
            let label = format!("listed `{path}`");
            vec![call("list_directory", json!({ "path": path }), label)]
        }
        Ask::Remember(fact) => {
            let line = shell_quote(&format!("- {fact}"));
            let command = format!("printf '%s\\n' {line} >> ~/memory.md");
            vec![quiet(run(
                &command,
                format!("wrote “{fact}” into `memory.md`"),
            ))]
        }
        Ask::Recall => {
            let label = "looked into `memory.md`".to_owned();
            vec![call("read_file", json!({ "path": "memory.md" }), label)]
        }
        Ask::Fail => {
            let command = "cat /there/is/no/such/file";
            vec![
                run(command, format!("ran `{command}`")),
                Step::Say(answer::FAILED_ON_PURPOSE.to_owned()),
            ]
        }
        Ask::Think(seconds) => vec![Step::Think(seconds)],
        Ask::WhatDidYouDo => vec![Step::Say(answer::history(earlier))],
        Ask::Drop => Vec::new(),
    };
    let missing = steps.iter().find_map(|step| match step {
        Step::Call { tool, .. } if request.tools.iter().all(|spec| spec.name != *tool) => {
            Some(*tool)
        }
        Step::Call { .. } | Step::Think(_) | Step::Say(_) => None,
    });
    match missing {
        Some(tool) => vec![Step::Say(format!(
            "That needs the tool `{tool}`, which I was not given."
        ))],
        None => steps,
    }
}

/// A command behind a question to people.
fn asked_first(command: &str) -> Vec<Step> {
    let arguments = json!({
        "question": format!("May I run `{command}`?"),
        "action": { "tool": "bash", "command": command },
    });
    let label = format!("asked whether I may run `{command}`");
    let question = guarding(call("request_approval", arguments, label));
    vec![question, run(command, format!("ran `{command}`"))]
}

fn call(tool: &'static str, arguments: Value, label: String) -> Step {
    Step::Call {
        tool,
        arguments,
        label,
        shown: true,
        guards: false,
    }
}

fn run(command: &str, label: String) -> Step {
    call("bash", json!({ "command": command }), label)
}

fn write(path: &str, content: &str) -> Step {
    let arguments = json!({ "path": path, "content": content });
    quiet(call("write_file", arguments, format!("wrote `{path}`")))
}

fn quiet(mut step: Step) -> Step {
    if let Step::Call { shown, .. } = &mut step {
        *shown = false;
    }
    step
}

fn guarding(mut step: Step) -> Step {
    if let Step::Call { guards, .. } = &mut step {
        *guards = true;
    }
    step
}
