//! The subcommands, one file each.

pub mod audit;
pub mod backup;
pub mod demo;
pub mod doctor;
pub mod migrate;
pub mod openapi;
mod pg_tools;
pub mod restore;
pub mod rotate_keys;
pub mod serve;
pub mod token;
pub mod user;

use std::io::Write;

/// Writes a line of a command's answer to standard output.
pub(crate) fn say(line: impl std::fmt::Display) -> anyhow::Result<()> {
    writeln!(std::io::stdout(), "{line}")?;
    Ok(())
}
