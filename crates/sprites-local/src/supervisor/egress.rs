//! The way out as commands see it: a proxy at a loopback port of the sandbox's own network, behind
//! which is the server's socket. It copies bytes and decides nothing.

use crate::isolation::bubblewrap;
use std::{
    io,
    net::{Ipv4Addr, TcpListener as StdListener},
    time::Duration,
};
use tokio::{
    io::{AsyncWriteExt as _, copy, sink},
    net::{TcpListener, TcpStream, UnixStream},
    time::{sleep, timeout},
};

/// Where it is inside.
pub(super) const PORT: u16 = 3128;
const ADDRESS: &str = "http://127.0.0.1:3128";
/// How long a client is listened to that was already answered.
const LINGER: Duration = Duration::from_secs(2);
const NOT_BY_PROXY: &str = "localhost,127.0.0.1,::1";

/// What tells programs of the proxy. All of it is an HTTP proxy's address, for tunnels too:
/// many programs do not start when they are given a SOCKS one they cannot speak to.
pub(super) const VARIABLES: [(&str, &str); 8] = [
    ("http_proxy", ADDRESS),
    ("https_proxy", ADDRESS),
    ("all_proxy", ADDRESS),
    ("no_proxy", NOT_BY_PROXY),
    ("HTTP_PROXY", ADDRESS),
    ("HTTPS_PROXY", ADDRESS),
    ("ALL_PROXY", ADDRESS),
    ("NO_PROXY", NOT_BY_PROXY),
];

/// Takes the port, before any command can.
pub(super) fn listen() -> io::Result<StdListener> {
    let listener = StdListener::bind((Ipv4Addr::LOCALHOST, PORT))?;
    listener.set_nonblocking(true)?;
    Ok(listener)
}

/// Carries connections to the server, on this thread's task set.
pub(super) async fn serve(listener: StdListener) -> io::Result<()> {
    const PAUSE: Duration = Duration::from_millis(50);
    let listener = TcpListener::from_std(listener)?;
    loop {
        match listener.accept().await {
            Ok((client, _)) => drop(tokio::task::spawn_local(carry(client))),
            // Descriptors run out when commands overdo it; they come back.
            Err(_) => sleep(PAUSE).await,
        }
    }
}

/// Either side ends by itself; one that breaks off is no more than that.
async fn carry(mut client: TcpStream) -> io::Result<()> {
    client.set_nodelay(true)?;
    let mut server = UnixStream::connect(bubblewrap::egress_socket()).await?;
    let (mut from_client, mut to_client) = client.split();
    let (mut from_server, mut to_server) = server.split();
    let up = async {
        let sent = copy(&mut from_client, &mut to_server).await;
        drop(to_server.shutdown().await);
        if sent.is_err() {
            // The server takes no more, but it may have said why. Closing while something is
            // unread would reset that away.
            drop(timeout(LINGER, copy(&mut from_client, &mut sink())).await);
        }
    };
    let down = async {
        drop(copy(&mut from_server, &mut to_client).await);
        drop(to_client.shutdown().await);
    };
    tokio::join!(up, down);
    Ok(())
}
