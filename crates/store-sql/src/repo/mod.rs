//! One repository per aggregate, each over the transaction it was asked of.
//!
//! A row with a unique key is read with `all`, not with `one`: that would bind a LIMIT, and SQLite plans
//! a statement with a bound LIMIT anew at every use, which costs more than running it.

pub(crate) mod access;
pub(crate) mod agents;
pub(crate) mod approvals;
pub(crate) mod audit;
pub(crate) mod background_processes;
pub(crate) mod conversations;
pub(crate) mod effects;
pub(crate) mod events;
pub(crate) mod idempotency;
pub(crate) mod identities;
pub(crate) mod integrations;
pub(crate) mod jobs;
pub(crate) mod lanes;
pub(crate) mod ledger;
pub(crate) mod logins;
pub(crate) mod providers;
pub(crate) mod reports;
pub(crate) mod settings;
pub(crate) mod sprite_sessions;
pub(crate) mod transcript;
pub(crate) mod users;
pub(crate) mod work;
