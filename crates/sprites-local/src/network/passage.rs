//! A connection that is carried: it ends with its policy, with its sprite, and when nothing moves
//! through it any more.

use super::gate::Gate;
use std::{
    io,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    task::{Context, Poll, ready},
    time::Duration,
};
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    time::{Instant, sleep},
};
use tokio_util::sync::CancellationToken;

/// The right to carry one connection; it is given back when this is dropped.
pub(super) struct Lease {
    gate: Arc<Gate>,
    number: u64,
    cut: CancellationToken,
    moved: Moved,
}

/// When something last moved, in milliseconds after a beginning.
#[derive(Clone)]
struct Moved {
    begun: Instant,
    at: Arc<AtomicU64>,
}

impl Lease {
    pub(super) fn new(gate: Arc<Gate>, number: u64, cut: CancellationToken) -> Self {
        let moved = Moved {
            begun: Instant::now(),
            at: Arc::default(),
        };
        Self {
            gate,
            number,
            cut,
            moved,
        }
    }

    /// Waits until the connection is no longer allowed.
    pub(super) async fn cut(&self) {
        self.cut.cancelled().await;
    }

    /// Notes what moves through a stream as signs of life.
    pub(super) fn watch<S>(&self, stream: S) -> Watched<S> {
        self.moved.now();
        let moved = self.moved.clone();
        Watched { stream, moved }
    }

    /// Does the work of the connection for as long as it may.
    pub(super) async fn carry(self, work: impl Future) {
        tokio::select! {
            biased;
            () = self.cut() => {}
            _ = work => {}
            () = self.moved.stops_for(self.gate.limits.idle) => {}
        }
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        self.gate.forget(self.number);
    }
}

impl Moved {
    fn now(&self) {
        let passed = u64::try_from(self.begun.elapsed().as_millis()).unwrap_or(u64::MAX);
        self.at.store(passed, Ordering::Relaxed);
    }

    async fn stops_for(&self, idle: Duration) {
        loop {
            let last = self.begun + Duration::from_millis(self.at.load(Ordering::Relaxed));
            let left = idle.saturating_sub(last.elapsed());
            if left.is_zero() {
                return;
            }
            sleep(left).await;
        }
    }
}

/// A stream whose traffic counts as a sign of life. All that a connection carries passes through
/// its far end, so watching that is enough.
pub(super) struct Watched<S> {
    stream: S,
    moved: Moved,
}

impl<S: AsyncRead + Unpin> AsyncRead for Watched<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        ready!(Pin::new(&mut self.stream).poll_read(context, buffer))?;
        self.moved.now();
        Poll::Ready(Ok(()))
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Watched<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let written = ready!(Pin::new(&mut self.stream).poll_write(context, bytes))?;
        self.moved.now();
        Poll::Ready(Ok(written))
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}
