//! The real binary, driven over HTTP against simulated vendors. One file per subject.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "test code"
)]

mod app;
mod command_line;
mod control;
mod delivery;
mod doctor;
mod gate;
mod models;
mod restart;
mod secrets;
mod shutdown;
mod story;
mod stream;
