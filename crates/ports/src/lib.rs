//! What the core asks of the world: one trait per capability, with its errors.
//!
//! Adapters implement these traits; the application layer calls them. Nothing here knows a
//! database, a vendor or a transport.
#![warn(missing_docs)]

pub mod channel;
pub mod cipher;
pub mod clock;
pub mod ids;
pub mod inference;
pub mod ingest;
pub mod live;
pub mod login;
pub mod sandbox;
pub mod secrets;
pub mod sso;
pub mod store;
pub mod tool;

/// Whatever an adapter's library failed with; kept as the source of our own errors.
pub type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// An error with everything that caused it on one line, for logs: each cause says more than what it is behind.
pub struct Causes<'a>(pub &'a (dyn std::error::Error + 'static));

impl std::fmt::Display for Causes<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}", self.0)?;
        let mut cause = self.0.source();
        while let Some(error) = cause {
            write!(f, ": {error}")?;
            cause = error.source();
        }
        Ok(())
    }
}
