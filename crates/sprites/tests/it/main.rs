//! The client against a server in this process that speaks the wire, runs real programs in a
//! directory of its own, and fails in the ways real ones do.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "test code"
)]

mod cuts;
mod files;
mod hosting;
mod machine;
mod processes;
mod requests;
mod search;
mod shells;
mod streams;
mod support;
