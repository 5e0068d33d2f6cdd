//! How long the disk takes to make four kilobytes safe. Every figure with a durable commit in it
//! contains this, and it is not ours.

use std::io::Write;
use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::Result;

const SYNCS: usize = 200;

/// Latencies of appends with fdatasync to a file in the directory, as a database log does it.
pub(crate) fn sync_latency(directory: &Path) -> Result<Vec<Duration>> {
    let mut file = tempfile::tempfile_in(directory)?;
    let mut latencies = Vec::with_capacity(SYNCS);
    for _ in 0..SYNCS {
        let started = Instant::now();
        file.write_all(&[0x5a; 4096])?;
        file.sync_data()?;
        latencies.push(started.elapsed());
    }
    Ok(latencies)
}
