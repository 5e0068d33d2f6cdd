#![doc = include_str!("../README.md")]

mod api;
mod catalog;
mod checkpoints;
mod error;
mod files;
mod host;
mod network;
mod process;
mod random;
mod run;
mod sandbox;
mod search;
mod services;
mod settings;
mod shell;
mod sprite;
mod tunnel;
pub mod wire;

pub use api::BadAddress;
pub use catalog::Catalog;
pub use error::SpritesError;
pub use host::SpritesHost;
pub use settings::{SpritesSettings, Timing};
