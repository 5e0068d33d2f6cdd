#![doc = include_str!("../README.md")]

mod answer;
mod app;
mod body;
mod checkpoints;
pub mod cli;
mod exec;
mod files;
mod guard;
mod lifecycle;
mod ndjson;
mod policies;
mod registry;
mod routes;
mod server;
mod services;
mod settings;
mod system;
mod tokens;
mod tunnels;
mod url;

pub use server::{Server, StartError};
pub use settings::{Place, PlaceError, Settings};

/// The hidden first argument that makes this binary the supervisor inside a sandbox.
pub const SUPERVISOR: &str = "__supervisor";
