//! The HTTP surface: routes, the OpenAPI document, server-sent events.
//!
//! Handlers parse, call one use case and show what it returned. Nothing here decides anything,
//! opens a transaction or knows a vendor.

mod cookies;
mod dto;
mod envelope;
mod extract;
mod guard;
mod idempotency;
mod limit;
mod openapi;
mod problem;
mod routes;
mod sse;
mod state;

pub use openapi::{document, probes, router};
pub use state::{ApiState, Phase};
