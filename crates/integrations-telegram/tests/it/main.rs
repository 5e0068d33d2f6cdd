//! The channel against the stand-in of Telegram, over real sockets.
#![expect(clippy::expect_used, reason = "test code")]

mod contract;
mod inbound;
mod outbound;
mod support;
