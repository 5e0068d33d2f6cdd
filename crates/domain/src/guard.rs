//! Rules that end loops: bots that answer each other, a job that does the same thing over and over, a
//! job that takes its worker down each time. They judge facts they are given; finding these is the
//! runtime's business.

use crate::{
    Timestamp,
    message::{Arguments, Content, Message, Part, Role},
};
use serde::{Deserialize, Serialize};
use std::{collections::HashMap, fmt, time::Duration};

/// The most items of one bot that [`LoopLimits::bot_window_items`] is judged by, however long the
/// window and its cool-down are.
pub const LOOK_BACK: u32 = 1_000;

/// Where an agent stops to go along. Stored as JSON: one that was written before a limit existed reads
/// that limit's default.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct LoopLimits {
    /// How many messages of bots in a row, since a person last spoke in the conversation, it acts on.
    pub relay_depth: u32,
    /// How many messages of one bot in one conversation it takes within the window.
    pub bot_window_items: u32,
    /// How long that window is, in seconds.
    pub bot_window_seconds: u32,
    /// How long that bot is then passed over, in seconds.
    pub bot_cooldown_seconds: u32,
    /// How often in a row a job may use the same tool with the same arguments and the same result.
    pub identical_calls: u32,
    /// After how many same answers in a row to bots it answers them no more until a person speaks.
    pub identical_answers: u32,
    /// How often a job is resumed without having got any further.
    pub resumes: u32,
}

impl Default for LoopLimits {
    fn default() -> Self {
        Self {
            relay_depth: 3,
            bot_window_items: 20,
            bot_window_seconds: 60,
            bot_cooldown_seconds: 60,
            identical_calls: 5,
            identical_answers: 3,
            resumes: 3,
        }
    }
}

/// A limit that cannot be what it was set to.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("must be from {least} to {most}")]
pub struct OutOfRange {
    /// The limit.
    pub limit: &'static str,
    /// The least it may be.
    pub least: u32,
    /// The most it may be.
    pub most: u32,
}

impl LoopLimits {
    /// Refuses what would switch a guard off or make it look at more than it can.
    pub fn check(&self) -> Result<(), OutOfRange> {
        let ranges = [
            ("relay_depth", self.relay_depth, 0, 100),
            ("bot_window_items", self.bot_window_items, 1, 500),
            ("bot_window_seconds", self.bot_window_seconds, 1, 3_600),
            ("bot_cooldown_seconds", self.bot_cooldown_seconds, 0, 3_600),
            ("identical_calls", self.identical_calls, 2, 100),
            ("identical_answers", self.identical_answers, 1, 12),
            ("resumes", self.resumes, 1, 100),
        ];
        match ranges
            .into_iter()
            .find(|(_, value, least, most)| value < least || value > most)
        {
            Some((limit, _, least, most)) => Err(OutOfRange { limit, least, most }),
            None => Ok(()),
        }
    }

    /// How long a bot's items matter to its window.
    pub fn bot_memory(&self) -> Duration {
        seconds(self.bot_window_seconds) + seconds(self.bot_cooldown_seconds)
    }
}

/// What happened in a conversation before a bot's message, and with it.
#[derive(Clone, Copy, Debug, Default)]
pub struct Trail<'a> {
    /// Who wrote its messages, this one included, newest first: true for a bot. One more than
    /// [`LoopLimits::relay_depth`] is enough.
    pub bots: &'a [bool],
    /// When this bot's messages came in, this one included, newest first: those within
    /// [`LoopLimits::bot_memory`], at most [`LOOK_BACK`].
    pub arrivals: &'a [Timestamp],
    /// What the agent last answered there to bots, newest first, back to what it answered to a person.
    pub answers: &'a [String],
}

/// Why a bot's message looks like part of a loop.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Suspicion {
    /// Bots have talked among themselves for long enough.
    RelayDepth(u32),
    /// The bot writes faster than anybody should answer.
    BotWindow {
        /// How many messages it may write,
        items: u32,
        /// in this time,
        seconds: u32,
        /// and how long it is then passed over.
        cooldown: u32,
    },
    /// The answer would be the same again.
    SameAnswers(u32),
}

