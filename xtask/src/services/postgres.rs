//! A Postgres for tests and benches: no port, its data directory copied from a template that is made once per
//! server version.

use std::fs;
use std::io::{Read, Write};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use nix::sys::signal::Signal;

use super::{Place, Server, Syncs};
use crate::{programs, shell, workspace::Workspace};

/// The socket's name in the directory given by `-k`.
pub(super) const SOCKET: &str = ".s.PGSQL.5432";

const SETTINGS: [&str; 3] = [
    "listen_addresses=",
    "shared_buffers=64MB",
    "max_connections=200",
];

/// A crash may lose the data: it is thrown away anyway, and syncs are what tests would wait for.
const UNSYNCED: [&str; 4] = [
    "fsync=off",
    "synchronous_commit=off",
    "full_page_writes=off",
    "autovacuum=off",
];

/// Starts the server; the answer names it for the suites.
pub(super) fn start(
    place: &Place,
    workspace: &Workspace,
    syncs: Syncs,
) -> Result<(Server, (&'static str, String))> {
    let cache = workspace.cache("programs");
    let locate =
        |program| programs::postgres(program, &cache).ok_or_else(|| programs::missing("Postgres"));
    let (initdb, postgres) = (locate("initdb")?, locate("postgres")?);
    let data = place.directory.join("postgres");
    data_directory(place, &initdb, &template(&postgres, workspace)?, &data)?;

    let mut command = place.command(&postgres);
    command.arg("-D").arg(&data).arg("-k").arg(&place.directory);
    let unsynced: &[&str] = match syncs {
        Syncs::Skipped => &UNSYNCED,
        Syncs::Kept => &[],
    };
    for setting in SETTINGS.iter().chain(unsynced) {
        command.args(["-c", setting]);
    }
    // SIGQUIT is the server's immediate shutdown.
    let mut server = place.spawn("postgres", Signal::SIGQUIT, &mut command)?;
    let socket = place.directory.join(SOCKET);
    server.wait_until(|| answers(&socket))?;
    let url = format!(
        "postgres://postgres@localhost/postgres?host={}",
        place.directory.display()
    );
    Ok((server, ("TEST_POSTGRES_URL", url)))
}

/// True once a start-up packet is answered with an authentication request, which `starting up` is not.
pub(super) fn answers(socket: &Path) -> bool {
    const PACKET: &[u8] = b"\0\0\0\x29\0\x03\0\0user\0postgres\0database\0postgres\0\0";
    let ask = || -> std::io::Result<u8> {
        let mut stream = UnixStream::connect(socket)?;
        stream.set_read_timeout(Some(Duration::from_secs(2)))?;
        stream.write_all(PACKET)?;
        let mut kind = [0];
        stream.read_exact(&mut kind)?;
        Ok(u8::from_be_bytes(kind))
    };
    ask().is_ok_and(|kind| kind == b'R')
}

fn template(postgres: &Path, workspace: &Workspace) -> Result<PathBuf> {
    let version = shell::output(Command::new(postgres).arg("--version"))?;
    let plain = |c: char| {
        if c.is_ascii_alphanumeric() || c == '.' {
            c
        } else {
            '_'
        }
    };
    let name: String = version.trim().chars().map(plain).collect();
    // A data directory belongs to one user, so two users of one checkout keep two templates.
    let owner = super::service_user()?.map_or_else(nix::unistd::geteuid, |user| user.uid);
    Ok(workspace.cache("postgres").join(format!("{name}-{owner}")))
}

fn data_directory(place: &Place, initdb: &Path, template: &Path, data: &Path) -> Result<()> {
    if template.is_dir() {
        return copy(template, data);
    }
    let options = [
        "-A",
        "trust",
        "-U",
        "postgres",
        "--no-sync",
        "--no-locale",
        "-E",
        "UTF8",
    ];
    shell::output(place.command(initdb).arg("-D").arg(data).args(options))?;
    let parent = template
        .parent()
        .context("the template has no parent directory")?;
    fs::create_dir_all(parent)?;
    // Renamed into place, so that a killed run leaves no half template under the final name.
    let staging = tempfile::tempdir_in(parent)?;
    let copied = staging.path().join("data");
    copy(data, &copied)?;
    match fs::rename(&copied, template) {
        Ok(()) => Ok(()),
        // Another run was quicker; its template is as good.
        Err(_) if template.is_dir() => Ok(()),
        Err(error) => Err(error).context("cannot keep the Postgres template"),
    }
}

fn copy(from: &Path, to: &Path) -> Result<()> {
    let status = Command::new("cp")
        .args(["-a", "--reflink=auto"])
        .args([from, to])
        .status()?;
    if !status.success() {
        bail!(
            "cannot copy {} to {}: {status}",
            from.display(),
            to.display()
        );
    }
    Ok(())
}
