//! The local sandbox as its users see it, in every tier this host offers. A tier that is missing
//! is passed over, unless `SANDBOX_REQUIRE` names it.
#![expect(clippy::unwrap_used, clippy::panic, reason = "test code")]

mod contract;
mod isolation;
mod lifecycle;
mod support;
mod unprivileged;
