//! Where there is no process namespace, a second process stands outside the walls of the
//! supervisor: when the supervisor or the server ends, however it ends, the warden kills
//! everything that was started inside. It does nothing else.

use super::processes::end_all;
use crate::protocol::WireExit;
use nix::{
    errno::Errno,
    sys::{
        prctl,
        signal::{SigSet, SigmaskHow, Signal, sigprocmask},
    },
    unistd::{ForkResult, Pid, fork},
};
use std::{io, process::ExitCode};

/// Becomes two processes; true in the warden.
#[expect(unsafe_code, reason = "fork has no safe form")]
pub(super) fn split() -> io::Result<bool> {
    prctl::set_pdeathsig(Signal::SIGTERM)?;
    prctl::set_child_subreaper(true)?;
    let mut before = SigSet::empty();
    sigprocmask(SigmaskHow::SIG_BLOCK, Some(&watched()), Some(&mut before))?;
    // SAFETY: the process has one thread, so the child may go on as usual.
    match unsafe { fork() }? {
        ForkResult::Parent { .. } => Ok(true),
        ForkResult::Child => {
            sigprocmask(SigmaskHow::SIG_SETMASK, Some(&before), None)?;
            Ok(false)
        }
    }
}

/// Waits for the end of the supervisor or of the server, then kills what is left.
pub(super) fn watch() -> io::Result<ExitCode> {
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
    let exit = if libc::WIFSIGNALED(status) {
        WireExit::Signal(libc::WTERMSIG(status))
    } else {
        WireExit::Code(libc::WEXITSTATUS(status))
    };
    Ok((pid > 0).then_some((Pid::from_raw(pid), exit)))
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
