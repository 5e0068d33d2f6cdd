//! The local sandbox as its users see it, in every tier this host offers. A tier that is missing
//! is passed over, unless `SANDBOX_REQUIRE` names it.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::disallowed_methods,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "test code"
)]

mod checkpoints;
mod contract;
mod escape;
mod files_api;
mod isolation;
mod lifecycle;
mod network;
mod processes;
mod quotas;
mod services;
mod support;
mod unprivileged;
mod world;
