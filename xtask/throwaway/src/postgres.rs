//! A Postgres without a port. What it does about its disk is said by who starts it.

use std::io::{Read, Write};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Result, ensure};
use nix::sys::signal::Signal;

use crate::{Place, Server};

const SOCKET: &str = ".s.PGSQL.5432";

const INITDB: [&str; 8] = [
    "-A",
    "trust",
    "-U",
    "postgres",
    "--no-sync",
    "--no-locale",
    "-E",
    "UTF8",
];

const SETTINGS: [&str; 3] = [
    "listen_addresses=",
    "shared_buffers=64MB",
    "max_connections=200",
];

/// Where its data is; made by [`init`], or copied there from an earlier one.
pub fn data(place: &Place) -> PathBuf {
    place.path().join("postgres")
}

/// Makes the data directory.
pub fn init(place: &Place, initdb: &Path) -> Result<()> {
    let mut command = place.command(initdb);
    let made = command.arg("-D").arg(data(place)).args(INITDB).output()?;
    let said = String::from_utf8_lossy(&made.stderr);
    ensure!(made.status.success(), "initdb failed: {}", said.trim());
    Ok(())
}

/// The server, with settings beside those that every one has.
pub fn server(place: &Place, program: &Path, settings: &[&str]) -> Server {
    let mut command = place.command(program);
    command.arg("-D").arg(data(place));
    command.arg("-k").arg(place.path());
    for setting in SETTINGS.iter().chain(settings) {
        command.args(["-c", setting]);
    }
    // SIGQUIT is the server's immediate shutdown.
    Server::new(
        place,
        "postgres",
        (SOCKET, answers),
        Signal::SIGQUIT,
        command,
    )
}

/// The server's own database.
pub fn url(place: &Place) -> String {
    format!(
        "postgres://postgres@localhost/postgres?host={}",
        place.path().display()
    )
}

/// True once a start-up packet is answered with an authentication request, which `starting up` is not.
fn answers(socket: &Path) -> bool {
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
