//! Tries to break out, from where commands run. A tier is only offered on a host where every one
//! of these is refused.

use crate::protocol::Canaries;
use nix::{
    errno::Errno,
    sys::signal::kill,
    unistd::{Pid, getpid, getppid, truncate},
};
use std::{
    fs,
    net::{Ipv4Addr, TcpStream, UdpSocket},
    os::{
        linux::net::SocketAddrExt as _,
        unix::net::{SocketAddr, UnixStream},
    },
    time::Duration,
};

const PATIENCE: Duration = Duration::from_millis(500);

/// Everything that was not refused; empty when the walls hold.
pub(super) fn all(canaries: &Canaries) -> Vec<String> {
    let mut open = Vec::new();
    let mut refused = |attempt: &str, succeeded: bool| {
        if succeeded {
            open.push(attempt.to_owned());
        }
    };
    refused(
        "reading a file of the host",
        fs::read(&canaries.file).is_ok(),
    );
    let beside = canaries.file.with_extension("written");
    refused("writing a file of the host", fs::write(beside, "x").is_ok());
    refused(
        "emptying a file of the host",
        truncate(&canaries.file, 0).is_ok(),
    );
    refused("listing root's home", fs::read_dir("/root").is_ok());
    let tcp = (Ipv4Addr::LOCALHOST, canaries.tcp).into();
    let connected = TcpStream::connect_timeout(&tcp, PATIENCE).is_ok();
    refused("connecting to a TCP port of the host", connected);
    // That the datagram did not arrive is for the server to see.
    if let Ok(socket) = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)) {
        drop(socket.send_to(b"canary", (Ipv4Addr::LOCALHOST, canaries.udp)));
    }
    let connected = UnixStream::connect(&canaries.socket).is_ok();
    refused("connecting to a Unix socket of the host", connected);
    let name = canaries.socket.as_os_str().as_encoded_bytes();
    let connected = SocketAddr::from_abstract_name(name)
        .and_then(|address| UnixStream::connect_addr(&address))
        .is_ok();
    refused("connecting to an abstract socket of the host", connected);
    if !own_processes() {
        let server = Pid::from_raw(canaries.server);
        refused("signalling the server", kill(server, None).is_ok());
        let environment = format!("/proc/{server}/environ");
        refused(
            "reading the server's environment",
            fs::read(environment).is_ok(),
        );
    }
    for (attempt, succeeded) in calls() {
        refused(attempt, succeeded);
    }
    refused(
        "holding capabilities",
        !status("CapEff:", "0000000000000000"),
    );
    refused("gaining rights by exec", !status("NoNewPrivs:", "1"));
    refused(
        "running without a system call filter",
        !status("Seccomp:", "2"),
    );
    open
}

/// In a process namespace of our own nobody outside has a number.
fn own_processes() -> bool {
    getpid().as_raw() == 1
        && getppid().as_raw() == 0
        && fs::read_link("/proc/self").is_ok_and(|own| own.as_os_str() == "1")
}

fn status(field: &str, expected: &str) -> bool {
    fs::read_to_string("/proc/thread-self/status").is_ok_and(|status| {
        status
            .lines()
            .find_map(|line| line.strip_prefix(field))
            .is_some_and(|value| value.trim() == expected)
    })
}

#[expect(
    unsafe_code,
    reason = "these calls are made to see that they are refused"
)]
fn calls() -> [(&'static str, bool); 6] {
    let none = std::ptr::null::<libc::c_char>();
    let zero = 0_usize;
    // SAFETY: every pointer is null and every call is refused before it reads any; were one
    // not refused, null is what it documents as absent or answers with EFAULT.
    unsafe {
        [
            (
                "making namespaces",
                done(libc::syscall(libc::SYS_unshare, libc::CLONE_NEWUSER)),
            ),
            (
                "mounting",
                done(libc::syscall(libc::SYS_mount, none, none, none, zero, none)),
            ),
            (
                "tracing processes",
                done(libc::syscall(
                    libc::SYS_ptrace,
                    libc::PTRACE_TRACEME,
                    zero,
                    zero,
                    zero,
                )),
            ),
            (
                "using io_uring",
                done(libc::syscall(libc::SYS_io_uring_setup, 1, none)),
            ),
            (
                "loading BPF",
                done(libc::syscall(libc::SYS_bpf, zero, none, zero)),
            ),
            (
                "using kernel keys",
                done(libc::syscall(libc::SYS_keyctl, zero, zero, zero)),
            ),
        ]
    }
}

/// Anything but a flat refusal counts as done: EFAULT would mean that the call was looked at.
fn done(result: libc::c_long) -> bool {
    result >= 0 || !matches!(Errno::last(), Errno::EPERM | Errno::ENOSYS | Errno::EACCES)
}
