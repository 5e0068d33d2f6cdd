//! `nitejar serve` and `nitejar worker`: a process of the server, from its first commit to its last.

use crate::{
    bootstrap::{self, SetupLink},
    cli::Failure,
    config::{Config, ConfigError},
    home,
    storage::{self, Database, Lines},
    telemetry::{self, Traces},
    web,
    wire::{self, Assembly},
};
use anyhow::Context;
use api::{ApiState, Phase};
use axum::Router;
use domain::secret::Redactor;
use runtime::{Engine, EngineParts, Hub};
use services::Platform;
use std::{
    fs::File,
    io::{ErrorKind, IsTerminal as _},
    net::SocketAddr,
    ops::ControlFlow,
    path::PathBuf,
    sync::Arc,
    time::Duration,
};
use tokio::{
    net::TcpListener,
    signal::unix::{Signal, SignalKind, signal},
    sync::watch,
    task::JoinHandle,
};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

/// How long HTTP requests may go on after the runtime has ended, and then the database.
const LAST_ANSWERS: Duration = Duration::from_secs(5);

/// What a process is there for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Duty {
    /// Answers requests and runs jobs.
    Everything,
    /// Answers requests; other processes run the jobs.
    Requests,
    /// Runs jobs; answers only whether it is well.
    Jobs,
}

impl Duty {
    const fn serves(self) -> bool {
        !matches!(self, Self::Jobs)
    }

    const fn works(self) -> bool {
        !matches!(self, Self::Requests)
    }
}

/// Runs until it is told to stop.
pub async fn run(config: Config, duty: Duty) -> Result<(), Failure> {
    if duty != Duty::Everything && !config.server.database.is_shared() {
        return Err(ConfigError::Invalid {
            name: "DATABASE_URL",
            problem: format!(
                "{} is a file, and a file is for one process; run `nitejar serve` alone, or set a postgres:// URL",
                config.server.database
            ),
        }
        .into());
    }
    let redactor = Arc::new(Redactor::default());
    let traces = match &config.otlp_endpoint {
        Some(endpoint) => Some(Traces::start(endpoint, wire::http_client()?)?),
        None => None,
    };
    telemetry::logs(&config.rust_log, Arc::clone(&redactor), traces.as_ref())?;
    let metrics = telemetry::metrics()?;
    #[cfg(feature = "crash-points")]
    arm_crash_point()?;
    let rendered = metrics.clone();
    let render = Arc::new(move || rendered.render());
    let server = Server::start(&config, duty, redactor, render).await?;
    // Before it is said that it runs: who reads that may end it at once.
    let mut signals = Signals::new()?;
    greet(&server);
    tokio::select! {
        () = signals.next() => {}
        never = telemetry::fold(&metrics) => match never {},
    }
    tracing::info!(
        "stopping: running jobs may finish, new work waits for the next start; a second signal ends them at once"
    );
    let stopped = server.stop(signals.next()).await;
    if let Some(traces) = traces {
        traces.finish().await;
    }
    stopped
}

/// `NITEJAR_CRASH_POINT=<name>:<n>` kills the process at the n-th hit of a point, for the crash suite.
#[cfg(feature = "crash-points")]
#[expect(
    clippy::disallowed_methods,
    reason = "a build for tests only; the variable is no setting of the product"
)]
fn arm_crash_point() -> Result<(), Failure> {
    let Some(armed) = std::env::var_os("NITEJAR_CRASH_POINT") else {
        return Ok(());
    };
    let armed = armed.to_string_lossy();
    let parsed = armed
        .split_once(':')
        .and_then(|(name, n)| Some((name, n.parse().ok()?)));
    match parsed {
        Some((name, n)) if runtime::crash::POINTS.contains(&name) => {
            runtime::crash::arm(name, n);
            Ok(())
        }
        _ => Err(ConfigError::Invalid {
            name: "NITEJAR_CRASH_POINT",
            problem: format!("`{armed}` is not <point>:<n> with a known point"),
        }
        .into()),
    }
}

