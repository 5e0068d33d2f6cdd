//! What is kept of processes on disk while they run, so that those that were lost with the server
//! or their sprite can still be told of: a record each and their last output. Nothing of it is
//! synced; it is there after a kill, and a power cut may take it.

use crate::record;
use bytes::Bytes;
use domain::Timestamp;
use serde::{Deserialize, Serialize};
use std::{
    collections::BTreeMap,
    fs::{self, DirBuilder, File, OpenOptions},
    io::{self, ErrorKind, Write as _},
    os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _},
    path::{Path, PathBuf},
};

/// The most output that is told of later, in bytes. Twice as much may be on disk.
pub(super) const LAST: usize = 64 << 10;
/// Ids are set aside in such lots, so that the count is written, and synced, once for each.
const LOT: u64 = 64;

/// What is remembered of a process.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Record {
    pub(super) arguments: Vec<String>,
    pub(super) directory: String,
    pub(super) terminal: bool,
    pub(super) started_at: Timestamp,
    /// When it last put something out, as far as that is known.
    #[serde(skip)]
    pub(super) active_at: Option<Timestamp>,
}

/// The folder of a sprite's processes.
#[derive(Clone, Debug)]
pub(super) struct Archive {
    folder: PathBuf,
}

impl Archive {
    pub(super) fn new(folder: PathBuf) -> Self {
        Self { folder }
    }

    /// The processes that are recorded. What cannot be read is not told of.
    pub(super) fn records(&self) -> BTreeMap<u64, Record> {
        let entries = fs::read_dir(&self.folder).into_iter().flatten().flatten();
        entries
            .filter_map(|entry| {
                let name = entry.file_name();
                let id = name.to_str()?.strip_suffix(".json")?.parse().ok()?;
                let mut record: Record = record::read(&entry.path()).ok()??;
                let output = fs::metadata(self.path(id, "output"));
                record.active_at = output
                    .and_then(|output| output.modified())
                    .map(Timestamp::from)
                    .ok();
                Some((id, record))
            })
            .collect()
    }

    /// Sets a lot of ids aside, for good; they begin after this one.
    pub(super) fn reserve(&self) -> io::Result<(u64, u64)> {
        let counter = self.folder.join("counter");
        let recorded = self.records().into_keys().last();
        // A counter that is unreadable must not make ids come back.
        let highest = record::read::<u64>(&counter)?.max(recorded).unwrap_or(0);
        self.make()?;
        record::write(&counter, &(highest + LOT))?;
        Ok((highest, highest + LOT))
    }

    /// Records a process that is about to start.
    pub(super) fn insert(&self, id: u64, record: &Record) -> io::Result<()> {
        self.make()?;
        let mut file = create(&self.path(id, "json"))?;
        file.write_all(&serde_json::to_vec(record)?)
    }

    /// Forgets a process.
    pub(super) fn delete(&self, id: u64) -> io::Result<()> {
        // The record comes first: output without one is not told of.
        for kind in ["json", "output", "earlier"] {
            match fs::remove_file(self.path(id, kind)) {
                Err(error) if error.kind() != ErrorKind::NotFound => return Err(error),
                Ok(()) | Err(_) => {}
            }
        }
        Ok(())
    }

    /// The last output that was kept of a process.
    pub(super) fn last_output(&self, id: u64) -> io::Result<Bytes> {
        let mut all = Vec::new();
        for kind in ["earlier", "output"] {
            match fs::read(self.path(id, kind)) {
                Ok(bytes) => all.extend(bytes),
                Err(error) if error.kind() == ErrorKind::NotFound => {}
                Err(error) => return Err(error),
            }
        }
        all.drain(..all.len().saturating_sub(LAST));
        Ok(all.into())
    }

    /// Where the output of a process goes.
    pub(super) fn tail(&self, id: u64) -> Tail {
        Tail {
            output: self.path(id, "output"),
            earlier: self.path(id, "earlier"),
            file: None,
            written: 0,
        }
    }

    fn path(&self, id: u64, kind: &str) -> PathBuf {
        self.folder.join(format!("{id}.{kind}"))
    }

    fn make(&self) -> io::Result<()> {
        DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(&self.folder)
    }
}

/// The end of one process's output, in two files of which the older is replaced.
pub(super) struct Tail {
    output: PathBuf,
    earlier: PathBuf,
    file: Option<File>,
    written: usize,
}

impl Tail {
    pub(super) fn append(&mut self, bytes: &[u8]) -> io::Result<()> {
        let from = bytes.len().saturating_sub(LAST);
        let bytes = bytes.get(from..).unwrap_or_default();
        if self.written > 0 && self.written + bytes.len() > LAST {
            self.file = None;
            self.written = 0;
            fs::rename(&self.output, &self.earlier)?;
        }
        let file = match &mut self.file {
            Some(file) => file,
            none => none.insert(create(&self.output)?),
        };
        file.write_all(bytes)?;
        self.written += bytes.len();
        Ok(())
    }
}

fn create(path: &Path) -> io::Result<File> {
    OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o600)
        .open(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_never_come_back() {
        let directory = tempfile::tempdir().unwrap();
        let archive = Archive::new(directory.path().join("processes"));
        assert_eq!(archive.reserve().unwrap(), (0, LOT));
        assert_eq!(archive.reserve().unwrap(), (LOT, 2 * LOT));
    }

    #[test]
    fn the_end_of_the_output_is_kept_in_bounds() {
        let directory = tempfile::tempdir().unwrap();
        let archive = Archive::new(directory.path().to_owned());
        let mut tail = archive.tail(7);
        let mut expected = Vec::new();
        for size in [1, LAST, 10, 5000, LAST - 1, 3 * LAST, 17] {
            let bytes: Vec<u8> = (0..=250).cycle().take(size).collect();
            tail.append(&bytes).unwrap();
            expected.extend(bytes);
            let kept = archive.last_output(7).unwrap();
            assert!(kept.len() <= LAST && expected.ends_with(&kept), "{size}");
            assert!(
                kept.len() == LAST.min(expected.len()),
                "{size}: {}",
                kept.len()
            );
        }
        let on_disk: u64 = fs::read_dir(directory.path())
            .unwrap()
            .map(|entry| entry.unwrap().metadata().unwrap().len())
            .sum();
        assert!(on_disk <= 2 * LAST as u64);
        archive.delete(7).unwrap();
        assert_eq!(archive.last_output(7).unwrap(), "");
    }
}
