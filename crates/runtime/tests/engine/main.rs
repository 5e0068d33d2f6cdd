//! The engine on a real database, with a clock, a model, a channel and a tool that do what a test says: for what
//! must happen at one certain moment, which chance finds too seldom.
#![expect(clippy::unwrap_used, reason = "test code")]

mod approvals;
mod parts;
mod silence;
mod store;
mod story;
mod world;
