//! What the supervisor gives up before it serves: capabilities, its user, limits, the file
//! system and system calls. It runs while the process has a single thread, and everything it
//! starts inherits the result.

use super::{landlock, seccomp};
use crate::protocol::Hello;
use domain::sprite::SandboxTier;
use nix::{
    errno::Errno,
    sys::{
        prctl,
        resource::{Resource, getrlimit, setrlimit},
        signal::Signal,
        stat::{Mode, umask},
    },
    unistd::{Gid, Uid, geteuid, setgid, setgroups, setuid},
};

const FILES: u64 = 8192;
const PROCESSES: u64 = 4096;
const FILE_BYTES: u64 = 16 << 30;

/// Confines this process as its tier demands; the error says what could not be done.
pub(crate) fn confine(hello: &Hello) -> Result<(), String> {
    // Whatever the server keeps to itself by default, commands are told the usual.
    umask(Mode::S_IWGRP | Mode::S_IWOTH);
    limits(hello).map_err(|error| format!("resource limits cannot be set: {error}"))?;
    if hello.tier == SandboxTier::Plain {
        return watch_parent();
    }
    drop_rights(hello.run_as).map_err(|error| format!("rights cannot be dropped: {error}"))?;
    if hello.tier == SandboxTier::Landlock {
        // A change of user clears this, so it comes after it.
        watch_parent()?;
    }
    landlock::restrict(hello)?;
    seccomp::apply(hello.tier)
}

/// Without the warden there is nobody else to end what we start.
fn watch_parent() -> Result<(), String> {
    prctl::set_pdeathsig(Signal::SIGTERM)
        .map_err(|error| format!("the parent cannot be watched: {error}"))
}

fn limits(hello: &Hello) -> nix::Result<()> {
    lower(Resource::RLIMIT_CORE, 0)?;
    lower(Resource::RLIMIT_NOFILE, FILES)?;
    lower(Resource::RLIMIT_FSIZE, FILE_BYTES)?;
    // Counted per user, and not at all for root.
    let processes = hello.processes.unwrap_or(PROCESSES);
    lower(Resource::RLIMIT_NPROC, processes)
}

fn lower(resource: Resource, limit: u64) -> nix::Result<()> {
    let (_, hard) = getrlimit(resource)?;
    let limit = limit.min(hard);
    setrlimit(resource, limit, limit)
}

fn drop_rights(run_as: Option<u32>) -> nix::Result<()> {
    prctl::set_no_new_privs()?;
    drop_bounding_set()?;
    if let Some(user) = run_as {
        setgroups(&[])?;
        setgid(Gid::from_raw(user))?;
        setuid(Uid::from_raw(user))?;
    } else if geteuid().is_root() {
        // Root's groups may open doors that its user no longer can. Inside a user
        // namespace they cannot be changed, and mean nothing.
        match setgroups(&[]) {
            Ok(()) | Err(Errno::EPERM) => {}
            Err(error) => return Err(error),
        }
    }
    drop_capabilities()
}

#[expect(unsafe_code, reason = "no wrapper for PR_CAPBSET_DROP")]
fn drop_bounding_set() -> nix::Result<()> {
    for capability in 0..64 {
        // SAFETY: prctl with PR_CAPBSET_DROP takes plain integers and touches no memory.
        match Errno::result(unsafe { libc::prctl(libc::PR_CAPBSET_DROP, capability, 0, 0, 0) }) {
            Ok(_) => {}
            // EINVAL: past the last one. EPERM: not privileged, and so nothing to gain.
            Err(Errno::EINVAL | Errno::EPERM) => break,
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

#[expect(unsafe_code, reason = "no wrapper for capset")]
fn drop_capabilities() -> nix::Result<()> {
    const VERSION_3: u32 = 0x2008_0522;
    let header = [VERSION_3, 0];
    let none = [0_u32; 6];
    // SAFETY: both pointers are to arrays of the layout and size version 3 asks for.
    Errno::result(unsafe { libc::syscall(libc::SYS_capset, header.as_ptr(), none.as_ptr()) })
        .map(drop)
}
