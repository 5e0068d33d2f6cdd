//! How long what a job leaves behind is kept. Forgetting itself is done elsewhere.

use serde::{Deserialize, Serialize};
use std::num::NonZeroU32;

/// How long something is kept after its job has ended. As JSON: days, or null for good.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "Option<NonZeroU32>", into = "Option<NonZeroU32>")]
pub enum Kept {
    /// This many days.
    Days(NonZeroU32),
    /// For good.
    Forever,
}

/// How long what a job leaves behind is kept. What happened and what it cost (work items, decisions, jobs,
/// effects, model calls) is kept for good.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Retention {
    /// Messages and tool calls.
    #[serde(rename = "transcript_days")]
    pub transcripts: Kept,
    /// Event rows.
    #[serde(rename = "event_days")]
    pub events: Kept,
    /// What tools answered.
    #[serde(rename = "tool_output_days")]
    pub tool_output: Kept,
}

impl Kept {
    /// The days, when there is an end to them.
    pub const fn days(self) -> Option<NonZeroU32> {
        match self {
            Self::Days(days) => Some(days),
            Self::Forever => None,
        }
    }
}

impl From<Option<NonZeroU32>> for Kept {
    fn from(days: Option<NonZeroU32>) -> Self {
        days.map_or(Self::Forever, Self::Days)
    }
}

impl From<Kept> for Option<NonZeroU32> {
    fn from(kept: Kept) -> Self {
        kept.days()
    }
}
