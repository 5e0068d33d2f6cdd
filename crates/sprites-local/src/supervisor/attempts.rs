//! Tries to break out, from where commands run. A tier is only offered on a host where every one
//! of these is refused.

use super::egress;
use crate::protocol::Canaries;
use nix::{
    errno::Errno,
    sys::signal::kill,
    unistd::{Pid, Uid, geteuid, getpid, getppid, setuid, truncate},
};
use std::{
    fs,
    io::{Read as _, Write as _},
    net::{IpAddr, Ipv4Addr, SocketAddr, TcpStream, UdpSocket},
    os::{
        linux::net::SocketAddrExt as _,
        unix::net::{SocketAddr as UnixAddress, UnixStream},
    },
    time::Duration,
};

const PATIENCE: Duration = Duration::from_millis(500);
/// The server answers, and it may be busy.
const PROXY_PATIENCE: Duration = Duration::from_secs(5);
const METADATA: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::new(169, 254, 169, 254)), 80);
/// An address of the documentation's.
const NOWHERE: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::new(192, 0, 2, 1)), 9);
/// Where whoever may connect is as good as root.
const RUNTIMES: [&str; 4] = [
    "/run/docker.sock",
    "/var/run/docker.sock",
    "/run/containerd/containerd.sock",
    "/run/podman/podman.sock",
];

/// System calls and what they begin with; all else is zero, so that none would get far.
const CALLS: [(&str, libc::c_long, [libc::c_long; 3]); 9] = [
    (
        "making namespaces",
        libc::SYS_unshare,
        [libc::CLONE_NEWUSER as libc::c_long, 0, 0],
    ),
    ("mounting", libc::SYS_mount, [0, 0, 0]),
    ("tracing processes", libc::SYS_ptrace, [0, 0, 0]),
    (
        "reading the memory of a process",
        libc::SYS_process_vm_readv,
        [1, 0, 0],
    ),
    ("typing into a terminal", libc::SYS_ioctl, [0, TIOCSTI, 0]),
    (
        "making a raw socket",
        libc::SYS_socket,
        [
            libc::AF_INET as libc::c_long,
            libc::SOCK_RAW as libc::c_long,
            libc::IPPROTO_ICMP as libc::c_long,
        ],
    ),
    ("using io_uring", libc::SYS_io_uring_setup, [1, 0, 0]),
    ("loading BPF", libc::SYS_bpf, [0, 0, 0]),
    ("using kernel keys", libc::SYS_keyctl, [0, 0, 0]),
];
const TIOCSTI: libc::c_long = 0x5412;

/// What was tried and not refused.
#[derive(Default)]
struct Open(Vec<String>);

impl Open {
    fn note(&mut self, attempt: &str, succeeded: bool) {
        if succeeded {
            self.0.push(attempt.to_owned());
        }
    }
}

/// Everything that was not refused; empty when the walls hold.
pub(super) fn all(canaries: &Canaries) -> Vec<String> {
    let mut open = Open::default();
    files(canaries, &mut open);
    network(canaries, &mut open);
    if canaries.proxied {
        proxy(canaries, &mut open);
    }
    sockets(canaries, &mut open);
    if !own_processes() {
        processes(canaries, &mut open);
    }
    rights(&mut open);
    open.0
}

fn files(canaries: &Canaries, open: &mut Open) {
    let file = &canaries.file;
    open.note("reading a file of the host", fs::read(file).is_ok());
    let beside = file.with_extension("written");
    open.note("writing a file of the host", fs::write(beside, "x").is_ok());
    open.note("emptying a file of the host", truncate(file, 0).is_ok());
    open.note("listing root's home", fs::read_dir("/root").is_ok());
}

