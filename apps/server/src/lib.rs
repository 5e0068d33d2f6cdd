//! The composition root of Nitejar: configuration, wiring and the commands of the `nitejar` binary.
//!
//! Nothing here decides anything about agents or work; it puts the crates together and starts them.

pub mod bootstrap;
pub mod cli;
pub mod cmd;
pub mod config;
mod home;
mod secrets;
pub mod storage;
pub mod system;
pub mod telemetry;
mod web;
pub mod wire;
