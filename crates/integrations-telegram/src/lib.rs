//! Telegram as a channel: the Bot API on one side, [`ports::channel::Channel`] on the other.
//!
//! Nothing here decides what a message means or whether it is sent again; it translates, and says
//! truthfully what happened. The bot token is part of every URL of the Bot API, so no URL ever
//! reaches an error text.

mod channel;
mod client;
mod error;
mod factory;
mod inbound;
mod markdown;
mod sender;
mod settings;
mod split;
mod wire;

pub use factory::TelegramFactory;
pub use settings::Timing;
