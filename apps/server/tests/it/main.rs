//! The real binary, driven over HTTP against simulated vendors. One file per subject.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "test code"
)]

/// Where the suites of this binary keep their rows.
const ON_POSTGRES: bool = false;

mod app;
mod approvals;
mod audit;
mod backup;
mod chaos;
mod command_line;
mod control;
mod delivery;
mod doctor;
mod gate;
mod guards;
mod issuer;
mod models;
mod owners;
mod restart;
mod rotation;
mod secrets;
mod shutdown;
mod sprite_files;
mod sso;
mod steering;
mod story;
mod stream;
mod traces;
