//! How the egress proxy gets to the world. It is a trait so that tests and embedders can put
//! something else there; what may be reached is decided before it is asked to connect.

use async_trait::async_trait;
use std::{
    fmt::Debug,
    io,
    net::{IpAddr, SocketAddr},
};
use tokio::net::{TcpStream, lookup_host};

/// Resolves names and connects to addresses, outside of every sandbox.
#[async_trait]
pub trait Upstream: Debug + Send + Sync {
    /// The addresses of a host name. Those that are not public are never connected to.
    async fn resolve(&self, host: &str) -> io::Result<Vec<IpAddr>>;

    /// Connects to exactly this address, which was checked.
    async fn connect(&self, address: SocketAddr) -> io::Result<TcpStream>;
}

/// The resolver and the network of this machine.
#[derive(Clone, Copy, Debug)]
pub struct SystemUpstream;

#[async_trait]
impl Upstream for SystemUpstream {
    async fn resolve(&self, host: &str) -> io::Result<Vec<IpAddr>> {
        let found = lookup_host((host, 0)).await?;
        Ok(found.map(|address| address.ip()).collect())
    }

    async fn connect(&self, address: SocketAddr) -> io::Result<TcpStream> {
        let stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        Ok(stream)
    }
}
