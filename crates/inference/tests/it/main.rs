//! The adapters over real sockets, against a stand-in that speaks like the vendors.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "test code"
)]

mod anthropic;
mod anthropic_failures;
mod catalog;
mod demo;
mod demo_steering;
mod openai;
mod sse;
mod support;
