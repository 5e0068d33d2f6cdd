//! Durable execution: taking work in, running jobs lane by lane, delivering effects.
//!
//! This crate opens every transaction of a job and makes every model and sandbox call. What to do
//! next is decided by `agent`; what may be done, by `domain`. Whatever it holds in memory may be lost
//! at any instant: the rows say how to go on.

mod answer;
mod attachments;
mod background;
mod bus;
pub mod crash;
mod decide;
mod dispatch;
mod effects;
mod engine;
mod expiry;
mod finish;
mod guards;
mod hands;
mod held;
mod hub;
mod ingest;
mod job;
mod leases;
mod live_text;
mod model_call;
mod orphans;
mod parking;
mod patience;
mod places;
mod pollers;
mod presence;
mod retention;
mod start;
mod steering;
mod tool_calls;

pub use bus::TwoBuses;
pub use engine::{Engine, EngineParts, RuntimeSettings};
pub use hub::Hub;
pub use ingest::Gatherer;
