//! A world for the egress proxy: names that the test chooses and a server that answers everybody.

use crate::support::{Bench, bench_with, output};
use async_trait::async_trait;
use domain::sprite::SandboxTier;
use ports::sandbox::Sandbox;
use sprites_local::{LocalSettings, Upstream};
use std::{
    collections::HashMap,
    io,
    net::{IpAddr, SocketAddr},
    sync::{Arc, Mutex},
};
use tokio::{
    io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader},
    net::{TcpListener, TcpStream},
};

/// A world of names, in which every address is one listener of the test.
#[derive(Debug, Default)]
pub(crate) struct World {
    names: Mutex<HashMap<&'static str, Vec<IpAddr>>>,
    server: Mutex<Option<SocketAddr>>,
    connected: Mutex<Vec<SocketAddr>>,
}

#[async_trait]
impl Upstream for World {
    async fn resolve(&self, host: &str) -> io::Result<Vec<IpAddr>> {
        let names = self.names.lock().unwrap();
        let found = names.get(host).cloned();
        found.ok_or_else(|| io::Error::other("no such name"))
    }

    async fn connect(&self, address: SocketAddr) -> io::Result<TcpStream> {
        self.connected.lock().unwrap().push(address);
        let server = *self.server.lock().unwrap();
        TcpStream::connect(server.ok_or(io::ErrorKind::ConnectionRefused)?).await
    }
}

impl World {
    fn new(names: &[(&'static str, &str)]) -> Arc<Self> {
        let world = Self::default();
        for (name, address) in names {
            world.set(name, &[address]);
        }
        Arc::new(world)
    }

    pub(crate) fn set(&self, name: &'static str, addresses: &[&str]) {
        let addresses = addresses.iter().map(|address| address.parse().unwrap());
        self.names.lock().unwrap().insert(name, addresses.collect());
    }

    /// What was connected to since it was asked last.
    pub(crate) fn connected(&self) -> Vec<String> {
        let connected = std::mem::take(&mut *self.connected.lock().unwrap());
        connected.iter().map(ToString::to_string).collect()
    }

    /// A server that answers each request or line with what it received.
    async fn serve(&self) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        *self.server.lock().unwrap() = Some(listener.local_addr().unwrap());
        drop(tokio::task::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                drop(tokio::task::spawn(echo(client)));
            }
        }));
    }
}

/// A host whose sprites see a world of these names, and one of them awake.
pub(crate) async fn world(names: &[(&'static str, &str)]) -> Option<(Bench, Arc<World>)> {
    let world = World::new(names);
    world.serve().await;
    let upstream = Arc::clone(&world);
    let change = |settings| LocalSettings {
        upstream,
        ..settings
    };
    let bench = bench_with(SandboxTier::Namespaces, change).await?;
    Some((bench, world))
}

/// An HTTP request is answered with itself; a line `ping` with `pong`, for as long as they come.
async fn echo(client: TcpStream) {
    let (reader, mut writer) = client.into_split();
    let mut reader = BufReader::new(reader);
    let mut request = String::new();
    while let Ok(1..) = reader.read_line(&mut request).await {
        let answer = if request.ends_with("ping\n") {
            "pong\n".to_owned()
        } else if request.ends_with("\r\n\r\n") {
            let mut body = vec![0; length(&request)];
            reader.read_exact(&mut body).await.unwrap();
            let all = format!("{request}{}", String::from_utf8_lossy(&body));
            format!(
                "HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n{all}",
                all.len()
            )
        } else {
            continue;
        };
        request.clear();
        if writer.write_all(answer.as_bytes()).await.is_err() {
            return;
        }
    }
}

fn length(head: &str) -> usize {
    let field = head.lines().find_map(|line| {
        let (name, value) = line.split_once(':')?;
        name.eq_ignore_ascii_case("content-length")
            .then(|| value.trim())
    });
    field.map_or(0, |value| value.parse().unwrap())
}

/// Sends bytes to the proxy, given as for printf, and shows the first line that comes back.
pub(crate) async fn ask(sandbox: &dyn Sandbox, bytes: &str) -> String {
    let script = format!(
        "exec 9<>/dev/tcp/127.0.0.1/3128; printf '{bytes}' >&9; IFS= read -r line <&9; printf '%s' \"${{line%$'\\r'}}\"; exec 9>&-"
    );
    output(sandbox, &script).await
}

/// Asks for a page, and shows the status line.
pub(crate) async fn get(sandbox: &dyn Sandbox, address: &str) -> String {
    let request = format!("GET {address} HTTP/1.1\\r\\nHost: x\\r\\nConnection: close\\r\\n\\r\\n");
    ask(sandbox, &request).await
}

/// A SOCKS5 request to a name and port 443, and the reply's code.
pub(crate) async fn socks(sandbox: &dyn Sandbox, host: &str) -> u8 {
    let script = format!(
        "exec 9<>/dev/tcp/127.0.0.1/3128; printf '\\5\\1\\0\\5\\1\\0\\3\\{:o}{host}\\1\\273' >&9; \
         head -c 4 <&9 | tail -c 1 | od -An -tu1; exec 9>&-",
        host.len()
    );
    output(sandbox, &script).await.trim().parse().unwrap()
}
