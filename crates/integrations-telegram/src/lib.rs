//! Telegram as a channel.