fn network(canaries: &Canaries, open: &mut Open) {
    let tcp = (Ipv4Addr::LOCALHOST, canaries.tcp).into();
    let connected = TcpStream::connect_timeout(&tcp, PATIENCE).is_ok();
    open.note("connecting to a TCP port of the host", connected);
    let connected = TcpStream::connect_timeout(&METADATA, PATIENCE).is_ok();
    open.note("connecting to the cloud's metadata service", connected);
    // That the datagram did not arrive is for the server to see.
    if let Ok(socket) = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)) {
        drop(socket.send_to(b"canary", (Ipv4Addr::LOCALHOST, canaries.udp)));
    }
    // Without a route this fails at once; with one it leads nowhere.
    let sent = UdpSocket::bind((Ipv4Addr::UNSPECIFIED, 0))
        .and_then(|socket| socket.send_to(b"canary", NOWHERE));
    open.note("sending a datagram out", sent.is_ok());
}

/// The way out must be there and lead to nothing but the public world; it is tried with a policy
/// that allows everything.
fn proxy(canaries: &Canaries, open: &mut Open) {
    for host in ["127.0.0.1", "[::1]", "169.254.169.254", "0.0.0.0"] {
        let request = format!("CONNECT {host}:{} HTTP/1.1\r\n\r\n", canaries.tcp);
        let mut answer = [0; 12];
        let asked = TcpStream::connect((Ipv4Addr::LOCALHOST, egress::PORT));
        let answered = asked.and_then(|mut proxy| {
            proxy.set_read_timeout(Some(PROXY_PATIENCE))?;
            proxy.write_all(request.as_bytes())?;
            proxy.read_exact(&mut answer)
        });
        let attempt = format!("asking the egress proxy for {host}");
        // No answer is no wall either: then commands have no way out at all.
        open.note(&attempt, answered.is_err() || &answer != b"HTTP/1.1 403");
    }
}

fn sockets(canaries: &Canaries, open: &mut Open) {
    for path in RUNTIMES {
        let connected = UnixStream::connect(path).is_ok();
        open.note("connecting to a container runtime", connected);
    }
    let connected = UnixStream::connect(&canaries.socket).is_ok();
    open.note("connecting to a Unix socket of the host", connected);
    let name = canaries.socket.as_os_str().as_encoded_bytes();
    let connected = UnixAddress::from_abstract_name(name)
        .and_then(|address| UnixStream::connect_addr(&address));
    open.note(
        "connecting to an abstract socket of the host",
        connected.is_ok(),
    );
}

fn processes(canaries: &Canaries, open: &mut Open) {
    let server = Pid::from_raw(canaries.server);
    open.note("signalling the server", kill(server, None).is_ok());
    for (what, attempt) in [
        ("environ", "reading the server's environment"),
        ("mem", "opening the server's memory"),
        ("root/etc", "walking through the server's root"),
    ] {
        let opened = fs::File::open(format!("/proc/{server}/{what}"));
        open.note(attempt, opened.is_ok());
    }
}

fn rights(open: &mut Open) {
    for (attempt, number, arguments) in CALLS {
        open.note(attempt, succeeds(number, arguments));
    }
    let root = Uid::from_raw(0);
    let becomes_root = !geteuid().is_root() && setuid(root).is_ok();
    open.note("becoming root", becomes_root);
    let none = "0000000000000000";
    open.note("holding capabilities", !status("CapEff:", none));
    open.note("gaining rights by exec", !status("NoNewPrivs:", "1"));
    let filtered = status("Seccomp:", "2");
    open.note("running without a system call filter", !filtered);
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

/// Anything but a flat refusal counts as success: EFAULT would mean that the call was looked at.
#[expect(unsafe_code, reason = "calls are made to see that they are refused")]
fn succeeds(number: libc::c_long, [first, second, third]: [libc::c_long; 3]) -> bool {
    let zero: libc::c_long = 0;
    // SAFETY: every pointer among the arguments is null, and every call is refused before it reads
    // any; were one not refused, null is what it documents as absent or answers with EFAULT.
    let result = unsafe { libc::syscall(number, first, second, third, zero, zero, zero) };
    result >= 0 || !matches!(Errno::last(), Errno::EPERM | Errno::ENOSYS | Errno::EACCES)
}
