//! How far long work on files is, for those who wait for it, and whether it should go on.

use std::{
    io::{self, ErrorKind},
    sync::atomic::{AtomicU64, Ordering},
};
use tokio_util::sync::CancellationToken;

/// Counts what was done.
pub(super) struct Work {
    files: AtomicU64,
    bytes: AtomicU64,
    most: AtomicU64,
    stop: CancellationToken,
}

impl Default for Work {
    /// Work that has no bound and is not stopped.
    fn default() -> Self {
        Self::until(CancellationToken::new())
    }
}

impl Work {
    /// Work that ends early when it is stopped.
    pub(super) fn until(stop: CancellationToken) -> Self {
        Self {
            files: AtomicU64::new(0),
            bytes: AtomicU64::new(0),
            most: AtomicU64::new(u64::MAX),
            stop,
        }
    }

    /// Allows for so many bytes and no more.
    pub(super) fn bound(&self, most: u64) {
        self.most.store(most, Ordering::Relaxed);
    }

    /// One more entry of so many bytes.
    pub(super) fn count(&self, bytes: u64) -> io::Result<()> {
        self.files.fetch_add(1, Ordering::Relaxed);
        let before = self.bytes.fetch_add(bytes, Ordering::Relaxed);
        if before.saturating_add(bytes) > self.most.load(Ordering::Relaxed) {
            // Holes in files take no room until they are copied.
            let text = "the files hold more bytes than there is room for; remove large files first";
            return Err(io::Error::new(ErrorKind::QuotaExceeded, text));
        }
        self.go_on()
    }

    pub(super) fn go_on(&self) -> io::Result<()> {
        if self.stop.is_cancelled() {
            return Err(io::Error::other("the server is shutting down"));
        }
        Ok(())
    }

    /// Files and bytes so far.
    pub(super) fn done(&self) -> (u64, u64) {
        let read = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        (read(&self.files), read(&self.bytes))
    }
}
