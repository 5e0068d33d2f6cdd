//! Throw-away servers for the test suites: started on unix sockets in a directory of their own, gone
//! with us even when we are killed. They never listen on a port and never touch a server that is
//! already on the machine.

mod postgres;
mod redis;

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use nix::sys::{prctl, signal::Signal};
use nix::unistd::{Pid, User, chown, geteuid};
use serde::Deserialize;
use tempfile::TempDir;

use crate::workspace::Workspace;

const READY_WITHIN: Duration = Duration::from_secs(20);
const POLL: Duration = Duration::from_millis(5);

/// A server that a package may declare in `[package.metadata] services`.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Ord, PartialEq, PartialOrd)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Service {
    Postgres,
    Redis,
}

/// Whether a database waits for its disk.
#[derive(Clone, Copy)]
pub(crate) enum Syncs {
    /// For tests: what a power cut would take is thrown away anyway.
    Skipped,
    /// For benches: waiting is part of what is measured.
    Kept,
}

/// The running servers; dropping it stops them and removes their files.
pub(crate) struct Services {
    servers: Vec<Server>,
    environment: Vec<(&'static str, String)>,
    // Fields drop in order: the servers stop before their directory goes.
    _directory: TempDir,
}

/// Where the servers run and as whom.
struct Place {
    directory: PathBuf,
    /// Postgres refuses to run as root, so root hands the servers to another user.
    user: Option<User>,
}

/// One child process, stopped by its own signal when dropped.
struct Server {
    name: &'static str,
    child: Child,
    stop: Signal,
    log: PathBuf,
}

impl Services {
    /// Starts the wanted servers and waits until each answers.
    pub(crate) fn start(
        wanted: &BTreeSet<Service>,
        workspace: &Workspace,
        syncs: Syncs,
    ) -> Result<Self> {
        sweep();
        // Under /tmp because the path of a unix socket may have 107 bytes only.
        let prefix = format!("xt-{}-", std::process::id());
        let directory = tempfile::Builder::new()
            .prefix(&prefix)
            .tempdir_in("/tmp")?;
        let place = Place {
            directory: directory.path().to_owned(),
            user: service_user()?,
        };
        if let Some(user) = &place.user {
            chown(&place.directory, Some(user.uid), Some(user.gid))?;
        }
        let mut services = Self {
            servers: Vec::new(),
            environment: Vec::new(),
            _directory: directory,
        };
        for service in wanted {
            let (server, variable) = match service {
                Service::Postgres => postgres::start(&place, workspace, syncs)?,
                Service::Redis => redis::start(&place, workspace)?,
            };
            services.servers.push(server);
            services.environment.push(variable);
        }
        Ok(services)
    }

    /// What the suites read: `TEST_POSTGRES_URL` and `TEST_REDIS_URL` of the servers that run.
    pub(crate) fn environment(&self) -> impl Iterator<Item = (&'static str, &str)> {
        self.environment
            .iter()
            .map(|(name, value)| (*name, value.as_str()))
    }
}

impl Place {
    /// A command that runs in the directory as the service user and dies with us.
    #[expect(
        unsafe_code,
        reason = "std has no safe way to run prctl between fork and exec"
    )]
    fn command(&self, program: &Path) -> Command {
        let mut command = Command::new(program);
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

    /// Starts a server with its output in a log file of the directory.
    fn spawn(&self, name: &'static str, stop: Signal, command: &mut Command) -> Result<Server> {
        let log = self.directory.join(format!("{name}.log"));
        let file = File::create(&log)?;
        let child = command.stdout(file.try_clone()?).stderr(file).spawn();
        Ok(Server {
            name,
            child: child.with_context(|| format!("cannot start {name}"))?,
            stop,
            log,
        })
    }
}

