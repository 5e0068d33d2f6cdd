//! Channels: where people talk to agents.

use async_trait::async_trait;
use domain::{
    channel::{Attachment, InboundMessage, Place, Press},
    effect::EffectAction,
    secret::Secret,
};
use serde_json::{Map, Value};
use std::{collections::BTreeMap, sync::Arc, time::Duration};

/// A channel's settings after they were checked: what may be shown, and what may not.
#[derive(Clone)]
pub struct ChannelSettings {
    /// Public fields with defaults filled in, as they are stored and shown.
    pub public: Map<String, Value>,
    /// Secret fields by name.
    pub secrets: BTreeMap<String, Secret>,
}

/// Why settings were refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{field}: {message}")]
pub struct InvalidSettings {
    /// The field.
    pub field: String,
    /// What is wrong with it and what would be right.
    pub message: String,
}

/// How a channel is reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum IngressMode {
    /// We ask for news.
    Polling,
    /// The vendor calls us.
    Webhook,
}

/// Makes channels of one type: the only thing to register for a new vendor.
pub trait ChannelFactory: Send + Sync {
    /// Names of the fields that are secrets.
    fn secret_fields(&self) -> &'static [&'static str];

    /// Checks the settings of a new or changed integration and fills in defaults; generated
    /// secrets come from `generate`. Unknown fields are refused.
    fn check(
        &self,
        config: Map<String, Value>,
        generate: &dyn Fn() -> Secret,
    ) -> Result<ChannelSettings, InvalidSettings>;

    /// A channel with these settings. Does no I/O.
    fn connect(&self, settings: &ChannelSettings) -> Result<Arc<dyn Channel>, InvalidSettings>;
}

/// The headers of a webhook call that signatures need, names in lower case.
pub type WebhookHeaders = BTreeMap<String, String>;

/// Why a webhook call was refused.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum WebhookError {
    /// No or wrong signature: 401.
    #[error("the webhook signature is missing or wrong")]
    Unauthenticated,
    /// A body that is not the vendor's: 400.
    #[error("the webhook body cannot be read: {0}")]
    Malformed(String),
}

/// What a vendor tells us of.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Received {
    /// New messages.
    pub messages: Vec<InboundMessage>,
    /// Buttons that were pressed.
    pub presses: Vec<Press>,
}

/// What a poll brought.
#[derive(Clone, Debug, PartialEq)]
pub struct Polled {
    /// What is new, oldest first.
    pub received: Received,
    /// Where the next poll starts; stored only after the messages are.
    pub cursor: Option<String>,
}

/// What a channel says of itself when asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChannelAccount {
    /// The account's name at the vendor, for people: `@my_bot`.
    pub name: String,
    /// Reservations a person should know, each with the way out.
    pub warnings: Vec<String>,
}

/// Why the vendor did not do what it was asked. Texts are for people and carry no secrets.
#[derive(Clone, Debug, thiserror::Error, PartialEq, Eq)]
pub enum ChannelError {
    /// 429: surely not done.
    #[error("rate limited: {message}")]
    RateLimited {
        /// What the vendor said.
        message: String,
        /// How long it wants us to wait.
        retry_after: Duration,
    },
    /// 5xx or no connection: surely not done.
    #[error("not reachable: {0}")]
    Unavailable(String),
    /// The request left and no answer came: nobody knows.
    #[error("no answer: {0}")]
    Ambiguous(String),
    /// The destination or the account refuses us, for good: blocked bot, deleted chat, bad token.
    #[error("refused: {0}")]
    Refused(String),
    /// Another process polls, or a webhook is registered elsewhere.
    #[error("taken by another: {0}")]
    Taken(String),
}

/// A message to deliver.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Delivery {
    /// Where to.
    pub place: Place,
    /// What to do.
    pub action: EffectAction,
}

/// One connected channel.
#[cfg_attr(feature = "mock", mockall::automock)]
#[async_trait]
pub trait Channel: Send + Sync {
    /// How it wants to be reached when a public URL exists; without one everybody polls.
    fn mode(&self) -> IngressMode;

    /// Checks a webhook call on its raw body and parses it. Messages that are nobody's business
    /// (our own, other bots', chats not allowed) are left out, so the list may be empty.
    fn receive(&self, headers: &WebhookHeaders, body: &[u8]) -> Result<Received, WebhookError>;

    /// Waits for news after `cursor` and returns when there are some or the vendor's wait is over.
    /// Also confirms everything before the cursor to the vendor.
    async fn poll(&self, cursor: Option<String>) -> Result<Polled, ChannelError>;

    /// Tells the vendor to call this URL; `None` = to stop calling.
    async fn register(&self, url: Option<String>) -> Result<(), ChannelError>;

    /// Asks the vendor who we are.
    async fn test(&self) -> Result<ChannelAccount, ChannelError>;

    /// Delivers and returns the vendor's reference (see [`domain::effect::Effect::provider_reference`]).
    async fn send(&self, delivery: &Delivery) -> Result<Option<String>, ChannelError>;

    /// Tells the person who pressed a button what came of it; best effort.
    async fn answer(&self, press: &Press, text: &str) -> Result<(), ChannelError>;

    /// Shows that somebody is writing; lasts a few seconds, best effort.
    async fn typing(&self, place: &Place) -> Result<(), ChannelError>;

    /// Fetches an attachment of at most `limit` bytes.
    async fn download(
        &self,
        attachment: &Attachment,
        limit: u64,
    ) -> Result<bytes::Bytes, ChannelError>;
}
