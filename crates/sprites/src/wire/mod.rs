//! What goes over the wire of the Sprites API, one type per body, message and frame, for clients and
//! servers alike. Reading is tolerant: unknown fields are passed over, and what older or other
//! servers leave out or spell differently is understood. Nothing here sends or decides.
//!
//! Fields marked *extension* are ours: servers of the original API do not send them, and clients do
//! without. They exist so that nothing is lost between two of our own.

pub mod checkpoint;
pub mod duration;
pub mod error;
pub mod exec;
pub mod file;
pub mod frame;
mod lenient;
pub mod network;
pub mod proxy;
mod query;
pub mod service;
pub mod signal;
pub mod sprite;

/// The version a server says it speaks, in the header [`VERSION_HEADER`]; older ones make the Go SDK
/// attach in the old way.
pub const VERSION: &str = "v0.0.1-rc48";
/// The header of [`VERSION`].
pub const VERSION_HEADER: &str = "sprite-version";
/// The header in which an exec connection says what it can.
pub const CAPABILITIES_HEADER: &str = "x-sprite-capabilities";
/// What [`CAPABILITIES_HEADER`] says: signals are taken as messages.
pub const SIGNAL_CAPABILITY: &str = "signal";
/// The content type of event streams, one JSON object per line.
pub const NDJSON: &str = "application/x-ndjson";
/// The most bytes of a file that one PUT takes.
pub const WRITE_LIMIT: usize = 16 << 20;
