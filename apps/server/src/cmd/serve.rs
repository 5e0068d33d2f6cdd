//! `nitejar serve`: the server, from its first commit to its last.

use crate::{
    cli::Failure,
    config::{Config, ConfigError},
    home, telemetry,
    wire::{self, Assembly},
};
use anyhow::Context;
use api::{ApiState, Phase};
use domain::secret::Redactor;
use runtime::Engine;
use services::Platform;
use std::{
    fs::{File, TryLockError},
    io::ErrorKind,
    net::SocketAddr,
    path::PathBuf,
    sync::Arc,
};
use tokio::{
    net::TcpListener,
    signal::unix::{SignalKind, signal},
    sync::watch,
    task::JoinHandle,
};
use tokio_util::task::TaskTracker;

/// Runs until it is told to stop.
pub async fn run(config: Config) -> Result<(), Failure> {
    let redactor = Arc::new(Redactor::default());
    telemetry::logs(&config.rust_log, Arc::clone(&redactor))?;
    let metrics = telemetry::metrics()?;
    let server = Server::start(&config, redactor, Arc::new(move || metrics.render())).await?;
    greet(&server);
    stop_signal().await?;
    tracing::info!("stopping: running jobs may finish, new work waits for the next start");
    server.stop().await
}

/// A running server.
pub struct Server {
    /// Where it listens.
    pub address: SocketAddr,
    /// What use cases need.
    pub platform: Arc<Platform>,
    /// Live events.
    pub feed: Arc<runtime::Hub>,
    /// Where the owner's token was written, when this start made one.
    pub new_token: Option<PathBuf>,
    engine: Arc<Engine>,
    phase: watch::Sender<Phase>,
    http: JoinHandle<std::io::Result<()>>,
    tracker: TaskTracker,
    /// Held as long as the server runs; the system frees it however the process ends.
    _lock: File,
}

impl Server {
    /// Opens, puts together, starts working and listens.
    pub async fn start(
        config: &Config,
        redactor: Arc<Redactor>,
        metrics: Arc<dyn Fn() -> String + Send + Sync>,
    ) -> Result<Self, Failure> {
        let foundation = wire::foundation(config, redactor).await?;
        let lock = lock(config)?;
        let listener = bind(config).await?;
        let tracker = TaskTracker::new();
        let Assembly {
            platform,
            parts,
            new_token,
        } = wire::assemble(config, foundation, &tracker).await?;
        let feed = Arc::clone(&parts.hub);
        let (phase, phases) = watch::channel(Phase::Starting);
        let state = ApiState {
            platform: Arc::clone(&platform),
            feed: Arc::clone(&feed) as _,
            metrics,
            phase: phases.clone(),
            tasks: tracker.clone(),
        };
        let address = listener
            .local_addr()
            .context("the listening address is not known")?;
        let router = home::gate(api::router(state), config).merge(home::router(&platform));
        let service = router.into_make_service_with_connect_info::<SocketAddr>();
        let engine = Engine::start(parts)
            .await
            .context("the runtime cannot start")?;
        let http = tracker.spawn(async move {
            axum::serve(listener, service)
                .with_graceful_shutdown(stopping(phases))
                .await
        });
        phase.send_replace(Phase::Serving);
        Ok(Self {
            address,
            platform,
            feed,
            new_token,
            engine,
            phase,
            http,
            tracker,
            _lock: lock,
        })
    }

    /// Stops listening, lets running work finish in its time, and gives every lease back.
    pub async fn stop(self) -> Result<(), Failure> {
        self.phase.send_replace(Phase::Stopping);
        self.engine.shutdown().await;
        self.tracker.close();
        self.http
            .await
            .context("the HTTP server ended badly")?
            .context("the HTTP server failed")?;
        Ok(())
    }
}

async fn stopping(mut phases: watch::Receiver<Phase>) {
    // An error means that the sender is gone, and the server with it.
    let _gone = phases.wait_for(|phase| *phase == Phase::Stopping).await;
}

/// Only one server may work on a data directory: a second one would take the first one's leases.
fn lock(config: &Config) -> Result<File, Failure> {
    let path = config.server.data_dir.join("server.lock");
    let file =
        File::create(&path).with_context(|| format!("{} cannot be written", path.display()))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(ConfigError::Invalid {
            name: "DATA_DIR",
            problem: format!(
                "another nitejar server is running on {}; stop it, or give this one a directory of its own",
                config.server.data_dir.display()
            ),
        }
        .into()),
        Err(TryLockError::Error(error)) => {
            Err(anyhow::Error::from(error).context(format!("{} cannot be locked", path.display())).into())
        }
    }
}

async fn bind(config: &Config) -> Result<TcpListener, Failure> {
    let address = SocketAddr::new(config.server.host, config.server.port);
    TcpListener::bind(address).await.map_err(|error| {
        let problem = match error.kind() {
            ErrorKind::AddrInUse => format!(
                "{address} is taken by another program; stop it, or set PORT to a free port"
            ),
            ErrorKind::AddrNotAvailable => format!("{address} is not an address of this machine"),
            ErrorKind::PermissionDenied => {
                format!("{address} may not be used by this user; take a port above 1023")
            }
            _ => format!("cannot listen on {address}: {error}"),
        };
        let name = if error.kind() == ErrorKind::AddrNotAvailable {
            "HOST"
        } else {
            "PORT"
        };
        ConfigError::Invalid { name, problem }.into()
    })
}

fn greet(server: &Server) {
    let model = server.platform.models.default_model();
    tracing::info!(%model, "Nitejar is listening on http://{}", server.address);
    if model.provider() == "demo" {
        tracing::info!(
            "agents use the built-in demo model; set ANTHROPIC_API_KEY or OPENAI_API_KEY for a real one"
        );
    }
    if let Some(path) = &server.new_token {
        tracing::info!("the owner's API token is in {}", path.display());
    }
}

async fn stop_signal() -> Result<(), Failure> {
    let mut terminate = signal(SignalKind::terminate()).context("signals cannot be handled")?;
    let mut interrupt = signal(SignalKind::interrupt()).context("signals cannot be handled")?;
    tokio::select! {
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
    }
    Ok(())
}
