//! The machine's clock and the source of ids, for a program that is one process.

use chrono::{SubsecRound as _, Utc};
use domain::Timestamp;
use uuid::Uuid;

/// Now, as finely as anything here says it.
#[expect(
    clippy::disallowed_methods,
    reason = "this program has no Clock port; all time is taken here"
)]
pub(crate) fn now() -> Timestamp {
    Utc::now().trunc_subsecs(6)
}

/// A new id, larger than all before.
#[expect(
    clippy::disallowed_methods,
    reason = "this program has no Ids port; all ids are made here"
)]
pub(crate) fn new_id() -> Uuid {
    Uuid::now_v7()
}
