//! A Redis in memory, without a port.

use std::os::unix::net::UnixStream;
use std::path::Path;

use nix::sys::signal::Signal;

use crate::{Place, Server};

const SOCKET: &str = "redis.sock";

const ARGUMENTS: [&str; 8] = [
    "--port",
    "0",
    "--save",
    "",
    "--appendonly",
    "no",
    "--unixsocketperm",
    "777",
];

/// The server.
pub fn server(place: &Place, program: &Path) -> Server {
    let mut command = place.command(program);
    command.args(ARGUMENTS);
    command.arg("--unixsocket").arg(place.path().join(SOCKET));
    let answers = |socket: &Path| UnixStream::connect(socket).is_ok();
    Server::new(place, "redis", (SOCKET, answers), Signal::SIGTERM, command)
}

/// The server's address.
pub fn url(place: &Place) -> String {
    format!("redis+unix://{}", place.path().join(SOCKET).display())
}
