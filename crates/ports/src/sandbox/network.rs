//! The network of a sprite: what it may reach, and how its own ports are reached.

use super::SandboxError;
use async_trait::async_trait;
use bytes::Bytes;
use domain::sprite::NetworkPolicy;
use futures_core::Stream;
use std::{pin::Pin, sync::Arc};

/// The way to a port, in order. Dropping it ends the connection.
#[async_trait]
pub trait TunnelInput: Send + Sync {
    /// Bytes for the port.
    async fn write(&self, bytes: Bytes) -> Result<(), SandboxError>;

    /// No more will come.
    async fn finish(&self) -> Result<(), SandboxError>;
}

/// A TCP connection to a port inside the sprite.
pub struct Tunnel {
    /// To the port.
    pub input: Arc<dyn TunnelInput>,
    /// From it, until it closes.
    pub output: Pin<Box<dyn Stream<Item = Result<Bytes, SandboxError>> + Send>>,
}

/// A port that something inside listens on.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct ListeningPort {
    /// The number.
    pub port: u16,
    /// The address it listens on.
    pub address: String,
    /// Who listens, as the sprite counts processes, where that can be told.
    pub process: Option<i32>,
}

/// What a sprite may reach and what of it can be reached.
#[async_trait]
pub trait Network: Send + Sync {
    /// The policy in force.
    async fn network_policy(&self) -> Result<NetworkPolicy, SandboxError>;

    /// Puts a policy in force at once, for open connections too. One that this backend cannot
    /// enforce is refused.
    async fn set_network_policy(&self, policy: NetworkPolicy) -> Result<(), SandboxError>;

    /// Connects to a TCP port that something inside the sprite listens on; `host` must be one of
    /// the sprite's own addresses (`localhost`).
    async fn connect(&self, host: &str, port: u16) -> Result<Tunnel, SandboxError>;

    /// The TCP ports that are listened on inside; none when it sleeps.
    async fn listening(&self) -> Result<Vec<ListeningPort>, SandboxError>;
}