/// A running server.
pub struct Server {
    /// Where it listens.
    pub address: SocketAddr,
    /// What use cases need.
    pub platform: Arc<Platform>,
    /// Live events.
    pub feed: Arc<Hub>,
    /// Where the owner's token was written, when this start made one.
    pub new_token: Option<PathBuf>,
    /// The link for the first owner, while there is none.
    pub setup_link: Option<SetupLink>,
    /// Absent where other processes run the jobs.
    engine: Option<Arc<Engine>>,
    store: Arc<dyn Database>,
    lines: Arc<Lines>,
    following: CancellationToken,
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
        duty: Duty,
        redactor: Arc<Redactor>,
        metrics: Arc<dyn Fn() -> String + Send + Sync>,
    ) -> Result<Self, Failure> {
        let lock = storage::lock(config).await?;
        let foundation = wire::foundation(config, redactor).await?;
        let store = Arc::clone(&foundation.store);
        let listener = bind(config).await?;
        let address = listener
            .local_addr()
            .context("the listening address is not known")?;
        let lines = Arc::clone(&foundation.lines);
        let tracker = TaskTracker::new();
        let Assembly {
            platform,
            parts,
            new_token,
        } = wire::assemble(config, foundation, address.port(), &tracker).await?;
        let setup_link = if duty.serves() {
            bootstrap::setup_link(&platform, &config.server.data_dir).await?
        } else {
            None
        };
        let feed = Arc::clone(&parts.hub);
        let (phase, phases) = watch::channel(Phase::Starting);
        let state = ApiState {
            platform: Arc::clone(&platform),
            feed: Arc::clone(&feed) as _,
            metrics,
            phase: phases.clone(),
            tasks: tracker.clone(),
        };
        let router = routes(state, duty, config);
        let service = router.into_make_service_with_connect_info::<SocketAddr>();
        // Before the first look at what there is to do, so that nothing falls between.
        let following = follow(&feed, &tracker);
        let engine = if duty.works() {
            Some(work(parts).await?)
        } else {
            None
        };
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
            setup_link,
            engine,
            store,
            lines,
            following,
            phase,
            http,
            tracker,
            _lock: lock,
        })
    }

    /// Stops listening, lets running work finish in its time, and gives every lease back. Once `hurry`
    /// is ready, nothing is waited for any more.
    pub async fn stop(mut self, hurry: impl Future<Output = ()>) -> Result<(), Failure> {
        self.phase.send_replace(Phase::Stopping);
        let hurried = CancellationToken::new();
        let hurrying = async {
            hurry.await;
            if let Some(engine) = &self.engine {
                engine.abandon();
            }
            hurried.cancel();
            std::future::pending().await
        };
        let ending = async {
            if let Some(engine) = &self.engine {
                engine.shutdown().await;
            }
            self.following.cancel();
            self.lines.close().await;
            self.tracker.close();
            let patience = hurried.run_until_cancelled(&mut self.http);
            tokio::time::timeout(LAST_ANSWERS, patience).await
        };
        let answered = tokio::select! {
            answered = ending => answered,
            never = hurrying => never,
        };
        self.http.abort();
        // A request that was cut off may hold a connection for good.
        if tokio::time::timeout(LAST_ANSWERS, self.store.close())
            .await
            .is_err()
        {
            tracing::warn!("the database is still in use; the next start tidies it up");
        }
        let Ok(Some(ended)) = answered else {
            tracing::warn!("some HTTP requests did not end in time and were cut off");
            return Ok(());
        };
        ended
            .context("the HTTP server ended badly")?
            .context("the HTTP server failed")?;
        Ok(())
    }
}

async fn work(parts: EngineParts) -> anyhow::Result<Arc<Engine>> {
    Engine::start(parts)
        .await
        .context("the runtime cannot start")
}

/// Listens to the other processes until what is returned is cancelled.
fn follow(hub: &Arc<Hub>, tracker: &TaskTracker) -> CancellationToken {
    let (hub, following) = (Arc::clone(hub), CancellationToken::new());
    let stopped = following.clone();
    tracker.spawn(async move {
        let _stopped = stopped.run_until_cancelled(hub.follow()).await;
    });
    following
}

fn routes(state: ApiState, duty: Duty, config: &Config) -> Router {
    if !duty.serves() {
        return api::probes(state);
    }
    let platform = Arc::clone(&state.platform);
    let router = api::router(state).merge(home::docs());
    // The app is files without data, so it may open where the API is shut and say what to do.
    web::over(home::gate(router, &platform, config))
}

async fn stopping(mut phases: watch::Receiver<Phase>) {
    // An error means that the sender is gone, and the server with it.
    let _gone = phases.wait_for(|phase| *phase == Phase::Stopping).await;
}

async fn bind(config: &Config) -> Result<TcpListener, Failure> {
    let address = SocketAddr::new(config.server.host, config.server.port);
    let listening = storage::inherit(async || match TcpListener::bind(address).await {
        Err(error) if error.kind() == ErrorKind::AddrInUse => ControlFlow::Continue(error),
        settled => ControlFlow::Break(settled),
    });
    listening.await.map_err(|error| {
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
            "agents use the built-in demo model; add a provider under Settings, or set ANTHROPIC_API_KEY or OPENAI_API_KEY, for a real one"
        );
    }
    if let Some(path) = &server.new_token {
        tracing::info!("the owner's API token is in {}", path.display());
    }
    if let Some(link) = &server.setup_link {
        let path = link.path.display();
        tracing::info!("nobody owns this server yet; the link that makes the owner is in {path}");
        // For the eyes of whoever sits there. What is not a terminal may be a log.
        if std::io::stdout().is_terminal() {
            let said = super::say(format_args!(
                "\n  Open this link to become the owner:\n\n  {}\n",
                link.url.expose()
            ));
            if said.is_err() {
                tracing::debug!("the terminal is gone");
            }
        }
    }
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
