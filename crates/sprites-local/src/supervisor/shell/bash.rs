//! The bash process and its pipes. The script of a command comes through a file in memory, so no
//! byte of it is interpreted on the way; the exit code comes back on a pipe of its own, so no byte
//! of the output can be taken for it. Standard input is empty.

use crate::{
    protocol::WireExit,
    supervisor::{
        environment::Surroundings,
        processes::Reaper,
        pump::{discard, read_now},
    },
};
use nix::{
    fcntl::{FcntlArg, fcntl},
    sys::{
        memfd::{MFdFlags, memfd_create},
        prctl,
        signal::Signal,
    },
    unistd::{Pid, setsid},
};
use std::{
    fs::File,
    io::{self, Write as _},
    os::{
        fd::{AsRawFd, FromRawFd, OwnedFd, RawFd},
        unix::{fs::FileExt, process::CommandExt},
    },
    process::{Command, Stdio},
};
use tokio::{net::unix::pipe, sync::oneshot};

/// Bash runs this; it is one line, so that line numbers in messages are those of the command.
///
/// It waits for a line on 3, takes the command from 5 and answers its code on 4; 6 and 7 are the
/// command's standard output and error, while the loop itself prints nowhere. A command sees none
/// of these descriptors. The inner `for` catches a stray `break` or `continue`.
///
/// On the last real-time signal the rest of the command is skipped: a DEBUG trap refuses each
/// further command, breaks out of loops and returns from functions, until the loop takes over.
const DRIVER: &str = concat!(
    r#"__sprite_done() { printf '%d\n' "$1" >&4; }; "#,
    r#"__sprite_status() { return "$1"; }; "#,
    r#"__sprite_last=0; "#,
    r#"trap 'shopt -s extdebug; trap '\''case $BASH_COMMAND in "#,
    r#""__sprite_done "*) trap - DEBUG; shopt -u extdebug;; "#,
    r#""for "*|"select "*) break 999 2>/dev/null;; "#,
    r#""(("*) [ 1 -eq x ] 2>/dev/null;; "#,
    r#"*) { break 0 && [ 1 -eq x ]; } 2>/dev/null;; esac'\'' DEBUG' RTMAX; "#,
    r#"__sprite_loop='while IFS= read -r -u 3 __sprite_go || exit; do "#,
    r#"for __sprite_once in 1; do "#,
    r#"mapfile -d "" -t __sprite_script </proc/self/fd/5; "#,
    r#"__sprite_status "$__sprite_last"; "#,
    r#"eval "${__sprite_script[0]-}" >&6 2>&7 3>&- 4>&- 5>&- 6>&- 7>&-; "#,
    r#"done; __sprite_last=$?; __sprite_done "$__sprite_last"; done; "#,
    r#"__sprite_last=124; __sprite_done 124; eval "$__sprite_loop"'; "#,
    r#"eval "$__sprite_loop""#,
);

/// A running bash.
pub(super) struct Bash {
    pub(super) pid: Pid,
    control: io::PipeWriter,
    script: File,
    /// Whether it can never write to files, because the disk was full when it was started.
    pub(super) mute: bool,
    pub(super) channels: Channels,
}

/// What comes out of a bash.
pub(super) struct Channels {
    pub(super) stdout: pipe::Receiver,
    pub(super) stderr: pipe::Receiver,
    pub(super) status: pipe::Receiver,
    pub(super) exited: oneshot::Receiver<WireExit>,
}

impl Bash {
    pub(super) fn start(reaper: &Reaper, surroundings: &Surroundings) -> io::Result<Self> {
        let (control_in, control) = io::pipe()?;
        let (status, status_out) = io::pipe()?;
        let (stdout, stdout_out) = io::pipe()?;
        let (stderr, stderr_out) = io::pipe()?;
        let script = memfd_create(c"script", MFdFlags::MFD_CLOEXEC)?;
        let inner = [
            above(&control_in)?,
            above(&status_out)?,
            above(&script)?,
            above(&stdout_out)?,
            above(&stderr_out)?,
        ];
        let mut command = command(surroundings, &inner);
        let mute = surroundings.growth.govern(&mut command);
        let child = command.spawn()?;
        let pid = Pid::from_raw(i32::try_from(child.id()).map_err(io::Error::other)?);
        let exited = reaper.register(pid);
        Ok(Self {
            pid,
            control,
            script: script.into(),
            mute,
            channels: Channels {
                stdout: pipe::Receiver::from_owned_fd(stdout.into())?,
                stderr: pipe::Receiver::from_owned_fd(stderr.into())?,
                status: pipe::Receiver::from_owned_fd(status.into())?,
                exited,
            },
        })
    }

    /// Lets it run a script.
    pub(super) fn begin(&mut self, script: &[u8]) -> io::Result<()> {
        self.script.set_len(0)?;
        self.script.write_all_at(script, 0)?;
        // It waits for this line alone, so the pipe is empty and takes it whole.
        self.control.write_all(b"\n")
    }

    /// Drops what is printed; ends when bash ends.
    pub(super) async fn idle(&mut self) {
        let Channels {
            stdout,
            stderr,
            exited,
            ..
        } = &mut self.channels;
        // When all writers are gone, only the end of bash is left to wait for.
        let printed = async {
            tokio::join!(discard(stdout), discard(stderr));
            std::future::pending::<()>().await;
        };
        tokio::select! {
            () = printed => {}
            _ = exited => {}
        }
    }

    /// Drops what was printed since the last command.
    pub(super) fn discard_now(&self) {
        for pipe in [&self.channels.stdout, &self.channels.stderr] {
            drop(read_now(pipe));
        }
    }

    /// Waits for its end.
    pub(super) async fn wait(self) {
        // The sender only goes away together with the whole supervisor.
        drop(self.channels.exited.await);
    }
}

/// A copy whose number is above those that bash is to see, so that none overwrites another.
#[expect(unsafe_code, reason = "fcntl answers a bare number")]
fn above(descriptor: &(impl std::os::fd::AsFd + AsRawFd)) -> io::Result<OwnedFd> {
    let number = fcntl(descriptor, FcntlArg::F_DUPFD_CLOEXEC(10))?;
    // SAFETY: the number was made just now and belongs to nobody else.
    Ok(unsafe { OwnedFd::from_raw_fd(number) })
}

#[expect(
    unsafe_code,
    reason = "descriptors and subreaper are set between fork and exec"
)]
fn command(surroundings: &Surroundings, inner: &[OwnedFd; 5]) -> Command {
    let mut command = Command::new("/bin/bash");
    command
        .args(["--norc", "--noprofile", "-c", DRIVER, "bash"])
        .current_dir(&surroundings.home)
        .env_clear()
        .envs(surroundings.variables())
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    let numbers: [RawFd; 5] = inner.each_ref().map(AsRawFd::as_raw_fd);
    // SAFETY: only system calls that may be made between fork and exec, on copied numbers.
    unsafe {
        command.pre_exec(move || {
            prctl::set_child_subreaper(true)?;
            prctl::set_pdeathsig(Signal::SIGKILL)?;
            setsid()?;
            for (number, target) in numbers.into_iter().zip(3..) {
                if libc::dup2(number, target) < 0 {
                    return Err(io::Error::last_os_error());
                }
            }
            Ok(())
        });
    }
    command
}
