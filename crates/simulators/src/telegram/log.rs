//! What happened, in order, for an independent checker: updates offered and accepted, messages
//! written and changed. It only records; nothing here decides.

use super::methods::integer;
use serde_json::Value;
use std::time::SystemTime;

/// What an entry tells of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogKind {
    /// An update was handed to the bot, who may or may not have it.
    Offered,
    /// The bot took an update: 2xx from its webhook, or a later offset. It never comes again.
    Accepted,
    /// A message of the bot exists.
    Sent,
    /// A message of the bot has another text.
    Edited,
}

/// One thing that happened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogEntry {
    /// What.
    pub kind: LogKind,
    /// When; entries are in order also when the clock is not.
    pub at: SystemTime,
    /// The Bot API's method; `webhook` for what went to the bot's own address.
    pub method: &'static str,
    /// Where; 0 for updates without a chat.
    pub chat: i64,
    /// The update, of those that were offered or accepted.
    pub update_id: Option<i64>,
    /// The person's message in the update, or the bot's own.
    pub message_id: Option<i64>,
    /// What it says, markup removed.
    pub text: String,
    /// Whether the bot was told; false = the answer was lost or cut on purpose.
    pub answered: bool,
}

impl LogEntry {
    /// An update on its way.
    pub(super) fn update(kind: LogKind, method: &'static str, update: &Value) -> Self {
        let message = update
            .get("message")
            .or_else(|| update.get("edited_message"))
            .unwrap_or(&Value::Null);
        let text = message.get("text").or_else(|| message.get("caption"));
        Self {
            kind,
            at: SystemTime::now(),
            method,
            chat: chat(update).unwrap_or_default(),
            update_id: integer(update, "update_id"),
            message_id: integer(message, "message_id"),
            text: text.and_then(Value::as_str).unwrap_or_default().to_owned(),
            answered: true,
        }
    }

    /// A message of the bot, as the method answers it.
    pub(super) fn message(
        kind: LogKind,
        method: &'static str,
        message: &Value,
        answered: bool,
    ) -> Self {
        let text = message.get("text").and_then(Value::as_str);
        let chat = message.pointer("/chat/id").and_then(Value::as_i64);
        Self {
            kind,
            at: SystemTime::now(),
            method,
            chat: chat.unwrap_or_default(),
            update_id: None,
            message_id: integer(message, "message_id"),
            text: text.unwrap_or_default().to_owned(),
            answered,
        }
    }
}

/// The chat of an update.
pub(super) fn chat(update: &Value) -> Option<i64> {
    let message = update
        .get("message")
        .or_else(|| update.get("edited_message"))?;
    message.pointer("/chat/id")?.as_i64()
}
