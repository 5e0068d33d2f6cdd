//! Changes to the outside world: a row before an act.

use crate::{
    Timestamp,
    id::{ConversationId, EffectId, IntegrationId, JobId, TenantId},
    text::words,
};
use serde::{Deserialize, Serialize};

words!(
    /// Where an effect stands.
    EffectStatus {
        /// It waits for its turn, or for its next attempt.
        Pending = "pending",
        /// It waits for a human.
        Held = "held",
        /// A worker is sending it.
        Sending = "sending",
        /// The provider took it.
        Sent = "sent",
        /// The process died, or the connection broke, mid-send: nobody knows.
        Unknown = "unknown",
        /// It will not be sent; the reason says why.
        Failed = "failed",
        /// Somebody, or a newer effect, withdrew it.
        Cancelled = "cancelled",
    }
);

impl EffectStatus {
    /// Whether nothing will change any more without a human.
    pub const fn is_final(self) -> bool {
        matches!(self, Self::Sent | Self::Failed | Self::Cancelled)
    }
}

words!(
    /// Why an effect failed for good.
    DeadReason {
        /// It was too old to be of use.
        Expired = "expired",
        /// The destination refuses us: blocked bot, deleted chat, bad token.
        Blocked = "blocked",
        /// It was tried often enough.
        Attempts = "attempts",
    }
);

/// What an effect does. Everything a sender needs is here or in the conversation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum EffectAction {
    /// The answer, or a notice that there will be none; Markdown.
    Reply {
        /// The text.
        markdown: String,
        /// The vendor's id of the message it answers.
        reply_to: Option<String>,
    },
    /// A mark on the person's message: we have it.
    Receipt {
        /// The vendor's id of that message.
        message_id: String,
    },
    /// The one progress message of a job: sent once, then edited in place.
    Progress {
        /// The whole text as it should now read; Markdown.
        markdown: String,
        /// The vendor's id of the message to edit; absent for the first.
        edit: Option<String>,
    },
    /// A question with a button per answer: sent once, then edited in place when it needs no answer any more.
    Question {
        /// The whole text as it should now read; Markdown.
        markdown: String,
        /// The buttons; none once it is answered.
        choices: Vec<Choice>,
        /// The vendor's id of the message to edit; absent for the first.
        edit: Option<String>,
    },
}

/// A button.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Choice {
    /// What people read on it.
    pub label: String,
    /// What we are told when somebody presses it; at most 64 bytes.
    pub data: String,
}

impl EffectAction {
    /// The word stored beside the payload, for lists and filters.
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Reply { .. } => "reply",
            Self::Receipt { .. } => "receipt",
            Self::Progress { .. } => "progress",
            Self::Question { .. } => "question",
        }
    }

    /// Whether doing it twice looks the same as doing it once, so that an interrupted send may
    /// simply be repeated.
    pub const fn is_idempotent(&self) -> bool {
        match self {
            Self::Reply { .. } => false,
            Self::Receipt { .. } => true,
            Self::Progress { edit, .. } | Self::Question { edit, .. } => edit.is_some(),
        }
    }
}

/// The slot of a job's answer: the final text, or the notice that it failed.
pub const REPLY_SLOT: &str = "reply";
/// The slot of the mark on the person's message.
pub const RECEIPT_SLOT: &str = "receipt";
/// The prefix of the slots of the progress message and its edits.
pub const PROGRESS_SLOT: &str = "progress";
/// The prefix of the slots of questions and their edits.
pub const QUESTION_SLOT: &str = "question";

/// One change to the outside world, unique by (job, slot).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Effect {
    /// Its id.
    pub id: EffectId,
    /// The tenant it belongs to.
    pub tenant_id: TenantId,
    /// The job that wants it.
    pub job_id: JobId,
    /// Which of the job's effects it is; claims the right to be seen once.
    pub slot: String,
    /// The integration it goes through.
    pub integration_id: IntegrationId,
    /// The conversation it goes to.
    pub conversation_id: ConversationId,
    /// What it does.
    pub action: EffectAction,
    /// Where it stands.
    pub status: EffectStatus,
    /// Why it failed for good.
    pub dead_reason: Option<DeadReason>,
    /// The last error, in words for a person.
    pub detail: Option<String>,
    /// How often sending was begun.
    pub attempts: i32,
    /// Not before this instant.
    pub next_attempt_at: Timestamp,
    /// After this instant it is of no use.
    pub expires_at: Timestamp,
    /// The vendor's ids of what was sent, joined by commas when it took several messages.
    pub provider_reference: Option<String>,
    /// When it was written down.
    pub created_at: Timestamp,
    /// When it became final.
    pub settled_at: Option<Timestamp>,
}
