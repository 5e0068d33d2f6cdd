//! A Redis for tests: in memory, no port.

use std::os::unix::net::UnixStream;

use anyhow::Result;
use nix::sys::signal::Signal;

use super::{Place, Server};
use crate::{programs, workspace::Workspace};

/// Starts the server; the answer names it for the suites.
pub(super) fn start(
    place: &Place,
    workspace: &Workspace,
) -> Result<(Server, (&'static str, String))> {
    let program =
        programs::redis(&workspace.cache("programs")).ok_or_else(|| programs::missing("Redis"))?;
    let socket = place.directory.join("redis.sock");
    let mut command = place.command(&program);
    command.args([
        "--port",
        "0",
        "--save",
        "",
        "--appendonly",
        "no",
        "--unixsocketperm",
        "777",
    ]);
    command.arg("--unixsocket").arg(&socket);
    let mut server = place.spawn("redis", Signal::SIGTERM, &mut command)?;
    server.wait_until(|| UnixStream::connect(&socket).is_ok())?;
    Ok((
        server,
        (
            "TEST_REDIS_URL",
            format!("redis+unix://{}", socket.display()),
        ),
    ))
}
