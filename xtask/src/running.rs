//! A server of ours that a developer command drives from outside: it has a port and a directory of its own, and
//! both end with it.

use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

const PATIENCE: Duration = Duration::from_secs(20);

/// A process that listens; dropping it ends it and removes its directory.
pub(crate) struct Running {
    process: Child,
    directory: PathBuf,
    /// Where it listens.
    pub(crate) url: String,
}

impl Running {
    /// Starts a program that is told its port and its directory, and waits until it listens.
    #[expect(
        clippy::disallowed_methods,
        reason = "a program outside says in no other way that it listens"
    )]
    pub(crate) fn start(
        program: &Path,
        tell: impl FnOnce(&mut Command, u16, &Path),
    ) -> Result<Self> {
        let port = TcpListener::bind("127.0.0.1:0")?.local_addr()?.port();
        let name = program.file_name().unwrap_or_default().to_string_lossy();
        let directory = std::env::temp_dir().join(format!("{name}-{}", std::process::id()));
        let mut command = Command::new(program);
        tell(&mut command, port, &directory);
        let process = command.stdin(Stdio::null()).spawn();
        let mut server = Self {
            process: process.with_context(|| format!("{name} does not start"))?,
            directory,
            url: format!("http://127.0.0.1:{port}"),
        };
        let begun = Instant::now();
        while TcpStream::connect(("127.0.0.1", port)).is_err() {
            if let Some(status) = server.process.try_wait()? {
                bail!("{name} ended: {status}");
            }
            if begun.elapsed() > PATIENCE {
                bail!("{name} does not listen after {PATIENCE:?}");
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        Ok(server)
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let ended = i32::try_from(self.process.id())
            .map_err(anyhow::Error::from)
            .and_then(|pid| Ok(kill(Pid::from_raw(pid), Signal::SIGTERM)?))
            .and_then(|()| Ok(self.process.wait()?))
            .and_then(|_| Ok(std::fs::remove_dir_all(&self.directory)?));
        if let Err(error) = ended {
            eprintln!(
                "{} was not ended cleanly: {error}",
                self.directory.display()
            );
        }
    }
}
