//! What a sprite may reach, enforced outside of it: its network has no way out but a proxy in the
//! server's process, which decides by host name and connects only to public addresses.

mod address;
mod denial;
mod destination;
mod egress;
mod gate;
mod http;
mod passage;
mod policy;
mod socks;
mod upstream;

pub(crate) use egress::{Egress, SOCKET, directory};
pub(crate) use policy::load;
pub use upstream::{SystemUpstream, Upstream};

use crate::computer::LocalComputer;
use async_trait::async_trait;
use domain::sprite::{NetworkPolicy, NetworkRule};
use ports::sandbox::{ListeningPort, Network, SandboxError, Tunnel};
use std::io;

#[async_trait]
impl Network for LocalComputer {
    async fn network_policy(&self) -> Result<NetworkPolicy, SandboxError> {
        load(&self.inner.home(self.key), self.inner.tier())
    }

    async fn set_network_policy(&self, policy: NetworkPolicy) -> Result<(), SandboxError> {
        let policy = checked(policy)?;
        if let Some(reason) = policy::unenforceable(&policy, self.inner.tier()) {
            return Err(SandboxError::Refused(reason));
        }
        let home = self.inner.home(self.key);
        let kept = policy.clone();
        let sprite = self.inner.hold(self.key).await;
        let stored = tokio::task::spawn_blocking(move || policy::store(&home, &kept)).await;
        stored.map_err(io::Error::from).flatten().map_err(|error| {
            SandboxError::Unavailable(format!("its network policy cannot be kept: {error}"))
        })?;
        if let Some(egress) = sprite.as_ref().and_then(|sprite| sprite.egress()) {
            egress.enforce(policy);
        }
        Ok(())
    }

    async fn connect(&self, host: &str, port: u16) -> Result<Tunnel, SandboxError> {
        let own = [
            "localhost",
            "127.0.0.1",
            "0.0.0.0",
            "::1",
            "[::1]",
            "::",
            "[::]",
        ];
        if !own.contains(&host) {
            let text = format!("`{host}` is not an address of the sprite; use `localhost`");
            return Err(SandboxError::Refused(text));
        }
        self.awake().await?.connect(port).await
    }

    async fn listening(&self) -> Result<Vec<ListeningPort>, SandboxError> {
        let held = self.inner.hold(self.key).await;
        let sprite = held.clone().filter(|sprite| sprite.is_awake());
        drop(held);
        match sprite {
            Some(sprite) => sprite.listening().await,
            None => Ok(Vec::new()),
        }
    }
}

/// The same policy with every rule in its one spelling.
fn checked(policy: NetworkPolicy) -> Result<NetworkPolicy, SandboxError> {
    let rules = policy.rules.into_iter();
    let rules = rules.map(|rule| NetworkRule::new(&rule.domain, rule.action));
    Ok(NetworkPolicy {
        rules: rules
            .collect::<Result<_, _>>()
            .map_err(|error| SandboxError::Refused(error.to_string()))?,
        otherwise: policy.otherwise,
    })
}
