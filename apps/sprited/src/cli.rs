//! The command line: flags and the environment, and how an ending becomes an exit code. This is the
//! only place that reads either; the server gets plain settings.

use crate::{
    SUPERVISOR,
    server::{Server, StartError},
    settings::{Place, Settings},
    tokens,
};
use anyhow::Context as _;
use clap::{Args, Parser, Subcommand};
use domain::{secret::Secret, sprite::SandboxTier};
use sprites_local::{LocalSettings, Quotas};
use std::{
    io::{self, IsTerminal as _},
    net::{IpAddr, SocketAddr},
    path::PathBuf,
    process::ExitCode,
};
use tokio::signal::unix::{Signal, SignalKind, signal};
use tracing_subscriber::EnvFilter;

/// Sprites on this machine, served over the Sprites API.
#[derive(Parser)]
#[command(name = "sprited", version)]
struct Cli {
    /// What to do.
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Run the server. `SPRITED_TOKEN` holds the tokens that open it, separated by commas; without it one is made.
    Serve(Box<Serve>),
}

#[derive(Args)]
struct Serve {
    /// The address to listen on.
    #[arg(long, env = "HOST", default_value = "127.0.0.1")]
    host: IpAddr,
    /// The port to listen on.
    #[arg(long, env = "PORT", default_value_t = 8090)]
    port: u16,
    /// Where sprites, their registry and the token are kept.
    #[arg(long, env = "DATA_DIR", default_value = "./sprited")]
    data_dir: PathBuf,
    /// The weakest sandbox to start with: namespaces, landlock or plain.
    #[arg(long, env = "SANDBOX_MIN_TIER", default_value_t = SandboxTier::Landlock)]
    sandbox_min_tier: SandboxTier,
    /// The most sprites there may be.
    #[arg(long, env = "SPRITED_MAX_SPRITES", default_value_t = Settings::SPRITES)]
    max_sprites: usize,
    /// The most sprites that may be made in a minute.
    #[arg(long, env = "SPRITED_CREATIONS_PER_MINUTE", default_value_t = Settings::CREATIONS)]
    creations_per_minute: usize,
    /// Bytes of disk for the files of one sprite.
    #[arg(long, env = "SPRITE_DISK_BYTES", default_value_t = Quotas::default().disk_bytes)]
    disk_bytes: u64,
    /// Bytes of disk for all sprites with their checkpoints.
    #[arg(long, env = "SPRITES_DISK_BYTES", default_value_t = Quotas::default().tenant_disk_bytes)]
    total_disk_bytes: u64,
    /// Bytes of memory for all that runs in one sprite.
    #[arg(long, env = "SPRITE_MEMORY_BYTES", default_value_t = Quotas::default().memory_bytes)]
    memory_bytes: u64,
    /// Processes and threads in one sprite.
    #[arg(long, env = "SPRITE_PROCESSES", default_value_t = Quotas::default().processes)]
    processes: u64,
    /// Host names, besides `localhost` and addresses, that clients use for this server.
    #[arg(long, env = "SPRITED_HOSTS", value_delimiter = ',')]
    hosts: Vec<String>,
    /// Origins of web pages that may call this server.
    #[arg(long, env = "SPRITED_ORIGINS", value_delimiter = ',')]
    origins: Vec<String>,
    /// The log filter.
    #[arg(long, env = "RUST_LOG", default_value = "info")]
    log: String,
}

/// Why it did not serve.
#[derive(Debug, thiserror::Error)]
enum Failure {
    /// The configuration is wrong: exit code 2.
    #[error("{name}: {problem}")]
    Usage { name: &'static str, problem: String },
    /// Anything else: exit code 1.
    #[error("{0:#}")]
    Other(#[from] anyhow::Error),
}

impl From<StartError> for Failure {
    fn from(error: StartError) -> Self {
        match error.setting() {
            Some(name) => Self::Usage {
                name,
                problem: error.to_string(),
            },
            None => Self::Other(error.into()),
        }
    }
}

/// Parses, runs, and turns the outcome into an exit code: 0 ok, 2 usage or configuration, 1 anything else.
pub fn main() -> ExitCode {
    let Command::Serve(serve) = Cli::parse().command;
    match run(*serve) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            eprintln!("sprited: {failure}");
            match failure {
                Failure::Usage { .. } => ExitCode::from(2),
                Failure::Other(_) => ExitCode::FAILURE,
            }
        }
    }
}

