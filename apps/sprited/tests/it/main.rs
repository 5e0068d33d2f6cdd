//! The server as its clients see it: over HTTP and web sockets, with sprites of the best tier that
//! this host offers.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "test code"
)]

mod access;
mod checkpoints;
mod command_line;
mod exec;
mod files;
mod limits;
mod policies;
mod services;
mod sessions;
mod sprites;
mod support;
mod urls;
