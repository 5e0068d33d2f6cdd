//! A Postgres and a Redis of our own, so that they can be stopped, killed and started again under load.
//! The wait for them never holds up who writes meanwhile.

use std::path::PathBuf;
use std::time::Duration;

use anyhow::Result;
use clap::Args;
use nix::sys::signal::Signal;
use throwaway::{Place, Server, postgres, redis};

const LOOK_EVERY: Duration = Duration::from_millis(10);

/// A fast shutdown loses nothing without syncs, and the machine is not to be measured here.
const UNSYNCED: [&str; 1] = ["fsync=off"];

/// The programs.
#[derive(Args)]
pub(crate) struct Programs {
    /// Postgres' `initdb`.
    #[arg(long)]
    initdb: PathBuf,
    /// The Postgres server.
    #[arg(long)]
    postgres: PathBuf,
    /// The Redis server.
    #[arg(long)]
    redis_server: PathBuf,
}

/// Both servers.
pub(crate) struct Services {
    pub(crate) postgres: Server,
    pub(crate) redis: Server,
    // Fields drop in order: the servers end before their directory goes.
    place: Place,
}

impl Services {
    /// Starts both.
    pub(crate) async fn start(programs: &Programs) -> Result<Self> {
        let place = Place::new("proof-")?;
        postgres::init(&place, &programs.initdb)?;
        let mut services = Self {
            postgres: postgres::server(&place, &programs.postgres, &UNSYNCED),
            redis: redis::server(&place, &programs.redis_server),
            place,
        };
        start(&mut services.postgres).await?;
        start(&mut services.redis).await?;
        Ok(services)
    }

    /// The Postgres server's own database.
    pub(crate) fn postgres_url(&self) -> String {
        postgres::url(&self.place)
    }

    /// The Redis server.
    pub(crate) fn redis_url(&self) -> String {
        redis::url(&self.place)
    }
}

/// Starts a server and waits until it answers.
pub(crate) async fn start(server: &mut Server) -> Result<()> {
    server.start()?;
    while !server.is_ready()? {
        tokio::time::sleep(LOOK_EVERY).await;
    }
    Ok(())
}

/// Ends a server with a signal and waits until it is gone.
pub(crate) async fn end(server: &mut Server, signal: Signal) -> Result<()> {
    server.signal(signal)?;
    while !server.is_gone()? {
        tokio::time::sleep(LOOK_EVERY).await;
    }
    Ok(())
}
