//! The process under test: the real binary on a data directory of its own, started, killed, frozen and
//! started again on the same port. It is spoken to over its public API only.

use std::fs::File;
use std::net::TcpListener;
use std::path::PathBuf;
use std::process::{ExitStatus, Stdio};
use std::sync::atomic::{AtomicU16, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use tokio::process::{Child, Command};

use crate::api::{Api, TOKEN};

const START_LIMIT: Duration = Duration::from_secs(30);
const LOOK_EVERY: Duration = Duration::from_millis(2);
/// Below the range the system takes ports for outgoing connections from, so that a port stays ours while
/// the server that had it is down.
const FIRST_PORT: u16 = 20_000;

/// How to start a server; the same launch starts it again.
#[derive(Clone)]
pub(crate) struct Launch {
    pub(crate) binary: PathBuf,
    pub(crate) data: PathBuf,
    pub(crate) log: PathBuf,
    pub(crate) port: u16,
    pub(crate) env: Vec<(String, String)>,
}

/// A running server; dropping it kills it.
pub(crate) struct Server {
    child: Child,
    pid: Pid,
    log: PathBuf,
    pub(crate) started: Instant,
}

impl Launch {
    /// Starts the process, with a crash point armed when one is given. It may not answer yet.
    pub(crate) fn spawn(&self, armed: Option<&str>) -> Result<Server> {
        let log = File::options().create(true).append(true).open(&self.log)?;
        let mut command = Command::new(&self.binary);
        command
            .arg("serve")
            .stdin(Stdio::null())
            .stdout(log.try_clone()?)
            .stderr(log)
            .kill_on_drop(true);
        command
            .env_clear()
            .envs([
                ("HOST", "127.0.0.1"),
                ("PATH", "/usr/local/bin:/usr/bin:/bin"),
            ])
            .env("PORT", self.port.to_string())
            .env("DATA_DIR", &self.data)
            .env("NITEJAR_ADMIN_TOKEN", TOKEN)
            .envs(self.env.iter().map(|(name, value)| (name, value)))
            .envs(armed.map(|point| ("NITEJAR_CRASH_POINT", point)));
        let started = Instant::now();
        let child = command
            .spawn()
            .with_context(|| format!("cannot start {}", self.binary.display()))?;
        let pid = child.id().context("the server has no process id")?;
        Ok(Server {
            child,
            pid: Pid::from_raw(i32::try_from(pid)?),
            log: self.log.clone(),
            started,
        })
    }

    /// Starts the process and waits until it answers.
    pub(crate) async fn start(&self, api: &Api) -> Result<Server> {
        let mut server = self.spawn(None)?;
        server.ready(api).await?;
        Ok(server)
    }

    /// Runs another command of the binary on the same data and waits for it.
    pub(crate) async fn run(&self, verb: &str) -> Result<()> {
        let mut command = Command::new(&self.binary);
        command.arg(verb).env_clear().env("DATA_DIR", &self.data);
        let output = command
            .envs(self.env.iter().map(|(name, value)| (name, value)))
            .output()
            .await?;
        let said = String::from_utf8_lossy(&output.stderr);
        ensure!(
            output.status.success(),
            "`nitejar {verb}` failed: {}\n{said}",
            output.status
        );
        Ok(())
    }
}

impl Server {
    /// Waits until it is ready to serve.
    pub(crate) async fn ready(&mut self, api: &Api) -> Result<()> {
        while !api.is_ready().await {
            if let Some(status) = self.child.try_wait()? {
                let log = std::fs::read_to_string(&self.log).unwrap_or_default();
                let last = log.lines().next_back().unwrap_or_default();
                bail!(
                    "the server ended with {status} before it was ready; the last it said: {last}"
                );
            }
            ensure!(
                self.started.elapsed() < START_LIMIT,
                "the server is not ready after {START_LIMIT:?}"
            );
            tokio::time::sleep(LOOK_EVERY).await;
        }
        Ok(())
    }

    /// Sends a signal. One that ended already does not mind.
    pub(crate) fn signal(&self, signal: Signal) -> Result<()> {
        match kill(self.pid, signal) {
            Ok(()) | Err(nix::errno::Errno::ESRCH) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }

    /// Waits for its end.
    pub(crate) async fn ended(&mut self) -> Result<ExitStatus> {
        Ok(self.child.wait().await?)
    }

    /// Asks it to stop and waits until it has, in good order.
    pub(crate) async fn stop(mut self, within: Duration) -> Result<()> {
        self.signal(Signal::SIGTERM)?;
        let status = tokio::time::timeout(within, self.child.wait())
            .await
            .with_context(|| format!("the server did not stop within {within:?}"))??;
        ensure!(status.success(), "the server stopped with {status}");
        Ok(())
    }

    /// Its process id.
    pub(crate) fn pid(&self) -> i32 {
        self.pid.as_raw()
    }
}

/// A port nobody listens on and no other case of this run was given.
pub(crate) fn free_port() -> Result<u16> {
    static NEXT: AtomicU16 = AtomicU16::new(0);
    let spread = u16::try_from(std::process::id() % 100)? * 80;
    for _ in 0..10_000 {
        let port = FIRST_PORT + (spread + NEXT.fetch_add(1, Ordering::SeqCst)) % 10_000;
        if TcpListener::bind(("127.0.0.1", port)).is_ok() {
            return Ok(port);
        }
    }
    bail!("no port from {FIRST_PORT} on is free")
}
