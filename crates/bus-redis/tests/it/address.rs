//! How Redis is reached: sockets, TCP, a password, TLS, and that it need not be there at the start.

use super::support::{PATIENCE, Process, Server, connection, fresh_prefix, next, numbered, two};
use ports::live::{Bus, Heard};
use std::path::PathBuf;
use tokio::{
    io::{AsyncReadExt, copy_bidirectional},
    net::{TcpListener, UnixStream},
    time::timeout,
};
use tokio_util::task::AbortOnDropHandle;

/// A port that leads to a socket, so that no server has to find a free one.
async fn port(socket: PathBuf) -> (u16, AbortOnDropHandle<()>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    #[expect(clippy::disallowed_methods, reason = "a test has no tracker")]
    let relay = tokio::spawn(async move {
        let mut open = Vec::new();
        while let Ok((mut client, _)) = listener.accept().await {
            let mut server = UnixStream::connect(&socket).await.unwrap();
            open.push(AbortOnDropHandle::new(tokio::spawn(async move {
                // Either side may end it.
                let _ended = copy_bidirectional(&mut client, &mut server).await;
            })));
        }
    });
    (port, AbortOnDropHandle::new(relay))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_kind_of_address_leads_to_the_same_bus() {
    let mut server = Server::prepare(&["--requirepass", "p@ss word"]).await;
    server.run().await;
    let socket = server.socket();
    let (port, _relay) = port(socket.clone()).await;
    let path = socket.display();
    let urls = [
        format!("redis://:p%40ss%20word@127.0.0.1:{port}/3"),
        format!("redis+unix://{path}?db=3&pass=p%40ss+word"),
        format!("unix://{path}?db=3&user=default&pass=p%40ss+word&protocol=resp3"),
    ];
    let processes: Vec<_> = urls
        .iter()
        .map(|url| Process::start(url, "test", 10_000))
        .collect();
    for process in &processes {
        process.is(true).await;
    }
    let mut streams: Vec<_> = processes
        .iter()
        .map(|process| process.bus.listen())
        .collect();
    for (number, process) in (0..).zip(&processes) {
        process.tell(number);
        for stream in streams
            .iter_mut()
            .enumerate()
            .filter(|(to, _)| *to as u64 != number)
        {
            assert_eq!(next(stream.1).await, Heard::News(numbered(number)));
        }
    }
    let mut connection = connection(&urls[0]).await;
    let mut keys = redis::cmd("KEYS");
    let keys: Vec<String> = keys.arg("*").query_async(&mut connection).await.unwrap();
    assert_eq!(keys, ["test:news"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_wrong_password_is_no_connection() {
    let mut server = Server::prepare(&["--requirepass", "right"]).await;
    server.run().await;
    let right = Process::start(&format!("{}?pass=right", server.url()), "test", 10_000);
    let wrong = Process::start(&format!("{}?pass=wrong", server.url()), "test", 10_000);
    let mut stream = wrong.bus.listen();
    right.is(true).await;
    let mut admin = connection(&format!("{}?pass=right", server.url())).await;
    let mut allow = redis::cmd("CONFIG");
    allow.arg("SET").arg("requirepass").arg("wrong");
    assert!(!wrong.bus.is_connected());
    allow.exec_async(&mut admin).await.unwrap();
    wrong.is(true).await;
    assert_eq!(next(&mut stream).await, Heard::Gap);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_user_with_the_documented_rights_is_enough() {
    let server = Server::start().await;
    let rights = "ACL SETUSER news on >secret ~test:* +xadd +xread +xrange +ping +select";
    server.ask(rights).await;
    let url = format!("{}?user=news&pass=secret", server.url());
    let (one, other) = two(&url, "test", 10_000).await;
    let mut stream = other.bus.listen();
    one.tell(1);
    assert_eq!(next(&mut stream).await, Heard::News(numbered(1)));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_tls_address_is_spoken_to_in_tls() {
    let _already = rustls::crypto::ring::default_provider().install_default();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let url = format!("rediss://:canary@localhost:{port}");
    let process = Process::start(&url, "test", 10_000);
    let mut greeting = [0; 6];
    let read = async {
        let (mut client, _) = listener.accept().await.unwrap();
        client.read_exact(&mut greeting).await.unwrap();
    };
    timeout(PATIENCE, read).await.unwrap();
    // A handshake record of TLS 1.x whose message is a client hello.
    assert_eq!([greeting[0], greeting[1], greeting[5]], [0x16, 0x03, 0x01]);
    assert!(!process.bus.is_connected());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn redis_may_come_later_than_the_processes() {
    let mut server = Server::prepare(&[]).await;
    let one = Process::start(&server.url(), &fresh_prefix(), 10_000);
    let mut stream = one.bus.listen();
    one.tell(1);
    assert!(!one.bus.is_connected());
    server.run().await;
    one.is(true).await;
    assert_eq!(next(&mut stream).await, Heard::Gap);
    let (one, other) = two(&server.url(), &fresh_prefix(), 10_000).await;
    let mut stream = other.bus.listen();
    one.tell(2);
    assert_eq!(next(&mut stream).await, Heard::News(numbered(2)));
}
