//! Decides what is carried and keeps account of it: a policy, the connections that are open under
//! it, and their end when the policy changes. It speaks no protocol.

use super::{
    address::is_public,
    denial::Denial,
    destination::Destination,
    passage::{Lease, Watched},
    upstream::Upstream,
};
use domain::sprite::NetworkPolicy;
use std::{
    collections::HashMap,
    io,
    net::{IpAddr, SocketAddr},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};
use tokio::{net::TcpStream, sync::Semaphore, time::timeout};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

/// What one sprite may take of the proxy.
#[derive(Clone, Copy, Debug)]
pub(super) struct Limits {
    /// Connections from inside at once.
    pub(super) connections: usize,
    /// How long a request may take to be sent.
    pub(super) head: Duration,
    /// How long resolving and connecting may take.
    pub(super) connect: Duration,
    /// How long a connection may carry nothing.
    pub(super) idle: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connections: 256,
            head: Duration::from_secs(30),
            connect: Duration::from_secs(15),
            idle: Duration::from_mins(10),
        }
    }
}

/// The way out of one sprite.
pub(super) struct Gate {
    pub(super) limits: Limits,
    pub(super) places: Arc<Semaphore>,
    pub(super) tasks: TaskTracker,
    pub(super) closing: CancellationToken,
    upstream: Arc<dyn Upstream>,
    state: Mutex<State>,
}

struct State {
    policy: NetworkPolicy,
    last: u64,
    open: HashMap<u64, (String, CancellationToken)>,
}

impl Gate {
    pub(super) fn new(
        policy: NetworkPolicy,
        upstream: Arc<dyn Upstream>,
        limits: Limits,
        tasks: TaskTracker,
    ) -> Arc<Self> {
        Arc::new(Self {
            limits,
            places: Arc::new(Semaphore::new(limits.connections)),
            tasks,
            closing: CancellationToken::new(),
            upstream,
            state: Mutex::new(State {
                policy,
                last: 0,
                open: HashMap::new(),
            }),
        })
    }

    /// Puts a policy in force; what it does not allow is cut.
    pub(super) fn enforce(&self, policy: NetworkPolicy) {
        let mut state = self.state();
        for (host, cut) in state.open.values() {
            if !policy.allows(host) {
                cut.cancel();
            }
        }
        state.policy = policy;
    }

    /// Connects to where a command wants to go, if it may.
    pub(super) async fn connect(
        self: &Arc<Self>,
        to: &Destination,
    ) -> Result<(Watched<TcpStream>, Lease), Denial> {
        let lease = self.admit(&to.host)?;
        let reached = timeout(self.limits.connect, self.reach(to));
        let stream = tokio::select! {
            biased;
            () = lease.cut() => Err(Denial::Cut(to.host.clone())),
            reached = reached => {
                reached.unwrap_or_else(|_elapsed| Err(Denial::TimedOut(to.host.clone())))
            }
        }?;
        Ok((lease.watch(stream), lease))
    }

    /// Notes a connection under the policy of now, so that a later one finds it.
    fn admit(self: &Arc<Self>, host: &str) -> Result<Lease, Denial> {
        let mut state = self.state();
        if !state.policy.allows(host) {
            tracing::debug!(
                host,
                "egress.denied: the sprite's network policy forbids it"
            );
            return Err(Denial::NotAllowed(host.to_owned()));
        }
        state.last += 1;
        let (number, cut) = (state.last, self.closing.child_token());
        state.open.insert(number, (host.to_owned(), cut.clone()));
        Ok(Lease::new(Arc::clone(self), number, cut))
    }

    pub(super) fn forget(&self, number: u64) {
        self.state().open.remove(&number);
    }

    /// Resolves, checks and connects to what was checked; the name is not looked at again.
    async fn reach(&self, to: &Destination) -> Result<TcpStream, Denial> {
        let mut refused = None;
        let mut failed = None;
        for address in self.addresses(to).await? {
            if !is_public(address) {
                refused = Some(address);
                continue;
            }
            match self
                .upstream
                .connect(SocketAddr::new(address, to.port))
                .await
            {
                Ok(stream) => return Ok(stream),
                Err(error) => failed = Some(error),
            }
        }
        let host = to.host.clone();
        Err(match (failed, refused) {
            (None, Some(address)) => {
                tracing::debug!(
                    host,
                    "egress.private: the name leads to an address that is not public"
                );
                Denial::NotPublic { host, address }
            }
            (source, _) => Denial::Unreachable { host, source },
        })
    }

    async fn addresses(&self, to: &Destination) -> Result<Vec<IpAddr>, Denial> {
        if let Some(address) = to.address {
            return Ok(vec![address]);
        }
        let unresolved = |source: Option<io::Error>| Denial::Unresolved {
            host: to.host.clone(),
            source,
        };
        let found = self.upstream.resolve(&to.host).await;
        match found.map_err(|error| unresolved(Some(error)))? {
            none if none.is_empty() => Err(unresolved(None)),
            some => Ok(some),
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
