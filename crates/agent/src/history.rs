//! What an agent remembers of a thread: its earlier jobs there, told briefly. Tool calls are told in
//! prose, so that no old call can ever lack its result.

use domain::{
    job::{Job, JobStatus},
    message::{Arguments, Content, Message, Part, Role},
};
use ports::inference::Turn;

/// How many earlier jobs are told.
pub const JOBS: u32 = 12;
/// How many tool calls of one job are told.
const CALLS: usize = 12;
/// How much of a call, or of its result, is told, in characters.
const EXCERPT: usize = 300;
/// How much of one message is told, in characters.
const MESSAGE: usize = 4_000;

/// The earlier jobs of a thread as turns, oldest first. `messages` are ordered by sequence within a job.
pub fn turns(jobs: &[Job], messages: &[Message]) -> Vec<Turn> {
    let mut jobs: Vec<&Job> = jobs.iter().collect();
    jobs.sort_by_key(|job| job.id);
    jobs.into_iter()
        .flat_map(|job| {
            let own: Vec<&Message> = messages.iter().filter(|m| m.job_id == job.id).collect();
            told(job, &own)
        })
        .collect()
}

fn told(job: &Job, messages: &[&Message]) -> Vec<Turn> {
    let asked: Vec<Part> = messages
        .iter()
        .filter(|m| m.role == Role::User)
        .flat_map(|m| &m.parts)
        .filter_map(|part| part.as_text().map(|text| (part, text)))
        .map(|(part, text)| Part {
            content: Content::Text {
                text: excerpt(text, MESSAGE),
            },
            ..part.clone()
        })
        .collect();
    if asked.is_empty() {
        return Vec::new();
    }
    let answer = Part::model(Content::Text {
        text: answered(job, messages),
    });
    vec![
        Turn {
            role: Role::User,
            parts: asked,
        },
        Turn {
            role: Role::Assistant,
            parts: vec![answer],
        },
    ]
}

fn answered(job: &Job, messages: &[&Message]) -> String {
    let mut lines = calls(messages);
    let last = messages
        .iter()
        .rev()
        .find(|m| m.role == Role::Assistant)
        .map(|m| m.text());
    lines.push(match (job.status, last) {
        (JobStatus::Completed, Some(text)) if !text.is_empty() => excerpt(&text, MESSAGE),
        (JobStatus::Failed, _) => {
            let why = job
                .failure
                .as_ref()
                .map_or("no reason recorded", |f| f.message.as_str());
            format!("[I could not finish this: {why}]")
        }
        (JobStatus::Cancelled, _) => "[This was stopped before I finished.]".to_owned(),
        (JobStatus::Completed | JobStatus::Queued | JobStatus::Running | JobStatus::Waiting, _) => {
            "[I gave no answer in words.]".to_owned()
        }
    });
    lines.join("\n")
}

fn calls(messages: &[&Message]) -> Vec<String> {
    let asked: Vec<(&str, &str, &Arguments)> =
        messages.iter().flat_map(|m| m.tool_calls()).collect();
    let mut lines: Vec<String> = asked
        .iter()
        .take(CALLS)
        .map(|(id, name, arguments)| {
            let arguments = match arguments {
                Arguments::Valid { value } => value.to_string(),
                Arguments::Invalid { raw, .. } => raw.clone(),
            };
            let result = result_of(messages, id).unwrap_or("no result");
            format!(
                "[I used {name} {} and got: {}]",
                excerpt(&arguments, EXCERPT),
                excerpt(result, EXCERPT)
            )
        })
        .collect();
    if asked.len() > CALLS {
        lines.push(format!("[I used {} more tools.]", asked.len() - CALLS));
    }
    lines
}

fn result_of<'m>(messages: &[&'m Message], call: &str) -> Option<&'m str> {
    messages
        .iter()
        .flat_map(|m| &m.parts)
        .find_map(|part| match &part.content {
            Content::ToolResult { id, text, .. } if id == call => Some(text.as_str()),
            Content::ToolResult { .. }
            | Content::Text { .. }
            | Content::Thinking { .. }
            | Content::ToolCall { .. }
            | Content::File { .. } => None,
        })
}

fn excerpt(text: &str, most: usize) -> String {
    match text.char_indices().nth(most) {
        None => text.to_owned(),
        Some((end, _)) => format!("{}…", text.get(..end).unwrap_or(text)),
    }
}
