//! Moves what processes print: into an answer while somebody is to have it, and nowhere after.

use super::responder::Responder;
use crate::protocol::Kind;
use bytes::{Bytes, BytesMut};
use std::io;
use tokio::net::unix::pipe;
use tokio_util::sync::CancellationToken;

/// The most a pipe holds at its default size: what a finished command wrote and we have not read.
const PIPE: usize = 64 << 10;

/// Passes output on until it ends, or the command is over: then what is left of it.
pub(super) async fn pump(
    pipe: &pipe::Receiver,
    kind: Kind,
    to: &Responder,
    over: &CancellationToken,
) {
    let mut buffer = BytesMut::new();
    loop {
        tokio::select! {
            biased;
            () = over.cancelled() => break,
            ready = pipe.readable() => if ready.is_err() { break },
        }
        match read(pipe, &mut buffer) {
            Ok(piece) if piece.is_empty() => return,
            Ok(piece) => to.data(kind, piece).await,
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
            Err(_) => return,
        }
    }
    // All the command wrote is in the pipe now. What comes after a pipeful is from the background.
    let mut left = PIPE;
    while left > 0
        && let Some(piece) = read_now(pipe)
    {
        left = left.saturating_sub(piece.len());
        to.data(kind, piece).await;
    }
}

/// Drops what comes until nobody can write any more.
pub(super) async fn discard(pipe: &pipe::Receiver) {
    let mut buffer = vec![0; 4096];
    while pipe.readable().await.is_ok() {
        match pipe.try_read(&mut buffer) {
            Ok(0) => return,
            Ok(_) => {}
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
            Err(_) => return,
        }
    }
}

/// What is in a pipe at this moment. It asks the kernel: the runtime's notion of readiness may be
/// older than the exit code that was read just now.
pub(super) fn read_now(pipe: &pipe::Receiver) -> Option<Bytes> {
    let mut buffer = vec![0; PIPE];
    let read = nix::unistd::read(pipe, &mut buffer).ok()?;
    buffer.truncate(read);
    (read > 0).then(|| buffer.into())
}

fn read(pipe: &pipe::Receiver, buffer: &mut BytesMut) -> io::Result<Bytes> {
    buffer.reserve(PIPE);
    pipe.try_read_buf(buffer)?;
    Ok(buffer.split().freeze())
}
