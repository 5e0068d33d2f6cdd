//! A process and all that comes to descend from it. A keeper, forked before the program is
//! executed, stays above it for as long as anything of it lives: it is the child subreaper, so
//! what daemonises stays below it and is found; and it says how the program itself ended, while
//! others of the tree go on. The keeper has no thread, memory or file of its own to lose.

use crate::{
    protocol::WireExit,
    supervisor::{
        processes::{Reaper, descendants, send},
        warden,
    },
};
use nix::{
    sys::{prctl, signal::Signal},
    unistd::{ForkResult, Pid, fork, setsid},
};
use std::{
    io,
    os::{
        fd::{AsRawFd as _, RawFd},
        unix::process::CommandExt as _,
    },
    process::Command,
    rc::Rc,
    time::Duration,
};
use tokio::{
    io::AsyncReadExt as _,
    net::unix::pipe,
    sync::oneshot,
    time::{Instant, sleep},
};

const PAUSE: Duration = Duration::from_millis(5);

/// The way to a tree.
#[derive(Clone)]
pub(super) struct Tree {
    keeper: Pid,
    reaper: Rc<Reaper>,
}

/// The program at the top of a tree.
pub(super) struct Program {
    pub(super) group: Pid,
    status: pipe::Receiver,
    kept: oneshot::Receiver<WireExit>,
}

impl Tree {
    /// Starts a command as the leader of a session; with `terminal` its standard input becomes
    /// the session's terminal.
    pub(super) async fn start(
        mut command: Command,
        terminal: bool,
        reaper: &Rc<Reaper>,
    ) -> io::Result<(Self, Program)> {
        let (status, report) = io::pipe()?;
        prepare(&mut command, report.as_raw_fd(), terminal);
        let child = command.spawn()?;
        drop((command, report));
        let keeper = Pid::from_raw(i32::try_from(child.id()).map_err(io::Error::other)?);
        let kept = reaper.register(keeper);
        let mut status = pipe::Receiver::from_owned_fd(status.into())?;
        let group = Pid::from_raw(status.read_i32_le().await?);
        let reaper = Rc::clone(reaper);
        Ok((
            Self { keeper, reaper },
            Program {
                group,
                status,
                kept,
            },
        ))
    }

    /// Sends a signal to all of it.
    pub(super) fn signal(&self, signal: Signal) {
        for process in self.processes() {
            send(process, signal);
        }
    }

    /// Waits for its end so long, then brings it about.
    pub(super) async fn end_within(&self, patience: Duration) {
        let deadline = Instant::now() + patience;
        while Instant::now() < deadline {
            if self.processes().is_empty() {
                return;
            }
            sleep(PAUSE).await;
        }
        self.reaper.end_below(self.keeper).await;
    }

    /// Once the keeper was waited for, its number may be another's.
    fn processes(&self) -> Vec<Pid> {
        if !self.reaper.knows(self.keeper) {
            return Vec::new();
        }
        let below = descendants(self.keeper);
        below.into_iter().map(|process| process.pid).collect()
    }
}

impl Program {
    /// How it ended.
    pub(super) async fn exit(&mut self) -> WireExit {
        match self.status.read_i32_le().await {
            Ok(status) => warden::exit(status),
            // Somebody inside ended the keeper, and with it the program.
            Err(_) => (&mut self.kept)
                .await
                .unwrap_or(WireExit::Signal(libc::SIGKILL)),
        }
    }
}

#[expect(unsafe_code, reason = "the keeper is forked between fork and exec")]
fn prepare(command: &mut Command, report: RawFd, terminal: bool) {
    // SAFETY: only system calls that may be made between fork and exec.
    unsafe { command.pre_exec(move || become_tree(report, terminal)) };
}

#[expect(unsafe_code, reason = "fork and ioctl have no safe form")]
fn become_tree(report: RawFd, terminal: bool) -> io::Result<()> {
    prctl::set_child_subreaper(true)?;
    prctl::set_pdeathsig(Signal::SIGKILL)?;
    setsid()?;
    // SAFETY: this process has one thread, and both sides only make system calls.
    match unsafe { fork() }? {
        ForkResult::Parent { child } => keep(child.as_raw(), report),
        ForkResult::Child => {
            prctl::set_pdeathsig(Signal::SIGKILL)?;
            setsid()?;
            // SAFETY: plain integers; standard input is the terminal.
            if terminal && unsafe { libc::ioctl(0, libc::TIOCSCTTY, 0) } < 0 {
                return Err(io::Error::last_os_error());
            }
            Ok(())
        }
    }
}

/// Reaps until nothing is left below.
#[expect(unsafe_code, reason = "the keeper may only make system calls")]
fn keep(program: libc::pid_t, report: RawFd) -> ! {
    // SAFETY: the descriptors are this process's own, as forked; nothing of it uses them after
    // this. All pointers are to locals that outlive the calls.
    unsafe {
        libc::dup2(report, 0);
        libc::syscall(libc::SYS_close_range, 1, libc::c_uint::MAX, 0);
        libc::chdir(c"/".as_ptr());
        let tell = |number: libc::c_int| {
            let bytes = number.to_le_bytes();
            libc::write(0, bytes.as_ptr().cast(), bytes.len());
        };
        tell(program);
        loop {
            let mut status = 0;
            let ended = libc::waitpid(-1, &raw mut status, 0);
            if ended == program {
                tell(status);
            } else if ended < 0 && nix::errno::Errno::last() != nix::errno::Errno::EINTR {
                libc::_exit(0);
            }
        }
    }
}
