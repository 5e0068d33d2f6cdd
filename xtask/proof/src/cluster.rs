//! Two servers on one database, each with a data directory of its own, and what can happen to them.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result};
use nix::sys::signal::Signal;
use reqwest::Client;

use crate::api::Api;
use crate::database::{Databases, Fresh};
use crate::server::{Launch, Server, free_port};
use crate::world::World;

/// Counts writes the database refused because their worker had lost its lease.
const STALE: &str = "nitejar_stale_writes_total";
/// A stopped server has this long for its running jobs.
const DRAIN: Duration = Duration::from_secs(45);

/// The replicas of one deployment.
pub(crate) struct Cluster {
    pub(crate) replicas: Vec<Replica>,
    pub(crate) world: Arc<World>,
    pub(crate) database: Fresh,
}

/// One replica.
pub(crate) struct Replica {
    launch: Launch,
    pub(crate) api: Api,
    server: Option<Server>,
    /// Stale writes of its processes that are gone.
    stale_before: f64,
}

impl Cluster {
    /// Starts two replicas on a fresh database.
    pub(crate) async fn start(
        binary: &Path,
        databases: &Databases,
        client: &Client,
        (name, directory): (&str, &Path),
        redis: &str,
    ) -> Result<Self> {
        let world = Arc::new(World::start().await?);
        let database = databases.fresh(name, &directory.join("data-0")).await?;
        databases.copy(&directory.join("data-1"))?;
        let mut replicas = Vec::new();
        let first = free_port()?;
        for (number, port) in [first, free_port()?].into_iter().enumerate() {
            let mut env = world.env(first);
            env.extend(database.env.clone());
            env.push(("REDIS_URL".to_owned(), redis.to_owned()));
            let launch = Launch {
                binary: binary.to_owned(),
                data: directory.join(format!("data-{number}")),
                log: directory.join(format!("server-{number}.log")),
                port,
                env,
            };
            let api = Api::new(client, port);
            let server = Some(launch.start(&api).await?);
            replicas.push(Replica {
                launch,
                api,
                server,
                stale_before: 0.0,
            });
        }
        let api = replicas.first().context("no replica")?.api.clone();
        world.furnish(&api).await?;
        Ok(Self {
            replicas,
            world,
            database,
        })
    }

    /// One of them.
    pub(crate) fn replica(&mut self, number: usize) -> Result<&mut Replica> {
        self.replicas.get_mut(number).context("no such replica")
    }

    /// Writes that were refused so far.
    pub(crate) async fn stale(&mut self) -> Result<f64> {
        let mut sum = 0.0;
        for replica in &mut self.replicas {
            sum += replica.stale_before + replica.api.metric(STALE).await?;
        }
        Ok(sum)
    }

    /// Stops all in good order.
    pub(crate) async fn stop(self) -> Result<()> {
        for replica in self.replicas {
            replica
                .server
                .context("a replica is down")?
                .stop(DRAIN)
                .await?;
        }
        Ok(())
    }
}

impl Replica {
    /// Stops in good order and starts again.
    pub(crate) async fn restart(&mut self) -> Result<()> {
        self.stale_before += self.api.metric(STALE).await?;
        self.server
            .take()
            .context("the replica is down")?
            .stop(DRAIN)
            .await?;
        self.start().await
    }

    /// Is killed.
    pub(crate) async fn kill(&mut self) -> Result<()> {
        self.stale_before += self.api.metric(STALE).await?;
        let mut server = self.server.take().context("the replica is down")?;
        server.signal(Signal::SIGKILL)?;
        server.ended().await?;
        Ok(())
    }

    /// Starts again after a kill.
    pub(crate) async fn start(&mut self) -> Result<()> {
        self.server = Some(self.launch.start(&self.api).await?);
        Ok(())
    }

    /// Stops or goes on without knowing it.
    pub(crate) fn signal(&self, signal: Signal) -> Result<()> {
        self.server
            .as_ref()
            .context("the replica is down")?
            .signal(signal)
    }
}
