//! The HTTP surface on a real store: every route with and without a right to it, the flows of
//! each resource, webhooks and streams.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "test code"
)]

/// Where the suites of this binary keep their rows.
const ON_POSTGRES: bool = false;

mod access;
mod audit;
mod audit_walk;
mod cancel;
mod conversations;
mod document;
mod fake_sprite;
mod fakes;
mod flows;
mod harness;
mod idempotency;
mod integrations;
mod limits;
mod lists;
mod matrix;
mod people;
mod place;
mod reports;
mod rights;
mod settings;
mod sprite_sessions;
mod sprites;
mod sso;
mod streams;
mod surface;
mod webhooks;
