//! The command line: what there is to say, and how its ending becomes an exit code.

use crate::{
    cmd::{self, serve::Duty},
    config::{Config, ConfigError},
};
use clap::{Parser, Subcommand};
use std::{path::PathBuf, process::ExitCode};

/// A self-hosted server for AI agents that work where your people talk.
#[derive(Parser)]
#[command(name = "nitejar", version, arg_required_else_help = false)]
pub struct Cli {
    /// A TOML file with the same names as the environment, in sections; the environment wins.
    #[arg(long, global = true, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// What to do; without it, `serve`.
    #[command(subcommand)]
    pub command: Option<Command>,
}

/// What the binary can do.
#[derive(Subcommand)]
pub enum Command {
    /// Run the server.
    Serve {
        /// Only answer requests; `nitejar worker` processes on the same database run the jobs.
        #[arg(long)]
        no_worker: bool,
    },
    /// Run jobs, polls and deliveries, and answer only probes; needs a PostgreSQL database.
    Worker,
    /// Bring the database to this version's schema and stop.
    Migrate,
    /// Print the OpenAPI document.
    Openapi,
    /// Check configuration, database, sandbox and models, and say what to do.
    Doctor {
        /// Print JSON.
        #[arg(long)]
        json: bool,
    },
    /// Copy the database as it stands now, while servers go on working.
    Backup {
        /// A folder to put the backup in, or one that does not exist yet and becomes the backup.
        #[arg(value_name = "DIR")]
        place: PathBuf,
        /// Print JSON.
        #[arg(long)]
        json: bool,
    },
    /// Put a backup in the place of a database that is missing.
    Restore(cmd::restore::Restore),
    /// Make, list and revoke API tokens.
    #[command(subcommand)]
    Token(cmd::token::TokenCommand),
    /// List who has a login, and make a link for who lost their password.
    #[command(subcommand)]
    User(cmd::user::UserCommand),
    /// Prove that nobody tampered with the audit trail.
    #[command(subcommand)]
    Audit(cmd::audit::AuditCommand),
    /// Seal every secret anew with a new encryption key; can be killed and started again.
    RotateKeys {
        /// Print JSON.
        #[arg(long)]
        json: bool,
    },
    /// Play a short story against simulated services and print it live; needs no account and no network.
    Demo,
}

/// Why a command did not do what it was asked.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// The command line or the configuration is wrong: exit code 2.
    #[error(transparent)]
    Usage(#[from] ConfigError),
    /// Anything else: exit code 1.
    #[error("{0:#}")]
    Other(#[from] anyhow::Error),
}

/// Parses, runs, and turns the outcome into an exit code: 0 ok, 2 usage or configuration, 1 anything else.
pub fn main() -> ExitCode {
    let cli = Cli::parse();
    match run(cli) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            eprintln!("nitejar: {failure}");
            match failure {
                Failure::Usage(_) => ExitCode::from(2),
                Failure::Other(_) => ExitCode::FAILURE,
            }
        }
    }
}

fn run(cli: Cli) -> Result<(), Failure> {
    if let Some(Command::Openapi) = cli.command {
        return Ok(cmd::openapi::run()?);
    }
    // The one provider of the TLS stack; every client is built after this. It fails only when a
    // provider is installed already, which serves as well.
    let _installed = rustls::crypto::ring::default_provider().install_default();
    let config = Config::load(cli.config.as_deref())?;
    let runtime = tokio::runtime::Runtime::new().map_err(anyhow::Error::from)?;
    runtime.block_on(async {
        match cli.command.unwrap_or(Command::Serve { no_worker: false }) {
            Command::Serve { no_worker: false } => cmd::serve::run(config, Duty::Everything).await,
            Command::Serve { no_worker: true } => cmd::serve::run(config, Duty::Requests).await,
            Command::Worker => cmd::serve::run(config, Duty::Jobs).await,
            Command::Migrate => cmd::migrate::run(config).await,
            Command::Doctor { json } => cmd::doctor::run(config, json).await,
            Command::Backup { place, json } => cmd::backup::run(config, place, json).await,
            Command::Restore(restore) => cmd::restore::run(config, restore).await,
            Command::Token(command) => cmd::token::run(config, command).await,
            Command::User(command) => cmd::user::run(config, command).await,
            Command::Audit(command) => cmd::audit::run(config, command).await,
            Command::RotateKeys { json } => cmd::rotate_keys::run(config, json).await,
            Command::Demo => cmd::demo::run(config).await,
            Command::Openapi => Ok(cmd::openapi::run()?),
        }
    })
}