impl fmt::Display for Suspicion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::RelayDepth(most) => write!(
                f,
                "relay_depth: more than {most} messages in a row came from bots; the agent acts again once a person speaks"
            ),
            Self::BotWindow {
                items,
                seconds,
                cooldown,
            } => write!(
                f,
                "loop suspected: bot_window: this bot wrote more than {items} messages in {seconds} s; it is passed over until {cooldown} s after it slowed down"
            ),
            Self::SameAnswers(times) => write!(
                f,
                "loop suspected: identical_answers: the last {times} answers to bots here were the same; the agent acts again once a person speaks"
            ),
        }
    }
}

/// What, if anything, speaks against acting on a bot's message.
pub fn suspicion(limits: &LoopLimits, trail: &Trail<'_>) -> Option<Suspicion> {
    let in_a_row = trail.bots.iter().take_while(|bot| **bot).count();
    if in_a_row > count(limits.relay_depth) {
        return Some(Suspicion::RelayDepth(limits.relay_depth));
    }
    if is_crowded(limits, trail.arrivals) {
        return Some(Suspicion::BotWindow {
            items: limits.bot_window_items,
            seconds: limits.bot_window_seconds,
            cooldown: limits.bot_cooldown_seconds,
        });
    }
    let last = trail.answers.first()?;
    let same = trail.answers.iter().take_while(|answer| *answer == last);
    (same.count() >= count(limits.identical_answers))
        .then_some(Suspicion::SameAnswers(limits.identical_answers))
}

/// Whether the window was overfull when the newest item came, or so shortly before that it still cools
/// down. An item that is passed over counts as well: who does not slow down stays out.
fn is_crowded(limits: &LoopLimits, arrivals: &[Timestamp]) -> bool {
    let Some(newest) = arrivals.first() else {
        return false;
    };
    let window = seconds(limits.bot_window_seconds);
    let cooldown = seconds(limits.bot_cooldown_seconds);
    let within = |from: Timestamp, to: Timestamp, span: Duration| {
        (to - from).to_std().unwrap_or_default() < span
    };
    arrivals
        .iter()
        .zip(arrivals.iter().skip(count(limits.bot_window_items)))
        .enumerate()
        .any(|(age, (full, first))| {
            (age == 0 || within(*full, *newest, cooldown)) && within(*first, *full, window)
        })
}

/// The tool that a job has used so often in a row, with the same arguments and the same result, that
/// it gets nowhere; `None` while it does, and when a person has spoken meanwhile.
pub fn repeated_call(transcript: &[Message], limit: u32) -> Option<&str> {
    let mut results: HashMap<&str, (&str, bool)> = HashMap::new();
    let mut row: Option<(&str, &Arguments, (&str, bool))> = None;
    let mut times = 0;
    for message in transcript.iter().rev() {
        match message.role {
            Role::User => return None,
            Role::Tool => {
                results.extend(message.parts.iter().filter_map(result));
            }
            Role::Assistant => {
                let calls: Vec<_> = message.tool_calls().collect();
                if calls.is_empty() {
                    return None;
                }
                for (id, name, arguments) in calls.into_iter().rev() {
                    // Providers number calls per message: a result belongs to the calls right before it.
                    let used = (name, arguments, results.remove(id)?);
                    if *row.get_or_insert(used) != used {
                        return None;
                    }
                    times += 1;
                    if times >= limit {
                        return Some(name);
                    }
                }
            }
        }
    }
    None
}

/// A result by the id of its call: what was answered, and whether it failed.
fn result(part: &Part) -> Option<(&str, (&str, bool))> {
    match &part.content {
        Content::ToolResult {
            id, text, is_error, ..
        } => Some((id, (text, *is_error))),
        Content::Text { .. }
        | Content::Thinking { .. }
        | Content::ToolCall { .. }
        | Content::File { .. } => None,
    }
}

/// Whether a job was resumed so often without getting any further that it must be what kills its workers.
pub const fn is_abandoned(resumes: u32, limits: &LoopLimits) -> bool {
    resumes > limits.resumes
}

const fn seconds(seconds: u32) -> Duration {
    Duration::from_secs(seconds as u64)
}

fn count(limit: u32) -> usize {
    usize::try_from(limit).unwrap_or(usize::MAX)
}

#[cfg(test)]
#[path = "guard_tests.rs"]
mod tests;