impl Server {
    #[expect(
        clippy::disallowed_methods,
        reason = "a foreign server tells readiness only to who asks again"
    )]
    fn wait_until(&mut self, ready: impl Fn() -> bool) -> Result<()> {
        let started = Instant::now();
        while !ready() {
            let ended = self.child.try_wait()?.map(|status| status.to_string());
            let late = || {
                (started.elapsed() > READY_WITHIN).then(|| format!("not ready in {READY_WITHIN:?}"))
            };
            if let Some(reason) = ended.or_else(late) {
                let log = fs::read_to_string(&self.log)
                    .unwrap_or_else(|error| format!("no log: {error}"));
                bail!("{}: {reason}\n{}", self.name, log.trim());
            }
            std::thread::sleep(POLL);
        }
        Ok(())
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let pid = i32::try_from(self.child.id()).map(Pid::from_raw);
        if let Ok(pid) = pid
            && let Err(error) = nix::sys::signal::kill(pid, self.stop)
        {
            eprintln!("xtask: cannot stop {}: {error}", self.name);
        }
        if let Err(error) = self.child.wait() {
            eprintln!("xtask: cannot wait for {}: {error}", self.name);
        }
    }
}

/// The user the servers run as; `None` when we are not root and they run as us.
fn service_user() -> Result<Option<User>> {
    if !geteuid().is_root() {
        return Ok(None);
    }
    let known = User::from_name("postgres")?;
    let user = known.map_or_else(|| User::from_name("nobody"), |user| Ok(Some(user)))?;
    user.map(Some)
        .context("neither a user `postgres` nor a user `nobody` exists to run the test servers")
}

/// Removes the directories of runs that were killed before they could clean up.
fn sweep() {
    let stale = |path: &PathBuf| {
        let name = path
            .file_name()
            .and_then(|name| name.to_str())
            .and_then(|name| name.strip_prefix("xt-"));
        let pid = name
            .and_then(|name| name.split_once('-'))
            .and_then(|(pid, _)| pid.parse::<u32>().ok());
        pid.is_some_and(|pid| !Path::new("/proc").join(pid.to_string()).exists())
    };
    let entries = fs::read_dir("/tmp")
        .into_iter()
        .flatten()
        .flatten()
        .map(|entry| entry.path());
    for path in entries.filter(stale) {
        if let Err(error) = fs::remove_dir_all(&path) {
            eprintln!("xtask: {} of an earlier run stays: {error}", path.display());
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::{Read, Write};
    use std::os::unix::net::UnixStream;

    use super::*;

    #[test]
    fn both_servers_answer_on_their_sockets_and_leave_nothing_behind() {
        let workspace = Workspace::load().unwrap();
        let services = Services::start(
            &BTreeSet::from([Service::Postgres, Service::Redis]),
            &workspace,
            Syncs::Skipped,
        )
        .unwrap();
        let urls: Vec<_> = services
            .environment()
            .map(|(name, url)| (name, url.to_owned()))
            .collect();
        let [(postgres, database), (redis, socket)] = urls.as_slice() else {
            panic!("{urls:?}")
        };
        assert_eq!((*postgres, *redis), ("TEST_POSTGRES_URL", "TEST_REDIS_URL"));
        let directory = database
            .split_once("?host=")
            .map(|(_, directory)| Path::new(directory));
        let directory = directory.unwrap();
        let socket = socket.strip_prefix("redis+unix://").unwrap();
        let mut stream = UnixStream::connect(socket).unwrap();
        stream.write_all(b"PING\r\n").unwrap();
        let mut answer = [0; 7];
        stream.read_exact(&mut answer).unwrap();
        assert_eq!(&answer, b"+PONG\r\n");
        assert!(super::postgres::answers(
            &directory.join(super::postgres::SOCKET)
        ));

        drop(services);
        assert!(!directory.exists());
    }

    #[test]
    fn a_server_that_ends_at_once_shows_its_log() {
        let directory = tempfile::tempdir().unwrap();
        let place = Place {
            directory: directory.path().to_owned(),
            user: None,
        };
        let mut shell = place.command(Path::new("/bin/sh"));
        let mut server = place
            .spawn(
                "sh",
                Signal::SIGTERM,
                shell.args(["-c", "echo no room; exit 3"]),
            )
            .unwrap();
        let error = server.wait_until(|| false).unwrap_err().to_string();
        assert_eq!(error, "sh: exit status: 3\nno room");
    }
}