fn run(serve: Serve) -> Result<(), Failure> {
    logs(&serve.log)?;
    let given = given_tokens()?;
    if given.is_empty() && !serve.host.is_loopback() {
        return Err(Failure::Usage {
            name: "SPRITED_TOKEN",
            problem: format!(
                "is not set, and {} is reached from the network; set it to a long random token, or let HOST be 127.0.0.1",
                serve.host
            ),
        });
    }
    let place = Place::open(&serve.data_dir).map_err(StartError::from)?;
    let tokens = if given.is_empty() {
        vec![kept_token(&place)?]
    } else {
        given
    };
    let runtime = tokio::runtime::Runtime::new().map_err(anyhow::Error::from)?;
    runtime.block_on(work(settings(serve, &place, tokens)?, place))
}

async fn work(settings: Settings, place: Place) -> Result<(), Failure> {
    let server = Server::start(settings, place).await?;
    // Before it is said that it runs: who reads that may end it at once.
    let mut signals = Signals::new()?;
    tracing::info!("sprites are served on http://{}", server.address());
    signals.next().await;
    tracing::info!("stopping: sprites are stopped, their files stay; a second signal ends at once");
    tokio::select! {
        () = server.stop() => {}
        () = signals.next() => {}
    }
    Ok(())
}

fn settings(serve: Serve, place: &Place, tokens: Vec<Secret>) -> Result<Settings, Failure> {
    let own = std::env::current_exe().context("this program's own path is not known")?;
    let mut local = LocalSettings::new(place.sprites(), vec![own.into(), SUPERVISOR.into()]);
    local.min_tier = serve.sandbox_min_tier;
    local.quotas = Quotas {
        disk_bytes: serve.disk_bytes,
        tenant_disk_bytes: serve.total_disk_bytes,
        tenant_sprites: serve.max_sprites,
        memory_bytes: serve.memory_bytes,
        processes: serve.processes,
        ..Quotas::default()
    };
    let named = |names: Vec<String>| names.into_iter().filter(|name| !name.is_empty()).collect();
    Ok(Settings {
        address: SocketAddr::new(serve.host, serve.port),
        max_sprites: serve.max_sprites,
        creations_per_minute: serve.creations_per_minute,
        hosts: named(serve.hosts),
        origins: named(serve.origins),
        ..Settings::new(local, tokens)
    })
}

/// A flag would show the token to everybody on the machine.
#[expect(
    clippy::disallowed_methods,
    reason = "this is the program's configuration"
)]
fn given_tokens() -> Result<Vec<Secret>, Failure> {
    let text = std::env::var("SPRITED_TOKEN").unwrap_or_default();
    let words = text.split(',').map(str::trim);
    let tokens: Vec<_> = words.filter(|word| !word.is_empty()).collect();
    for token in &tokens {
        tokens::check(token).map_err(|error| Failure::Usage {
            name: "SPRITED_TOKEN",
            problem: error.to_string(),
        })?;
    }
    Ok(tokens.into_iter().map(Secret::new).collect())
}

fn kept_token(place: &Place) -> Result<Secret, Failure> {
    let path = place.token();
    let (token, fresh) = tokens::load_or_create(&path)
        .with_context(|| format!("the token file {} cannot be used", path.display()))?;
    let verb = if fresh { "was made and" } else { "" };
    tracing::info!("the token {verb} is in {}", path.display());
    tokens::check(token.expose()).map_err(|error| Failure::Usage {
        name: "SPRITED_TOKEN",
        problem: format!(
            "{}: {error}; remove the file and a new one is made",
            path.display()
        ),
    })?;
    Ok(token)
}

fn logs(filter: &str) -> Result<(), Failure> {
    let filter = EnvFilter::try_new(filter).map_err(|error| Failure::Usage {
        name: "RUST_LOG",
        problem: format!(
            "`{filter}` is not a log filter such as info or info,sprited=debug: {error}"
        ),
    })?;
    let lines = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(io::stderr);
    let started = if io::stderr().is_terminal() {
        lines.try_init()
    } else {
        lines.json().try_init()
    };
    started.map_err(|error| anyhow::anyhow!("logging cannot be started: {error}").into())
}

/// What the system and people at a terminal send to end a program.
struct Signals {
    terminate: Signal,
    interrupt: Signal,
}

impl Signals {
    fn new() -> anyhow::Result<Self> {
        let watch = |kind| signal(kind).context("signals cannot be handled");
        Ok(Self {
            terminate: watch(SignalKind::terminate())?,
            interrupt: watch(SignalKind::interrupt())?,
        })
    }

    async fn next(&mut self) {
        tokio::select! {
            _ = self.terminate.recv() => {}
            _ = self.interrupt.recv() => {}
        }
    }
}
