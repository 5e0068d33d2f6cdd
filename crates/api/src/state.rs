//! What the handlers are given. Made once by the server.

use ports::live::EventFeed;
use services::Platform;
use std::sync::Arc;
use tokio::sync::watch;
use tokio_util::task::TaskTracker;

/// Where the process stands in its life.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    /// Not everything runs yet.
    Starting,
    /// Everything runs.
    Serving,
    /// It is about to end: no new work, and readers of streams are sent away.
    Stopping,
}

/// Shared by all handlers; cheap to clone.
#[derive(Clone)]
pub struct ApiState {
    /// What use cases need.
    pub platform: Arc<Platform>,
    /// Live events.
    pub feed: Arc<dyn EventFeed>,
    /// Renders the process's metrics in Prometheus' text format.
    pub metrics: Arc<dyn Fn() -> String + Send + Sync>,
    /// Where the process stands.
    pub phase: watch::Receiver<Phase>,
    /// Requests that must end even when their client goes away run here, so that shutdown waits.
    pub tasks: TaskTracker,
}
