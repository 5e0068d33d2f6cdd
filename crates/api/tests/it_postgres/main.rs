//! The HTTP surface again, on PostgreSQL.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "test code"
)]

/// Where the suites of this binary keep their rows.
const ON_POSTGRES: bool = true;

#[path = "../it/access.rs"]
mod access;
#[path = "../it/audit.rs"]
mod audit;
#[path = "../it/audit_walk.rs"]
mod audit_walk;
#[path = "../it/cancel.rs"]
mod cancel;
#[path = "../it/conversations.rs"]
mod conversations;
#[path = "../it/fake_sprite.rs"]
mod fake_sprite;
#[path = "../it/fakes.rs"]
mod fakes;
#[path = "../it/flows.rs"]
mod flows;
#[path = "../it/harness.rs"]
mod harness;
#[path = "../it/idempotency.rs"]
mod idempotency;
#[path = "../it/integrations.rs"]
mod integrations;
#[path = "../it/limits.rs"]
mod limits;
#[path = "../it/lists.rs"]
mod lists;
#[path = "../it/matrix.rs"]
mod matrix;
#[path = "../it/people.rs"]
mod people;
#[path = "../it/place.rs"]
mod place;
#[path = "../it/reports.rs"]
mod reports;
#[path = "../it/rights.rs"]
mod rights;
#[path = "../it/settings.rs"]
mod settings;
#[path = "../it/sprite_sessions.rs"]
mod sprite_sessions;
#[path = "../it/sprites.rs"]
mod sprites;
#[path = "../it/sso.rs"]
mod sso;
#[path = "../it/streams.rs"]
mod streams;
#[path = "../it/surface.rs"]
mod surface;
#[path = "../it/webhooks.rs"]
mod webhooks;
