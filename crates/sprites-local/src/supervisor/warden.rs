//! Where there is no process namespace, a second process stands outside the walls of the
//! supervisor: when the supervisor or the server ends, however it ends, the warden kills
//! everything that was started inside. It does nothing else.

use super::processes::end_all;
use nix::{
    errno::Errno,
    sys::{
        prctl,
        signal::{SigSet, SigmaskHow, Signal, sigprocmask},
        wait::{WaitPidFlag, WaitStatus, waitpid},
    },
    unistd::{ForkResult, Pid, fork},
};
use std::{io, process::ExitCode};

/// Becomes two processes; the warden gets the id of the other.
#[expect(unsafe_code, reason = "fork has no safe form")]
pub(super) fn split() -> io::Result<Option<Pid>> {
    prctl::set_pdeathsig(Signal::SIGTERM)?;
    prctl::set_child_subreaper(true)?;
    let mut before = SigSet::empty();
    sigprocmask(SigmaskHow::SIG_BLOCK, Some(&watched()), Some(&mut before))?;
    // SAFETY: the process has one thread, so the child may go on as usual.
    match unsafe { fork() }? {
        ForkResult::Parent { child } => Ok(Some(child)),
        ForkResult::Child => {
            sigprocmask(SigmaskHow::SIG_SETMASK, Some(&before), None)?;
            Ok(None)
        }
    }
}

/// Waits for the end of the supervisor or of the server, then kills what is left.
pub(super) fn watch(supervisor: Pid) -> io::Result<ExitCode> {
    while watched().wait()? == Signal::SIGCHLD && !ended(supervisor)? {}
    end_all()?;
    Ok(ExitCode::SUCCESS)
}

fn watched() -> SigSet {
    [Signal::SIGCHLD, Signal::SIGTERM].into_iter().collect()
}

fn ended(supervisor: Pid) -> nix::Result<bool> {
    match waitpid(supervisor, Some(WaitPidFlag::WNOHANG)) {
        Ok(WaitStatus::StillAlive) => Ok(false),
        Ok(_) | Err(Errno::ECHILD) => Ok(true),
        Err(error) => Err(error),
    }
}
