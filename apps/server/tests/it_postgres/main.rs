//! The same suites on PostgreSQL, and what only several processes on one database can show.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "test code"
)]

/// Where the suites of this binary keep their rows.
const ON_POSTGRES: bool = true;

#[path = "../it/app.rs"]
mod app;
#[path = "../it/audit.rs"]
mod audit;
#[path = "../it/backup.rs"]
mod backup;
#[path = "../it/chaos.rs"]
mod chaos;
#[path = "../it/control.rs"]
mod control;
#[path = "../it/delivery.rs"]
mod delivery;
#[path = "../it/guards.rs"]
mod guards;
#[path = "../it/issuer.rs"]
mod issuer;
mod replicas;
#[path = "../it/restart.rs"]
mod restart;
mod rotation;
#[path = "../it/shutdown.rs"]
mod shutdown;
#[path = "../it/sso.rs"]
mod sso;
mod start;
#[path = "../it/steering.rs"]
mod steering;
#[path = "../it/story.rs"]
mod story;
#[path = "../it/stream.rs"]
mod stream;
