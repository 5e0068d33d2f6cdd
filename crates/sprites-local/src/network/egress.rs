//! The only way out of a sprite that is awake: a proxy in the server's process, reached by a Unix
//! socket that is bound into the sandbox. It ends with the sprite.

use super::{
    gate::{Gate, Limits},
    http, socks,
    upstream::Upstream,
};
use crate::home::Home;
use domain::sprite::NetworkPolicy;
use nix::sys::socket::{MsgFlags, recv};
use std::{
    fs::{self, File, Permissions},
    io::{self, ErrorKind},
    os::{
        fd::AsRawFd as _,
        unix::{
            fs::{PermissionsExt as _, lchown},
            net::UnixListener as StdListener,
        },
    },
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};
use tokio::{
    io::{AsyncWriteExt as _, Interest},
    net::{UnixListener, UnixStream},
    sync::OwnedSemaphorePermit,
    time::{sleep, timeout},
};
use tokio_util::task::TaskTracker;

/// The socket in its directory.
pub(crate) const SOCKET: &str = "proxy";
const FULL: &[u8] =
    b"HTTP/1.1 503 Too many connections at once\r\nconnection: close\r\ncontent-length: 0\r\n\r\n";

/// The way out of one sprite. Dropping it closes every connection.
pub(crate) struct Egress {
    gate: Arc<Gate>,
}

impl Egress {
    /// Listens in the sprite's own directory.
    pub(crate) fn open(
        home: &Home,
        policy: NetworkPolicy,
        upstream: Arc<dyn Upstream>,
        tasks: &TaskTracker,
    ) -> io::Result<Self> {
        Self::with_gate(
            home,
            Gate::new(policy, upstream, Limits::default(), tasks.clone()),
        )
    }

    fn with_gate(home: &Home, gate: Arc<Gate>) -> io::Result<Self> {
        let listener = listen(&directory(home), home.owner)?;
        listener.set_nonblocking(true)?;
        let listener = UnixListener::from_std(listener)?;
        let accepting = accept(listener, Arc::clone(&gate));
        gate.tasks
            .spawn(gate.closing.clone().run_until_cancelled_owned(accepting));
        Ok(Self { gate })
    }

    /// Puts a policy in force at once.
    pub(crate) fn enforce(&self, policy: NetworkPolicy) {
        self.gate.enforce(policy);
    }

    /// Closes every connection and takes no more.
    pub(crate) fn close(&self) {
        self.gate.closing.cancel();
    }
}

impl Drop for Egress {
    fn drop(&mut self) {
        self.close();
    }
}

/// The directory of the socket, which is bound into the sandbox.
pub(crate) fn directory(home: &Home) -> PathBuf {
    home.folder.join("egress")
}

/// The directory stays the server's, so that nothing inside can put another socket there; only the
/// sprite's user may connect.
fn listen(directory: &Path, owner: Option<u32>) -> io::Result<StdListener> {
    fs::create_dir_all(directory)?;
    // Whatever this process keeps from others otherwise: a sprite's user must get to the socket.
    fs::set_permissions(directory, Permissions::from_mode(0o711))?;
    // The whole path may be longer than the address of a socket can be.
    let held = File::open(directory)?;
    let path = PathBuf::from(format!("/proc/self/fd/{}/{SOCKET}", held.as_raw_fd()));
    match fs::remove_file(&path) {
        Err(error) if error.kind() != ErrorKind::NotFound => return Err(error),
        Ok(()) | Err(_) => {}
    }
    let listener = StdListener::bind(&path)?;
    fs::set_permissions(&path, Permissions::from_mode(0o600))?;
    if let Some(owner) = owner {
        lchown(&path, Some(owner), Some(owner))?;
    }
    Ok(listener)
}

async fn accept(listener: UnixListener, gate: Arc<Gate>) {
    const PAUSE: Duration = Duration::from_millis(100);
    loop {
        let mut client = match listener.accept().await {
            Ok((client, _)) => client,
            Err(error) => {
                tracing::warn!(%error, "egress.accept: a connection of a sprite is not taken");
                sleep(PAUSE).await;
                continue;
            }
        };
        let Ok(place) = Arc::clone(&gate.places).try_acquire_owned() else {
            // It may be gone already, and then it needs no answer.
            drop(client.write_all(FULL).await);
            continue;
        };
        let serving = serve(client, Arc::clone(&gate), place);
        gate.tasks
            .spawn(gate.closing.clone().run_until_cancelled_owned(serving));
    }
}

/// A client that breaks off or breaks the protocol harms nobody but itself.
async fn serve(client: UnixStream, gate: Arc<Gate>, place: OwnedSemaphorePermit) {
    let ended = match timeout(gate.limits.head, first_byte(&client)).await {
        Ok(Ok(socks::VERSION)) => socks::serve(client, gate)
            .await
            .map_err(|error| error.to_string()),
        Ok(Ok(_)) => http::serve(client, gate, Arc::new(place))
            .await
            .map_err(|error| error.to_string()),
        Ok(Err(error)) => Err(error.to_string()),
        Err(_) => Err("nothing was asked in time".into()),
    };
    if let Err(error) = ended {
        tracing::debug!(%error, "egress.client: a connection of a sprite broke off");
    }
}

