//! A little world for sandboxes that reach hosts by name: who is called what there, and the one who
//! answers. A backend that can, puts it where the internet is otherwise.

use super::PUBLIC_HOST;
use std::{
    io,
    net::{IpAddr, Ipv4Addr, SocketAddr},
};
use tokio::{
    io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader},
    net::{TcpListener, TcpStream},
};

/// The addresses of a name.
pub fn resolve(host: &str) -> io::Result<Vec<IpAddr>> {
    let address = match host {
        PUBLIC_HOST => Ipv4Addr::new(8, 8, 8, 8),
        "other.example" => Ipv4Addr::new(8, 8, 4, 4),
        "private.example" => Ipv4Addr::new(10, 1, 2, 3),
        "metadata.example" => Ipv4Addr::new(169, 254, 169, 254),
        _ => return Err(io::Error::other("no such name")),
    };
    Ok(vec![address.into()])
}

/// Answers every request with `hello`, for as long as the test runs.
pub async fn serve() -> SocketAddr {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let address = listener.local_addr().unwrap();
    drop(tokio::task::spawn(async move {
        while let Ok((client, _)) = listener.accept().await {
            drop(tokio::task::spawn(answer(client)));
        }
    }));
    address
}

async fn answer(client: TcpStream) -> io::Result<()> {
    let mut client = BufReader::new(client);
    let mut line = String::new();
    while client.read_line(&mut line).await? > 0 && line != "\r\n" {
        line.clear();
    }
    let hello = b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\nconnection: close\r\n\r\nhello";
    client.write_all(hello).await?;
    client.shutdown().await
}
