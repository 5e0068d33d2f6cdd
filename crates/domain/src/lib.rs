//! The nouns and rules of Nitejar: types, state machines and policy.
//!
//! Nothing here performs I/O, reads a clock or makes an id. Every other crate may
//! depend on this one; it depends on none of them.
#![warn(missing_docs)]

pub mod access;
pub mod agent;
pub mod approval;
pub mod audit;
pub mod budget;
pub mod channel;
pub mod conversation;
pub mod effect;
pub mod egress;
pub mod event;
pub mod guard;
pub mod id;
pub mod identity;
pub mod integration;
pub mod job;
pub mod login;
pub mod message;
pub mod model;
pub mod page;
pub mod provider;
pub mod queue;
pub mod retention;
pub mod secret;
pub mod sprite;
pub mod sso;
pub mod text;
pub mod work;

/// An instant, always UTC and never finer than a microsecond: PostgreSQL keeps no more,
/// so a finer value would not survive a round trip.
pub type Timestamp = chrono::DateTime<chrono::Utc>;
