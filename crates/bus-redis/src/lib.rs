//! News between the processes of one deployment, over one Redis stream.
//!
//! Two tasks with a connection each: one adds what this process tells, the other reads what all tell and
//! passes over its own. Nothing here waits for Redis on behalf of a caller, and nothing here is the truth:
//! whatever cannot be carried becomes a [`ports::live::Heard::Gap`], after which listeners look at the rows.

mod bus;
mod link;
mod queue;
mod reader;
mod settings;
mod stream;
mod writer;

pub use bus::RedisBus;
pub use settings::{RedisBusError, RedisSettings};
