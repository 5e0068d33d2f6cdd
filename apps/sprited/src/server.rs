//! A server from its first request to its last.

use crate::{
    app::{App, Shared},
    registry::Registry,
    routes,
    settings::{Place, PlaceError, Settings},
    system,
    tokens::Tokens,
};
use axum::serve::ListenerExt as _;
use domain::Timestamp;
use ports::sandbox::SandboxHost as _;
use sprites_local::LocalHost;
use std::{
    io::{self, ErrorKind},
    net::SocketAddr,
    sync::Arc,
    time::Duration,
};
use tokio::{net::TcpListener, time::timeout};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

/// How long requests may go on after a stop was asked for.
const LAST_ANSWERS: Duration = Duration::from_secs(5);
/// How often it is written down when sprites were last used.
const FLUSH: Duration = Duration::from_secs(30);

/// Why a server does not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// Its directory cannot be had.
    #[error(transparent)]
    Place(#[from] PlaceError),
    /// It cannot listen.
    #[error("cannot listen on {address}: {source}; choose another with HOST and PORT")]
    Listen {
        /// Where.
        address: SocketAddr,
        /// What the system said.
        source: io::Error,
    },
    /// Sandboxes cannot be had.
    #[error(transparent)]
    Sandbox(#[from] sprites_local::StartError),
    /// The registry cannot be read, or the system gives no random numbers.
    #[error("the registry of sprites cannot be used: {0}")]
    Registry(#[source] io::Error),
}

impl StartError {
    /// The setting to change, where one helps.
    pub fn setting(&self) -> Option<&'static str> {
        match self {
            Self::Place(_) => Some("DATA_DIR"),
            Self::Listen { source, .. } if source.kind() == ErrorKind::AddrNotAvailable => {
                Some("HOST")
            }
            Self::Listen { .. } => Some("PORT"),
            Self::Sandbox(sprites_local::StartError::TierMissing { .. }) => {
                Some("SANDBOX_MIN_TIER")
            }
            Self::Sandbox(_) | Self::Registry(_) => None,
        }
    }
}

/// A server that runs.
pub struct Server {
    app: Shared,
    http: tokio::task::JoinHandle<()>,
    /// Held as long as the server runs.
    _place: Place,
}

impl Server {
    /// Chooses a tier, reads the registry and listens.
    pub async fn start(settings: Settings, place: Place) -> Result<Self, StartError> {
        let registry = Registry::open(
            &place.registry(),
            settings.max_sprites,
            settings.creations_per_minute,
        )
        .map_err(StartError::Registry)?;
        let tokens = Tokens::new(&settings.tokens).map_err(StartError::Registry)?;
        let at = settings.address;
        let failed = |source| StartError::Listen {
            address: at,
            source,
        };
        let listener = TcpListener::bind(at).await.map_err(failed)?;
        let address = listener.local_addr().map_err(failed)?;
        let host = LocalHost::start(settings.local.clone()).await?;
        let app = Arc::new(App {
            host,
            registry,
            settings,
            tokens,
            address,
            tasks: TaskTracker::new(),
            stopping: CancellationToken::new(),
        });
        app.tasks.spawn(keep_registry(Arc::clone(&app)));
        let stopping = app.stopping.clone();
        // Frames are small and somebody waits for each.
        let listener = listener.tap_io(|stream| {
            if let Err(error) = stream.set_nodelay(true) {
                tracing::debug!(%error, "a connection will be slow");
            }
        });
        let serving = axum::serve(listener, routes::all(&app))
            .with_graceful_shutdown(stopping.cancelled_owned());
        let http = app.tasks.spawn(async move {
            if let Err(error) = serving.await {
                tracing::error!(%error, "the HTTP server failed");
            }
        });
        Ok(Self {
            app,
            http,
            _place: place,
        })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.app.address
    }

    /// Ends requests, stops sprites and writes down what is not yet.
    pub async fn stop(self) {
        self.app.stopping.cancel();
        self.app.tasks.close();
        if timeout(LAST_ANSWERS, self.app.tasks.wait()).await.is_err() {
            tracing::warn!("some requests did not end in time and were cut off");
            self.http.abort();
        }
        self.app.host.shutdown().await;
        flush(&self.app, Timestamp::MIN_UTC).await;
    }
}

/// Ends what an earlier process began to delete, and writes down now and then what was used.
async fn keep_registry(app: Shared) {
    for record in app.registry.half_deleted() {
        let name = record.name.clone();
        if let Err(error) = crate::lifecycle::finish_delete(&app, record).await {
            tracing::error!(?error, sprite.name = name, "a sprite cannot be deleted");
        }
    }
    let mut since = system::now();
    while app
        .stopping
        .run_until_cancelled(tokio::time::sleep(FLUSH))
        .await
        .is_some()
    {
        let now = system::now();
        flush(&app, since).await;
        since = now;
    }
}

async fn flush(app: &Shared, since: Timestamp) {
    if let Err(error) = app.registry.flush(since).await {
        tracing::error!(%error, "the registry cannot be written");
    }
}
