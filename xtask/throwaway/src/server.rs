//! One server that can be ended and started again. It never waits for anything itself, because some of
//! who use it must not stand still.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Child, Command};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use crate::Place;

const READY_WITHIN: Duration = Duration::from_secs(30);

/// A child process on a unix socket; dropping it ends it.
pub struct Server {
    name: &'static str,
    command: Command,
    /// Ends it quickly, which may be in no good order.
    stop: Signal,
    socket: PathBuf,
    answers: fn(&Path) -> bool,
    log: PathBuf,
    started: Instant,
    child: Option<Child>,
}

impl Server {
    /// A server that does not run yet.
    pub(crate) fn new(
        place: &Place,
        name: &'static str,
        (socket, answers): (&str, fn(&Path) -> bool),
        stop: Signal,
        command: Command,
    ) -> Self {
        Self {
            name,
            command,
            stop,
            socket: place.path().join(socket),
            answers,
            log: place.path().join(format!("{name}.log")),
            started: Instant::now(),
            child: None,
        }
    }

    /// Starts the process; it may not answer yet.
    pub fn start(&mut self) -> Result<()> {
        let log = File::options().create(true).append(true).open(&self.log)?;
        let child = self.command.stdout(log.try_clone()?).stderr(log).spawn();
        self.child = Some(child.with_context(|| format!("cannot start {}", self.name))?);
        self.started = Instant::now();
        Ok(())
    }

    /// Whether it answers; an error with its log when it has ended or takes too long.
    pub fn is_ready(&mut self) -> Result<bool> {
        if (self.answers)(&self.socket) {
            return Ok(true);
        }
        let child = self.child.as_mut();
        let ended = child.map(Child::try_wait).transpose()?.flatten();
        let late = self.started.elapsed() > READY_WITHIN;
        let late = || late.then(|| format!("not ready in {READY_WITHIN:?}"));
        if let Some(reason) = ended.map(|status| status.to_string()).or_else(late) {
            let log =
                fs::read_to_string(&self.log).unwrap_or_else(|error| format!("no log: {error}"));
            bail!("{}: {reason}\n{}", self.name, log.trim());
        }
        Ok(false)
    }

    /// Sends a signal, unless it does not run.
    pub fn signal(&self, signal: Signal) -> Result<()> {
        if let Some(child) = &self.child {
            kill(Pid::from_raw(i32::try_from(child.id())?), signal)?;
        }
        Ok(())
    }

    /// Whether its process has ended, so that it can be started again.
    pub fn is_gone(&mut self) -> Result<bool> {
        if let Some(child) = &mut self.child {
            if child.try_wait()?.is_none() {
                return Ok(false);
            }
            self.child = None;
            // A killed server leaves its socket behind, and ours would take it for the next one's.
            if let Err(error) = fs::remove_file(&self.socket)
                && error.kind() != std::io::ErrorKind::NotFound
            {
                return Err(error.into());
            }
        }
        Ok(true)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if let Err(error) = self.signal(self.stop) {
            eprintln!("cannot stop {}: {error}", self.name);
        }
        if let Some(Err(error)) = self.child.as_mut().map(Child::wait) {
            eprintln!("cannot wait for {}: {error}", self.name);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_that_ends_at_once_shows_its_log() {
        let place = Place::new("throwaway-test-").unwrap();
        let mut command = place.command(Path::new("/bin/sh"));
        command.args(["-c", "echo no room; exit 3"]);
        let never = |_: &Path| false;
        let mut server = Server::new(&place, "sh", ("none", never), Signal::SIGTERM, command);
        server.start().unwrap();
        let error = loop {
            match server.is_ready() {
                Ok(ready) => assert!(!ready),
                Err(error) => break error.to_string(),
            }
            std::thread::yield_now();
        };
        assert_eq!(error, "sh: exit status: 3\nno room");
        assert!(server.is_gone().unwrap());
    }
}
