//! Services of a sprite: processes that are defined once, start with it and are started again
//! when they end.

use super::{ProcessEvent, SandboxError};
use async_trait::async_trait;
use domain::Timestamp;
use futures_core::Stream;
use std::{pin::Pin, time::Duration};

/// What a service is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServiceDefinition {
    /// Unique within the sprite; letters, digits, `-` and `_`, at most 63.
    pub name: String,
    /// The program and its arguments.
    pub command: Vec<String>,
    /// Added to the sprite's own environment.
    pub environment: Vec<(String, String)>,
    /// Where it starts; home when absent.
    pub directory: Option<String>,
    /// Services that must run before it.
    pub needs: Vec<String>,
    /// The port that requests to the sprite's URL go to; only one service may have one.
    pub http_port: Option<u16>,
}

/// Where a service stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ServiceStatus {
    /// Somebody stopped it, or the sprite sleeps.
    Stopped,
    /// It waits for what it needs, or to be started again.
    Starting,
    /// It runs.
    Running,
    /// It was told to end.
    Stopping,
    /// It ended again and again.
    Failed,
}

/// A service.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServiceReport {
    /// What it is.
    pub definition: ServiceDefinition,
    /// Where it stands.
    pub status: ServiceStatus,
    /// Its process, while it runs.
    pub process: Option<i32>,
    /// Since when it runs.
    pub started_at: Option<Timestamp>,
    /// Why it does not run.
    pub error: Option<String>,
    /// How often it was started again since somebody last started it.
    pub restarts: u32,
    /// When it is started again.
    pub next_start_at: Option<Timestamp>,
}

/// A line of a service's log, or its end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServiceEvent {
    /// When.
    pub at: Timestamp,
    /// What.
    pub event: ProcessEvent,
}

/// Lines as they come.
pub type ServiceLog = Pin<Box<dyn Stream<Item = ServiceEvent> + Send>>;

/// The services of a sprite. Their definitions survive everything.
#[async_trait]
pub trait Services: Send + Sync {
    /// All, by name.
    async fn services(&self) -> Result<Vec<ServiceReport>, SandboxError>;

    /// Defines a service, or defines it anew, and starts it.
    async fn put_service(&self, definition: ServiceDefinition) -> Result<(), SandboxError>;

    /// Starts one that does not run; one that does is left alone.
    async fn start_service(&self, name: &str) -> Result<(), SandboxError>;

    /// Stops one: TERM, then so much patience, then KILL. It stays stopped until it is started,
    /// also over restarts of the sprite.
    async fn stop_service(&self, name: &str, patience: Duration) -> Result<(), SandboxError>;

    /// A signal (its number) to its process group; an end by it counts as one by itself.
    async fn signal_service(&self, name: &str, signal: i32) -> Result<(), SandboxError>;

    /// Stops one and forgets it.
    async fn delete_service(&self, name: &str) -> Result<(), SandboxError>;

    /// The last `lines` of its log and, when `follow`, what comes after them.
    async fn service_log(
        &self,
        name: &str,
        lines: usize,
        follow: bool,
    ) -> Result<ServiceLog, SandboxError>;
}
