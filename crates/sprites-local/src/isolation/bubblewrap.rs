//! The namespaces tier: the `bwrap` command line around the supervisor. It only builds
//! arguments; whether they work on this host is for the probe to find out.

use super::{ETC, SYSTEM};
use crate::network;
use std::{
    ffi::{OsStr, OsString},
    fs,
    path::{Path, PathBuf},
};

/// The home directory inside.
pub(crate) const HOME: &str = "/home/sprite";
const SUPERVISOR: &str = "/run/nitejar/supervisor";
/// The directory of the egress proxy's socket inside.
const EGRESS: &str = "/run/nitejar/egress";
/// Temporary files are memory; so they are capped, in bytes.
const TMP_BYTES: &str = "1073741824";
const PLACES: &[&str] = &["/usr/bin/bwrap", "/bin/bwrap", "/usr/local/bin/bwrap"];

/// Where bubblewrap is installed, if it is.
pub(crate) fn find() -> Option<PathBuf> {
    PLACES.iter().map(PathBuf::from).find(|path| path.exists())
}

/// Where the egress proxy listens, as the sandbox sees it.
pub(crate) fn egress_socket() -> PathBuf {
    Path::new(EGRESS).join(network::SOCKET)
}

/// The arguments of `bwrap` that run `supervisor` around `home`; `egress` holds the socket of the
/// way out, `accounts` the `passwd` and `group` to show inside.
pub(crate) fn arguments(
    supervisor: &[OsString],
    home: &Path,
    egress: &Path,
    accounts: &Path,
) -> Vec<OsString> {
    let mut all = words(&[
        "--unshare-all",
        "--unshare-user",
        "--disable-userns",
        "--uid",
        "1000",
        "--gid",
        "1000",
        "--cap-drop",
        "ALL",
        "--clearenv",
        "--die-with-parent",
        "--new-session",
        "--as-pid-1",
        "--hostname",
        "sprite",
    ]);
    for path in SYSTEM {
        match fs::read_link(path) {
            Ok(target) => push(&mut all, "--symlink", &target, Path::new(path)),
            Err(_) => push(&mut all, "--ro-bind-try", Path::new(path), Path::new(path)),
        }
    }
    for name in ETC {
        let path = Path::new("/etc").join(name);
        push(&mut all, "--ro-bind-try", &path, &path);
    }
    for name in ["passwd", "group"] {
        let (from, to) = (accounts.join(name), Path::new("/etc").join(name));
        push(&mut all, "--ro-bind", &from, &to);
    }
    all.extend(words(&["--proc", "/proc", "--dev", "/dev"]));
    all.extend(words(&["--size", TMP_BYTES, "--tmpfs", "/tmp"]));
    all.extend(words(&["--size", TMP_BYTES, "--tmpfs", "/dev/shm"]));
    all.extend(words(&["--dir", "/var", "--symlink", "/tmp", "/var/tmp"]));
    push(&mut all, "--bind", home, Path::new(HOME));
    push(&mut all, "--ro-bind", egress, Path::new(EGRESS));
    let (program, rest) = supervisor.split_first().unzip();
    if let Some(program) = program {
        push(
            &mut all,
            "--ro-bind",
            Path::new(program),
            Path::new(SUPERVISOR),
        );
    }
    all.extend(words(&[
        "--remount-ro",
        "/",
        "--chdir",
        HOME,
        "--",
        SUPERVISOR,
    ]));
    all.extend(rest.into_iter().flatten().cloned());
    all
}

fn words(words: &[&str]) -> Vec<OsString> {
    words.iter().map(OsString::from).collect()
}

fn push(all: &mut Vec<OsString>, option: &str, from: &Path, to: &Path) {
    all.extend([OsStr::new(option), from.as_os_str(), to.as_os_str()].map(OsStr::to_owned));
}
