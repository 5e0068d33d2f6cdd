//! Proves the delivery contract from outside: starts the real binary, kills it, and reads what is left.
//! Nothing here knows how the product keeps its promises.

mod api;
mod case;
mod checker;
mod cluster;
mod crash;
mod database;
mod model;
mod replicas;
mod report;
mod rows;
mod seed;
mod server;
mod services;
mod soak;
mod stories;
mod storm;
mod world;

use std::process::ExitCode;

use anyhow::{Result, anyhow};
use clap::{Parser, Subcommand};

#[derive(Parser)]
#[command(
    name = "proof",
    about = "Proves the delivery contract with the real binary"
)]
struct Cli {
    #[command(subcommand)]
    proof: Proof,
}

#[derive(Subcommand)]
enum Proof {
    /// Kill the server at every named point and check what is left.
    Crash(crash::Arguments),
    /// Run two replicas under load through restarts, kills and outages.
    Replicas(replicas::Arguments),
    /// Run very many jobs and watch memory and files.
    Soak(soak::Arguments),
}

#[tokio::main]
async fn main() -> ExitCode {
    match run(Cli::parse()).await {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("proof: {error:#}");
            ExitCode::FAILURE
        }
    }
}

async fn run(cli: Cli) -> Result<bool> {
    let provider = rustls::crypto::ring::default_provider();
    provider
        .install_default()
        .map_err(|_taken| anyhow!("a TLS provider is already installed"))?;
    match cli.proof {
        Proof::Crash(arguments) => crash::run(arguments).await,
        Proof::Replicas(arguments) => replicas::run(arguments).await,
        Proof::Soak(arguments) => soak::run(arguments).await,
    }
}
