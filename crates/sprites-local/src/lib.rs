//! Persistent sandboxes on this machine.
//!
//! The server's side ([`LocalHost`]) keeps one home directory per agent and starts one supervisor
//! process per awake sprite; the other side ([`supervisor`]) runs inside the sandbox, owns the
//! shells and touches the files. The two speak frames over a socket pair, so that everything above
//! the spawn is the same in every tier. Nothing here reads configuration or decides who may do what.

mod checkpoints;
mod computer;
mod files;
mod home;
mod host;
mod idle;
mod isolation;
mod keeper;
mod launch;
mod limits;
mod link;
mod network;
mod probe;
mod processes;
mod protocol;
mod quota;
mod record;
mod removal;
mod services;
mod settings;
mod sprite;
pub mod supervisor;
mod tree;

pub use host::LocalHost;
pub use network::{SystemUpstream, Upstream};
pub use settings::{LocalSettings, Quotas, StartError};
