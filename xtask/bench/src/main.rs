//! Measures a real `nitejar serve` process against stand-ins for Telegram and a model on loopback.
//! It reports and never judges: a slow figure is printed, not a failure.

mod bot;
mod database;
mod disk;
mod http;
mod lifecycle;
mod process;
mod report;
mod sandbox;
mod scenarios;
mod server;

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context, Result, anyhow};
use clap::Parser;
use database::Kind;
use report::Report;
use scenarios::Bench;

/// Measures the release binary against its targets.
#[derive(Parser)]
struct Arguments {
    /// The `nitejar` binary to measure.
    #[arg(long)]
    server: PathBuf,
    /// Where the results go; also holds the data directory of the run.
    #[arg(long)]
    out: PathBuf,
    /// Where the server keeps its rows. PostgreSQL is the one that `TEST_POSTGRES_URL` names.
    #[arg(long, value_enum, default_value_t = Kind::Sqlite)]
    db: Kind,
    /// A tenth of the work and a short idle wait, to see that everything runs.
    #[arg(long)]
    quick: bool,
    /// Seconds of idleness before memory is read.
    #[arg(long, default_value_t = 30)]
    idle: u64,
}

#[tokio::main]
async fn main() -> ExitCode {
    match run(Arguments::parse()).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("bench: {error:#}");
            ExitCode::FAILURE
        }
    }
}

async fn run(arguments: Arguments) -> Result<()> {
    let provider = rustls::crypto::ring::default_provider();
    provider
        .install_default()
        .map_err(|_taken| anyhow!("a TLS provider is already installed"))?;
    std::fs::create_dir_all(&arguments.out)?;

    let mut report = Report::new(arguments.db.name(), disk::sync_latency(&arguments.out)?)?;
    report.print_head();
    let scale = if arguments.quick { 10 } else { 1 };
    let idle = if arguments.quick { 2 } else { arguments.idle };
    let bench = Bench {
        binary: arguments.server,
        out: arguments.out.clone(),
        kind: arguments.db,
        scale,
    };
    bench.run(&mut report, idle).await?;
    let file = report
        .write(&arguments.out)
        .context("cannot write the results")?;
    report.print_table();
    eprintln!("written to {}", file.display());
    Ok(())
}
