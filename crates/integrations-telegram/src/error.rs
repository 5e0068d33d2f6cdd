//! What can go wrong with a call, and what it means to whoever asked. Texts are made once, here,
//! with the way out for a person.

use ports::channel::ChannelError;
use std::time::Duration;

/// How one call of the Bot API failed. All texts are free of secrets.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum ApiError {
    /// Telegram answered no.
    #[error("{description}")]
    Declined {
        /// The error code, which is also the HTTP status.
        code: u16,
        /// Telegram's words.
        description: String,
        /// How long it wants us to wait.
        retry_after: Option<Duration>,
        /// The id of the supergroup this group became.
        migrate_to: Option<i64>,
    },
    /// No connection: surely not done.
    #[error("{0}")]
    Unreachable(String),
    /// The request left and no usable answer came.
    #[error("{0}")]
    NoAnswer(String),
}

/// When Telegram says 429 without a time.
const DEFAULT_WAIT: Duration = Duration::from_secs(5);

/// What to do, by error code and a part of Telegram's words; the first match counts.
const WAYS_OUT: &[(u16, &str, &str)] = &[
    (
        401,
        "",
        "the bot token is not valid; copy the current one from @BotFather (/mybots, API Token) into `bot_token`",
    ),
    (
        404,
        "",
        "the bot token is not valid, or `api_base_url` is not a Bot API server; copy the current token from @BotFather (/mybots, API Token)",
    ),
    (
        403,
        "blocked by the user",
        "the person blocked the bot and has to unblock it in Telegram",
    ),
    (
        403,
        "deactivated",
        "the person's Telegram account no longer exists",
    ),
    (
        403,
        "initiate conversation",
        "the person has to open the bot in Telegram and press Start first",
    ),
    (403, "kicked", "add the bot to the chat again"),
    (403, "not a member", "add the bot to the chat again"),
    (403, "", "check what the bot may do in this chat"),
    (
        400,
        "chat not found",
        "the chat was deleted, or the bot never was in it",
    ),
    (400, "group chat was deleted", "the group no longer exists"),
    (400, "thread not found", "the topic was deleted"),
    (
        400,
        "topic_closed",
        "the topic is closed; reopen it or let the bot manage topics",
    ),
    (
        400,
        "not enough rights",
        "give the bot the right to write in this chat",
    ),
    (
        400,
        "bad webhook",
        "APP_BASE_URL must be an https address that Telegram can reach from the internet; or set `mode` to `polling`",
    ),
    (
        400,
        "file is too big",
        "bots may fetch files of at most 20 MB from Telegram's own servers",
    ),
];

impl ApiError {
    /// Whether Telegram answered with this code and these words.
    pub(crate) fn says(&self, code: u16, words: &str) -> bool {
        matches!(self, Self::Declined { code: c, description, .. }
            if *c == code && description.to_lowercase().contains(&words.to_lowercase()))
    }
}

impl From<ApiError> for ChannelError {
    fn from(error: ApiError) -> Self {
        match error {
            ApiError::Unreachable(message) => Self::Unavailable(message),
            ApiError::NoAnswer(message) => Self::Ambiguous(message),
            ApiError::Declined {
                code,
                description,
                retry_after,
                ..
            } => match code {
                429 => Self::RateLimited {
                    message: description,
                    retry_after: retry_after.unwrap_or(DEFAULT_WAIT),
                },
                // A gateway gave up waiting; whether the server behind it acted is open.
                504 => Self::Ambiguous(description),
                500.. => Self::Unavailable(description),
                409 => Self::Taken(conflict(&description)),
                _ => Self::Refused(explain(code, &description)),
            },
        }
    }
}

fn conflict(description: &str) -> String {
    if description.to_lowercase().contains("webhook") {
        format!(
            "a webhook is registered for this bot again and again, so it cannot be polled; \
             set `mode` to `webhook`, or stop the program that registers it ({description})"
        )
    } else {
        format!(
            "another program polls this bot with the same token; stop it, or make a bot of its own \
             for this integration with @BotFather ({description})"
        )
    }
}

/// Telegram's words and what to do about them.
fn explain(code: u16, description: &str) -> String {
    let words = description.to_lowercase();
    let way_out = WAYS_OUT
        .iter()
        .find(|(c, part, _)| *c == code && words.contains(part));
    match way_out {
        Some((_, _, way_out)) => format!("{way_out} ({description})"),
        None => description.to_owned(),
    }
}
