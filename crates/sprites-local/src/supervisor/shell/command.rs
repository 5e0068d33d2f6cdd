//! One command in a kept shell, from its script to its exit code. Output is pumped while it runs
//! and drained exactly when it is over; time and cancellation end it without, if that can be, the
//! shell.

use super::{
    Job,
    bash::{Bash, Channels},
};
use crate::{
    protocol::{Failure, Kind, Reply, WireExit},
    supervisor::{
        processes::{descendants, now_ticks, send},
        pump::pump,
    },
};
use nix::{sys::signal::Signal, unistd::Pid};
use std::{collections::HashSet, io, time::Duration};
use tokio::{
    net::unix::pipe,
    sync::oneshot,
    time::{Instant, interval, sleep_until},
};
use tokio_util::sync::CancellationToken;

/// How long after a polite end the forceful one comes; and then the end of the shell itself.
const PATIENCE: Duration = Duration::from_millis(500);
const GIVE_UP: Duration = Duration::from_secs(2);
const TICK: Duration = Duration::from_millis(10);

/// A command that is about to run.
pub(super) struct Running<'a> {
    bash: &'a mut Bash,
    job: &'a Job,
}

/// How the shell came out of it.
enum Ended {
    /// It waits for the next command.
    Status(i32),
    /// It ended.
    Died(WireExit),
}

impl<'a> Running<'a> {
    pub(super) fn new(bash: &'a mut Bash, job: &'a Job) -> Self {
        Self { bash, job }
    }

    /// Runs it; the answer, and whether the shell is gone.
    pub(super) async fn finish(self) -> Result<(Reply, bool), Failure> {
        let failed = |error: io::Error| Failure::Refused(format!("the shell failed: {error}"));
        self.bash.discard_now();
        let begun = now_ticks().map_err(failed)?;
        self.bash.begin(&self.job.script).map_err(failed)?;
        let over = CancellationToken::new();
        let pid = self.bash.pid;
        let Channels {
            stdout,
            stderr,
            status,
            exited,
        } = &mut self.bash.channels;
        let responder = &self.job.responder;
        let control = async {
            let mut watch = Watch {
                pid,
                begun,
                status,
                exited,
                line: Vec::new(),
            };
            let ended = watch.run(self.job).await;
            over.cancel();
            ended
        };
        let ((ended, stopped), (), ()) = tokio::join!(
            control,
            pump(stdout, Kind::Stdout, responder, &over),
            pump(stderr, Kind::Stderr, responder, &over),
        );
        let (exit, died) = match ended {
            Ended::Status(code) => (WireExit::Code(code), false),
            Ended::Died(exit) => (exit, true),
        };
        let exit = if stopped { WireExit::TimedOut } else { exit };
        let shell_reset = died;
        Ok((Reply::Exec { exit, shell_reset }, died))
    }
}

/// Waits for the end of a command and brings it about when it must be.
struct Watch<'a> {
    pid: Pid,
    begun: u64,
    status: &'a pipe::Receiver,
    exited: &'a mut oneshot::Receiver<WireExit>,
    line: Vec<u8>,
}

impl Watch<'_> {
    async fn run(&mut self, job: &Job) -> (Ended, bool) {
        let deadline = Instant::now() + job.timeout;
        tokio::select! {
            biased;
            ended = self.ended() => return (ended, false),
            () = job.responder.cancelled() => {}
            () = sleep_until(deadline) => {}
        }
        (self.stop().await, true)
    }

    /// Skips the rest of the script, ends what it started and, when nothing else helps, the shell.
    async fn stop(&mut self) -> Ended {
        skip_rest(self.pid);
        let begun = Instant::now();
        let mut ticks = interval(TICK);
        let mut asked = HashSet::new();
        let mut status = None;
        loop {
            tokio::select! {
                biased;
                ended = self.ended(), if status.is_none() => match ended {
                    Ended::Status(code) => status = Some(code),
                    // What it leaves behind is swept up with it.
                    Ended::Died(exit) => return Ended::Died(exit),
                },
                _ = ticks.tick() => {}
            }
            let left = self.started();
            match status {
                Some(code) if left.is_empty() || begun.elapsed() >= GIVE_UP => {
                    return Ended::Status(code);
                }
                None if begun.elapsed() >= GIVE_UP => send(self.pid, Signal::SIGKILL),
                Some(_) | None => {}
            }
            for pid in left {
                if begun.elapsed() >= PATIENCE {
                    send(pid, Signal::SIGKILL);
                } else if asked.insert(pid) {
                    send(pid, Signal::SIGTERM);
                }
            }
        }
    }

    /// What this command started and runs. What earlier ones left in the background is not its.
    fn started(&self) -> Vec<Pid> {
        descendants(self.pid)
            .into_iter()
            .filter(|process| process.started >= self.begun)
            .map(|process| process.pid)
            .collect()
    }

    async fn ended(&mut self) -> Ended {
        tokio::select! {
            biased;
            code = read_status(self.status, &mut self.line) => Ended::Status(code),
            exit = &mut *self.exited => Ended::Died(exit.unwrap_or(WireExit::Signal(libc::SIGKILL))),
        }
    }
}

/// The code bash answers; never, when the other end is closed: then bash was replaced or ended.
async fn read_status(status: &pipe::Receiver, line: &mut Vec<u8>) -> i32 {
    let mut buffer = [0; 16];
    while status.readable().await.is_ok() {
        match status.try_read(&mut buffer) {
            Ok(0) => break,
            Ok(read) => line.extend(buffer.iter().take(read)),
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
            Err(_) => break,
        }
        if let Some(code) = line.strip_suffix(b"\n") {
            // Only a command that writes to our descriptor could answer anything but a number.
            let code = std::str::from_utf8(code)
                .ok()
                .and_then(|code| code.parse().ok());
            return code.unwrap_or(-1);
        }
    }
    std::future::pending().await
}

/// Tells the loop that runs in bash to drop the rest of the script.
#[expect(unsafe_code, reason = "no wrapper for real-time signals")]
fn skip_rest(pid: Pid) {
    // SAFETY: kill takes plain integers. A shell that is gone already needs no signal.
    unsafe { libc::kill(pid.as_raw(), libc::SIGRTMAX()) };
}
