//! Whether files may grow. When the sprite's disk is full, what runs is killed and what is started
//! afterwards cannot write to files, so that it can still look around and remove. The server
//! measures and decides; here it is carried out.

use super::processes::{descendants, send};
use nix::{
    sys::{
        resource::{Resource, setrlimit},
        signal::Signal,
    },
    unistd::{Pid, getpid},
};
use std::{
    collections::HashSet,
    fs,
    os::unix::process::CommandExt as _,
    process::Command,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

/// A scan and a signal race with forks; this often we try again.
const ROUNDS: usize = 100;
const PAUSE: Duration = Duration::from_millis(2);

/// What the server decided last.
#[derive(Clone, Default)]
pub(super) struct Growth {
    stopped: Arc<Mutex<Option<String>>>,
}

impl Growth {
    /// Why files may not grow, if so.
    pub(super) fn stopped(&self) -> Option<String> {
        self.stopped
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    /// Follows a decision and, when asked to, kills what runs.
    pub(super) async fn decide(&self, stopped: Option<String>, kill: bool) {
        let again = {
            let mut held = self.stopped.lock().unwrap_or_else(PoisonError::into_inner);
            std::mem::replace(&mut *held, stopped).is_some()
        };
        if kill {
            end_commands(again).await;
        }
    }

    /// Holds what a command becomes to the decision of this moment, for good; whether it is mute,
    /// which is to say unable to write to files.
    #[expect(unsafe_code, reason = "limits are set between fork and exec")]
    pub(super) fn govern(&self, command: &mut Command) -> bool {
        let mute = self.stopped().is_some();
        if mute {
            // SAFETY: a single system call, which may be made between fork and exec.
            unsafe { command.pre_exec(|| Ok(setrlimit(Resource::RLIMIT_FSIZE, 0, 0)?)) };
        }
        mute
    }
}

/// Whether a process can no longer write to files; one that ended cannot be asked.
fn is_mute(process: Pid) -> bool {
    fs::read_to_string(format!("/proc/{process}/limits")).is_ok_and(|limits| {
        let line = limits
            .lines()
            .find(|line| line.starts_with("Max file size"));
        line.is_some_and(|line| line.split_ascii_whitespace().nth(4) == Some("0"))
    })
}

/// Kills shells and everything that commands started; those that are mute already only when they
/// were no help.
async fn end_commands(mute_too: bool) {
    let mut frozen = HashSet::new();
    for _ in 0..ROUNDS {
        let mut below = descendants(getpid());
        below.retain(|process| mute_too || !is_mute(process.pid));
        if below.is_empty() {
            return;
        }
        // One that is stopped does not fork, so in the end all of them are.
        let fresh: Vec<_> = below.iter().filter(|one| frozen.insert(one.pid)).collect();
        for process in &fresh {
            send(process.pid, Signal::SIGSTOP);
        }
        if fresh.is_empty() {
            for process in below {
                send(process.pid, Signal::SIGKILL);
            }
            tokio::time::sleep(PAUSE).await;
        }
    }
}