/// Looks at the first byte, which tells the protocols apart, and leaves it where it is.
async fn first_byte(client: &UnixStream) -> io::Result<u8> {
    let mut byte = [0];
    let peek = || Ok(recv(client.as_raw_fd(), &mut byte, MsgFlags::MSG_PEEK)?);
    match client.async_io(Interest::READABLE, peek).await? {
        0 => Err(ErrorKind::UnexpectedEof.into()),
        _ => Ok(byte[0]),
    }
}

#[cfg(test)]
mod tests {
    use super::{Egress, FULL, Gate, Limits, SOCKET, directory};
    use crate::{home::Home, network::upstream::Upstream};
    use async_trait::async_trait;
    use domain::sprite::NetworkPolicy;
    use std::{
        io,
        net::{IpAddr, Ipv4Addr, SocketAddr},
        sync::Arc,
        time::Duration,
    };
    use tempfile::TempDir;
    use tokio::{
        io::{AsyncReadExt as _, AsyncWriteExt as _},
        net::{TcpListener, TcpStream, UnixStream},
    };
    use tokio_util::task::TaskTracker;

    const CONNECT: &[u8] = b"CONNECT a.test:1 HTTP/1.1\r\n\r\n";
    const OPEN: &[u8] = b"HTTP/1.1 200 OK\r\n";

    #[derive(Debug)]
    struct Everywhere(SocketAddr);

    #[async_trait]
    impl Upstream for Everywhere {
        async fn resolve(&self, _host: &str) -> io::Result<Vec<IpAddr>> {
            Ok(vec![Ipv4Addr::new(8, 8, 8, 8).into()])
        }

        async fn connect(&self, _address: SocketAddr) -> io::Result<TcpStream> {
            TcpStream::connect(self.0).await
        }
    }

    struct Bench {
        home: Home,
        _directory: TempDir,
        _egress: Egress,
        server: TcpListener,
    }

    async fn bench(limits: Limits) -> Bench {
        let directory = tempfile::tempdir().unwrap();
        let server = TcpListener::bind("127.0.0.1:0").await.unwrap();
        // Longer than the address of a socket can be.
        let home = Home::at(&directory.path().join("x".repeat(120)), None);
        let upstream = Arc::new(Everywhere(server.local_addr().unwrap()));
        let gate = Gate::new(NetworkPolicy::open(), upstream, limits, TaskTracker::new());
        Bench {
            _egress: Egress::with_gate(&home, gate).unwrap(),
            home,
            _directory: directory,
            server,
        }
    }

    impl Bench {
        async fn client(&self) -> UnixStream {
            let held = std::fs::File::open(directory(&self.home)).unwrap();
            let descriptor = std::os::fd::AsRawFd::as_raw_fd(&held);
            let path = format!("/proc/self/fd/{descriptor}/{SOCKET}");
            UnixStream::connect(path).await.unwrap()
        }

        async fn tunnel(&self) -> (UnixStream, TcpStream) {
            let mut client = self.client().await;
            client.write_all(CONNECT).await.unwrap();
            let (server, _) = self.server.accept().await.unwrap();
            let mut head = Vec::new();
            while !head.ends_with(b"\r\n\r\n") {
                head.push(client.read_u8().await.unwrap());
            }
            assert!(head.starts_with(OPEN));
            (client, server)
        }
    }

    async fn rest(mut stream: impl tokio::io::AsyncRead + Unpin) -> Vec<u8> {
        let mut all = Vec::new();
        // A reset is an end too.
        drop(stream.read_to_end(&mut all).await);
        all
    }

    #[tokio::test]
    async fn one_connection_too_many_is_told_so_and_a_place_comes_back() {
        let limits = Limits {
            connections: 1,
            ..Limits::default()
        };
        let bench = bench(limits).await;
        let (client, server) = bench.tunnel().await;
        assert_eq!(rest(bench.client().await).await, FULL);
        drop(client);
        assert_eq!(rest(server).await, b"");
        // The place is given back a moment after the far end hears of it.
        loop {
            let mut client = bench.client().await;
            // One that is refused at once may be closed already.
            drop(client.write_all(CONNECT).await);
            let mut first = [0; OPEN.len()];
            if client.read_exact(&mut first).await.is_ok() && first == OPEN {
                return;
            }
        }
    }

    #[tokio::test]
    async fn what_carries_nothing_and_asks_nothing_is_closed() {
        let short = Duration::from_millis(20);
        let limits = Limits {
            head: short,
            idle: short,
            ..Limits::default()
        };
        let bench = bench(limits).await;
        let (client, server) = bench.tunnel().await;
        assert_eq!(rest(client).await, b"");
        assert_eq!(rest(server).await, b"");
        assert_eq!(rest(bench.client().await).await, b"");
        for begun in [b"GET http".as_slice(), b"\x05\x01"] {
            let mut client = bench.client().await;
            client.write_all(begun).await.unwrap();
            let answer = rest(client).await;
            assert!(!answer.starts_with(b"HTTP/1.1 200"), "{answer:?}");
        }
    }

    #[tokio::test]
    async fn both_directions_end_by_themselves() {
        let bench = bench(Limits::default()).await;
        let (mut client, mut server) = bench.tunnel().await;
        client.write_all(b"question").await.unwrap();
        client.shutdown().await.unwrap();
        assert_eq!(rest(&mut server).await, b"question");
        server.write_all(b"answer").await.unwrap();
        drop(server);
        assert_eq!(rest(client).await, b"answer");
    }
}
