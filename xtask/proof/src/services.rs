//! A Postgres and a Redis of our own, on unix sockets in a directory of their own, so that they can be
//! stopped, killed and started again under load. They end with us, even when we are killed.

use std::fs::File;
use std::os::unix::net::UnixStream;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use clap::Args;
use nix::sys::{prctl, signal::Signal};
use nix::unistd::{Pid, User, chown, geteuid};
use tempfile::TempDir;

const READY_WITHIN: Duration = Duration::from_secs(30);
const LOOK_EVERY: Duration = Duration::from_millis(10);

const INITDB: [&str; 8] = [
    "-A",
    "trust",
    "-U",
    "postgres",
    "--no-sync",
    "--no-locale",
    "-E",
    "UTF8",
];
/// A fast shutdown loses nothing without syncs, and the machine is not to be measured here.
const SETTINGS: [&str; 4] = [
    "listen_addresses=",
    "fsync=off",
    "shared_buffers=64MB",
    "max_connections=200",
];
const REDIS: [&str; 8] = [
    "--port",
    "0",
    "--save",
    "",
    "--appendonly",
    "no",
    "--unixsocketperm",
    "777",
];

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
    pub(crate) postgres: Service,
    pub(crate) redis: Service,
    // Fields drop in order: the servers end before their directory goes.
    directory: TempDir,
}

/// One server that can be ended and started again.
pub(crate) struct Service {
    name: &'static str,
    program: PathBuf,
    arguments: Vec<String>,
    socket: PathBuf,
    directory: PathBuf,
    user: Option<User>,
    child: Option<Child>,
}

impl Services {
    /// Starts both.
    pub(crate) async fn start(programs: &Programs) -> Result<Self> {
        // Under /tmp because the path of a unix socket may have 107 bytes only.
        let directory = tempfile::Builder::new()
            .prefix("proof-")
            .tempdir_in("/tmp")?;
        let user = service_user()?;
        if let Some(user) = &user {
            chown(directory.path(), Some(user.uid), Some(user.gid))?;
        }
        let place = directory.path().to_owned();
        let shown = |path: PathBuf| path.display().to_string();
        let data = shown(place.join("postgres"));
        let service = |name, program: &Path, socket: &str| Service {
            name,
            program: program.to_owned(),
            arguments: Vec::new(),
            socket: place.join(socket),
            directory: place.clone(),
            user: user.clone(),
            child: None,
        };
        let made = service("initdb", &programs.initdb, "none")
            .command()
            .args(["-D", &data])
            .args(INITDB)
            .output()?;
        let said = String::from_utf8_lossy(&made.stderr);
        ensure!(made.status.success(), "initdb failed: {said}");
        let mut postgres = service("postgres", &programs.postgres, ".s.PGSQL.5432");
        postgres.arguments = ["-D", &data, "-k", &shown(place.clone())]
            .map(str::to_owned)
            .to_vec();
        for setting in SETTINGS {
            postgres
                .arguments
                .extend(["-c".to_owned(), setting.to_owned()]);
        }
        postgres.start().await?;
        let mut redis = service("redis", &programs.redis_server, "redis.sock");
        let socket = shown(redis.socket.clone());
        redis.arguments = REDIS
            .into_iter()
            .chain(["--unixsocket", &socket])
            .map(str::to_owned)
            .collect();
        redis.start().await?;
        Ok(Self {
            postgres,
            redis,
            directory,
        })
    }

    /// The Postgres server's own database.
    pub(crate) fn postgres_url(&self) -> String {
        format!(
            "postgres://postgres@localhost/postgres?host={}",
            self.directory.path().display()
        )
    }

    /// The Redis server.
    pub(crate) fn redis_url(&self) -> String {
        format!("redis+unix://{}", self.redis.socket.display())
    }
}

impl Service {
    /// Starts the server and waits until it takes connections.
    pub(crate) async fn start(&mut self) -> Result<()> {
        let log = File::options().create(true).append(true).open(self.log())?;
        let mut command = self.command();
        command
            .args(&self.arguments)
            .stdout(log.try_clone()?)
            .stderr(log);
        let child = command
            .spawn()
            .with_context(|| format!("cannot start {}", self.name))?;
        let child = self.child.insert(child);
        let started = Instant::now();
        while UnixStream::connect(&self.socket).is_err() {
            let ended = child.try_wait()?;
            if ended.is_some() || started.elapsed() > READY_WITHIN {
                bail!(
                    "{} does not start: {}",
                    self.name,
                    std::fs::read_to_string(self.log())?
                );
            }
            tokio::time::sleep(LOOK_EVERY).await;
        }
        Ok(())
    }

    /// Ends the server with a signal and waits until it is gone.
    pub(crate) async fn end(&mut self, signal: Signal) -> Result<()> {
        let Some(mut child) = self.child.take() else {
            return Ok(());
        };
        nix::sys::signal::kill(Pid::from_raw(i32::try_from(child.id())?), signal)?;
        while child.try_wait()?.is_none() {
            tokio::time::sleep(LOOK_EVERY).await;
        }
        // A killed server leaves its socket behind, and ours would take it for the next one's.
        match std::fs::remove_file(&self.socket) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(error.into()),
            Ok(()) | Err(_) => Ok(()),
        }
    }

    fn log(&self) -> PathBuf {
        self.directory.join(format!("{}.log", self.name))
    }

    /// A command that runs as the service user and dies with us.
    #[expect(
        unsafe_code,
        reason = "std has no safe way to run prctl between fork and exec"
    )]
    fn command(&self) -> Command {
        let mut command = Command::new(&self.program);
        command
            .current_dir(&self.directory)
            .env_remove("PGHOST")
            .env("LC_ALL", "C")
            .stdin(Stdio::null());
        if let Some(user) = &self.user {
            command.uid(user.uid.as_raw()).gid(user.gid.as_raw());
        }
        // SAFETY: the closure makes one async-signal-safe system call and allocates nothing. It runs
        // after the change of user, which would clear the setting.
        unsafe { command.pre_exec(|| Ok(prctl::set_pdeathsig(Signal::SIGQUIT)?)) };
        command
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        if let Some(mut child) = self.child.take() {
            // Nothing of it is kept, so its files need no good order.
            if let Err(error) = child.kill().and_then(|()| child.wait()) {
                eprintln!("proof: cannot stop {}: {error}", self.name);
            }
        }
    }
}

/// Postgres refuses to run as root; `None` when we are not root.
fn service_user() -> Result<Option<User>> {
    if !geteuid().is_root() {
        return Ok(None);
    }
    let known = User::from_name("postgres")?;
    let user = known.map_or_else(|| User::from_name("nobody"), |user| Ok(Some(user)))?;
    user.map(Some)
        .context("neither a user `postgres` nor a user `nobody` exists to run the servers")
}
