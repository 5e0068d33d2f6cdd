//! The processes below the supervisor: who descends from whom, how they ended, and how a whole
//! tree is ended. Shells are child subreapers, so that what they started stays below them however
//! it daemonises; what turns up right below the supervisor belonged to a shell that is gone.

use super::warden::wait;
use crate::protocol::WireExit;
use nix::{
    errno::Errno,
    sys::signal::{Signal, kill},
    time::{ClockId, clock_gettime},
    unistd::{Pid, SysconfVar, getpid, sysconf},
};
use std::{
    cell::RefCell,
    collections::{HashMap, HashSet},
    fs, io,
    rc::Rc,
    time::Duration,
};
use tokio::{
    signal::unix::{SignalKind, signal},
    sync::oneshot,
};

/// A scan and a kill race with forks; this often we try again.
const ROUNDS: usize = 100;
const PAUSE: Duration = Duration::from_millis(2);

/// One process.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Process {
    pub(super) pid: Pid,
    parent: Pid,
    /// When it was started, in clock ticks since boot.
    pub(super) started: u64,
    zombie: bool,
}

/// The living processes below `root`, without it.
pub(super) fn descendants(root: Pid) -> Vec<Process> {
    let mut children: HashMap<Pid, Vec<Process>> = HashMap::new();
    for process in all() {
        children.entry(process.parent).or_default().push(process);
    }
    let mut found = Vec::new();
    let mut parents = vec![root];
    while let Some(parent) = parents.pop() {
        for process in children.remove(&parent).unwrap_or_default() {
            parents.push(process.pid);
            if !process.zombie {
                found.push(process);
            }
        }
    }
    found
}

/// Ends everything below this process and waits for it, at its own end.
pub(super) fn end_all() -> io::Result<()> {
    loop {
        for process in descendants(getpid()) {
            send(process.pid, Signal::SIGKILL);
        }
        match wait(0) {
            // One more look for each that ended would take for ever where they are many.
            Ok(_) => while let Ok(Some(_)) = wait(libc::WNOHANG) {},
            Err(Errno::ECHILD) => return Ok(()),
            Err(error) => return Err(error.into()),
        }
    }
}

/// Now, as [`Process::started`] counts.
pub(super) fn now_ticks() -> io::Result<u64> {
    let now = clock_gettime(ClockId::CLOCK_BOOTTIME)?;
    let rate = sysconf(SysconfVar::CLK_TCK)?.unwrap_or(100);
    let ticks = now.tv_sec() * rate + now.tv_nsec() * rate / 1_000_000_000;
    u64::try_from(ticks).map_err(io::Error::other)
}

/// Sends a signal; a process that is gone already needs none.
pub(super) fn send(pid: Pid, signal: Signal) {
    kill(pid, signal).unwrap_or(());
}

fn all() -> impl Iterator<Item = Process> {
    fs::read_dir("/proc")
        .into_iter()
        .flatten()
        .flatten()
        .filter_map(|entry| entry.file_name().to_str()?.parse().ok())
        .filter_map(inspect)
}

/// A process that ended meanwhile is none.
fn inspect(pid: i32) -> Option<Process> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // The name may hold anything; the last parenthesis ends it.
    let (_, rest) = stat.rsplit_once(')')?;
    let mut fields = rest.split_ascii_whitespace();
    let zombie = matches!(fields.next()?, "Z" | "X");
    let parent = fields.next()?.parse().ok()?;
    let started = fields.nth(17)?.parse().ok()?;
    Some(Process {
        pid: Pid::from_raw(pid),
        parent: Pid::from_raw(parent),
        started,
        zombie,
    })
}

/// Collects what ends.
pub(super) struct Reaper {
    shells: RefCell<HashMap<Pid, oneshot::Sender<WireExit>>>,
}

impl Reaper {
    /// Begins to collect, on this thread's task set.
    pub(super) fn start() -> io::Result<Rc<Self>> {
        let reaper = Rc::new(Self {
            shells: RefCell::default(),
        });
        let mut ended = signal(SignalKind::child())?;
        let collector = Rc::clone(&reaper);
        tokio::task::spawn_local(async move {
            while ended.recv().await.is_some() {
                collector.collect();
            }
        });
        Ok(reaper)
    }

    /// Tells of the end of a shell that was started just now.
    pub(super) fn register(&self, shell: Pid) -> oneshot::Receiver<WireExit> {
        let (sender, receiver) = oneshot::channel();
        self.shells.borrow_mut().insert(shell, sender);
        receiver
    }

    /// Kills everything below a shell, then the shell.
    pub(super) async fn kill_tree(&self, shell: Pid) {
        // It must not go on with its script while what it waits for dies.
        send(shell, Signal::SIGSTOP);
        for _ in 0..ROUNDS {
            let below = descendants(shell);
            if below.is_empty() {
                break;
            }
            for process in below {
                send(process.pid, Signal::SIGKILL);
            }
            tokio::time::sleep(PAUSE).await;
        }
        send(shell, Signal::SIGKILL);
    }

    /// Whether it was registered and not collected yet; until then its number is its own.
    pub(super) fn knows(&self, pid: Pid) -> bool {
        self.shells.borrow().contains_key(&pid)
    }

    /// Kills everything below a process that is registered.
    pub(super) async fn end_below(&self, root: Pid) {
        let mut frozen = HashSet::new();
        for _ in 0..ROUNDS {
            if !self.knows(root) {
                return;
            }
            let below = descendants(root);
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

    /// Kills what dead shells left behind.
    pub(super) async fn sweep(&self) {
        for _ in 0..ROUNDS {
            let kept: HashSet<Pid> = self.shells.borrow().keys().copied().collect();
            let mut clean = true;
            for orphan in descendants(getpid()) {
                if orphan.parent == getpid() && !kept.contains(&orphan.pid) {
                    clean = false;
                    for process in descendants(orphan.pid) {
                        send(process.pid, Signal::SIGKILL);
                    }
                    send(orphan.pid, Signal::SIGKILL);
                }
            }
            if clean {
                return;
            }
            tokio::time::sleep(PAUSE).await;
        }
    }

    fn collect(&self) {
        while let Ok(Some((pid, exit))) = wait(libc::WNOHANG) {
            if let Some(shell) = self.shells.borrow_mut().remove(&pid) {
                // Nobody asks any more when the shell was closed.
                shell.send(exit).unwrap_or(());
            }
        }
    }
}
