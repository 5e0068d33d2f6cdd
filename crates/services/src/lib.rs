//! The use cases: authorise, validate, load, decide, save.
//!
//! Every public function here is something a person, a program or a vendor asks for, and opens
//! its own transactions. Jobs are not run here, and nothing here knows HTTP or a database.

pub mod access;
pub mod agents;
pub mod approvals;
pub mod arrivals;
pub mod audit;
pub mod background;
pub mod channels;
pub mod conversations;
pub mod costs;
pub mod effects;
mod error;
pub mod events;
pub mod feed;
pub mod idempotency;
pub mod identities;
pub mod integrations;
pub mod jobs;
pub mod links;
pub mod notices;
pub mod offers;
pub mod overview;
pub mod people;
mod platform;
pub mod providers;
pub mod retention;
pub mod second_factor;
pub mod sessions;
pub mod sprite_commands;
pub mod sprite_files;
pub mod sprites;
pub mod sso;
pub mod status;
pub mod tokens;
pub mod users;
pub mod webhooks;
pub mod work;

pub use channels::Channels;
pub use error::Error;
pub use platform::{Context, Platform, PlatformSettings};
pub use providers::Providers;
pub use sso::SingleSignOn;
