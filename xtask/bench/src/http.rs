//! A load generator for one kind of request. It shares two cores with the server, so it writes
//! prepared bytes on kept connections instead of going through a client library.

use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::task::JoinSet;

const BODY_LIMIT: usize = 64 * 1024;

/// Posts `total` bodies over `clients` connections and returns each latency.
pub(crate) async fn post_all<F>(
    port: u16,
    head: String,
    clients: usize,
    total: usize,
    body: F,
) -> Result<Vec<Duration>>
where
    F: Fn(usize) -> String + Clone + Send + 'static,
{
    let mut tasks = JoinSet::new();
    for client in 0..clients {
        let (head, body) = (head.clone(), body.clone());
        tasks.spawn(async move {
            let mut stream = TcpStream::connect(("127.0.0.1", port)).await?;
            stream.set_nodelay(true)?;
            let mut latencies = Vec::with_capacity(total / clients + 1);
            for number in (client..total).step_by(clients) {
                let body = body(number);
                let request = format!("{head}content-length: {}\r\n\r\n{body}", body.len());
                let started = Instant::now();
                stream.write_all(request.as_bytes()).await?;
                answer(&mut stream).await?;
                latencies.push(started.elapsed());
            }
            anyhow::Ok(latencies)
        });
    }
    let mut latencies = Vec::with_capacity(total);
    while let Some(done) = tasks.join_next().await {
        latencies.extend(done??);
    }
    Ok(latencies)
}

/// Reads one response to its end and fails unless it is a success.
async fn answer(stream: &mut TcpStream) -> Result<()> {
    let mut buffer = Vec::with_capacity(1024);
    loop {
        if stream.read_buf(&mut buffer).await? == 0 {
            bail!("the server closed the connection");
        }
        let text = String::from_utf8_lossy(&buffer);
        let Some((head, body)) = text.split_once("\r\n\r\n") else {
            continue;
        };
        let length = head.lines().find_map(content_length).unwrap_or(0);
        if length > BODY_LIMIT {
            bail!("an answer of {length} bytes");
        }
        if body.len() < length {
            continue;
        }
        let status = head
            .split(' ')
            .nth(1)
            .context("an answer without a status")?;
        if !status.starts_with('2') {
            bail!("the server answered {status}: {body}");
        }
        return Ok(());
    }
}

fn content_length(line: &str) -> Option<usize> {
    let (name, value) = line.split_once(':')?;
    name.eq_ignore_ascii_case("content-length")
        .then(|| value.trim().parse().ok())?
}
