//! Where there is no process namespace, a second process stands outside the walls of the
//! supervisor: when the supervisor or the server ends, however it ends, the warden kills
//! everything that was started inside. And it makes the terminals that cannot be opened from
//! within. It does nothing else.

use super::{
    process::terminal::{Lender, lending},
    processes::end_all,
};
use crate::protocol::WireExit;
use nix::{
    errno::Errno,
    sys::{
        prctl,
        signal::{SigSet, SigmaskHow, Signal, sigprocmask},
    },
    unistd::{ForkResult, Pid, fork},
};
use std::{io, process::ExitCode, thread};

const STACK: usize = 128 << 10;

/// Which of the two processes this is.
pub(super) enum Side {
    Warden(Lender),
    Supervisor(Lender),
}

/// Becomes two processes.
#[expect(unsafe_code, reason = "fork has no safe form")]
pub(super) fn split() -> io::Result<Side> {
    prctl::set_pdeathsig(Signal::SIGTERM)?;
    prctl::set_child_subreaper(true)?;
    let mut before = SigSet::empty();
    sigprocmask(SigmaskHow::SIG_BLOCK, Some(&watched()), Some(&mut before))?;
    let (borrowing, lender) = lending()?;
    // SAFETY: the process has one thread, so the child may go on as usual.
    match unsafe { fork() }? {
        ForkResult::Parent { .. } => Ok(Side::Warden(lender)),
        ForkResult::Child => {
            sigprocmask(SigmaskHow::SIG_SETMASK, Some(&before), None)?;
            Ok(Side::Supervisor(borrowing))
        }
    }
}

/// Lends terminals and waits for the end of the supervisor or of the server, then kills what is
/// left.
pub(super) fn watch(lender: Lender) -> io::Result<ExitCode> {
    // The signals that are watched for are blocked in it as they are here.
    thread::Builder::new()
        .stack_size(STACK)
        .spawn(move || lender.lend())?;
    while watched().wait()? == Signal::SIGCHLD && !ended()? {}
    end_all()?;
    Ok(ExitCode::SUCCESS)
}

/// Collects a child that ended; `None` when none did and the options say not to wait. The wrapper
/// in `nix` fails for a child that a real-time signal ended, and loses it.
#[expect(unsafe_code, reason = "see above")]
pub(super) fn wait(options: libc::c_int) -> nix::Result<Option<(Pid, WireExit)>> {
    let mut status = 0;
    // SAFETY: the pointer is to a local that outlives the call.
    let pid = Errno::result(unsafe { libc::waitpid(-1, &raw mut status, options) })?;
    Ok((pid > 0).then(|| (Pid::from_raw(pid), exit(status))))
}

/// What a status that was waited for says.
pub(super) fn exit(status: libc::c_int) -> WireExit {
    if libc::WIFSIGNALED(status) {
        WireExit::Signal(libc::WTERMSIG(status))
    } else {
        WireExit::Code(libc::WEXITSTATUS(status))
    }
}

fn watched() -> SigSet {
    [Signal::SIGCHLD, Signal::SIGTERM].into_iter().collect()
}

/// Until the supervisor ends it is our only child.
fn ended() -> nix::Result<bool> {
    match wait(libc::WNOHANG) {
        Ok(child) => Ok(child.is_some()),
        Err(Errno::ECHILD) => Ok(true),
        Err(error) => Err(error),
    }
}
