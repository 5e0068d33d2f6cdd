//! The folder that holds a sprite's checkpoints: what is in it, which number comes next, and how a
//! new one becomes one, at once and whole. It knows nothing of how contents are kept.

use crate::{quota::exhausted, record, tree};
use domain::Timestamp;
use ports::sandbox::{Checkpoint, SandboxError};
use serde::{Deserialize, Serialize};
use std::{
    fs::{self, DirBuilder, File},
    io::{self, ErrorKind},
    os::unix::fs::DirBuilderExt as _,
    path::{Path, PathBuf},
};

/// The most that somebody asked for; more have to be made room for.
const MAX_ASKED_FOR: usize = 50;
/// The most that were made before a restore; older ones make room.
const MAX_AUTOMATIC: usize = 10;
const META: &str = "meta.json";

/// What is kept of a checkpoint beside its contents.
#[derive(Debug, Serialize, Deserialize)]
struct Meta {
    created_at: Timestamp,
    comment: Option<String>,
    automatic: bool,
    bytes: u64,
}

/// The checkpoints of one sprite.
pub(crate) struct Shelf {
    folder: PathBuf,
}

/// A checkpoint that is being made.
pub(crate) struct Draft {
    number: u64,
    pub(crate) folder: PathBuf,
}

/// Bytes that a sprite's checkpoints take, given the folder that holds all of it.
pub(crate) fn bytes(sprite: &Path) -> u64 {
    let all = Shelf::of(sprite).all().unwrap_or_default();
    all.iter().filter_map(|checkpoint| checkpoint.bytes).sum()
}

impl Shelf {
    /// Of a sprite, given the folder that holds all of it.
    pub(crate) fn of(sprite: &Path) -> Self {
        Self {
            folder: sprite.join("checkpoints"),
        }
    }

    /// All, newest first.
    pub(crate) fn all(&self) -> io::Result<Vec<Checkpoint>> {
        let entries = match fs::read_dir(&self.folder) {
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
            entries => entries?,
        };
        let mut found = Vec::new();
        for entry in entries {
            let name = entry?.file_name();
            if let Some(number) = name.to_str().and_then(number)
                && let Some(meta) = record::read::<Meta>(&self.folder.join(&name).join(META))?
            {
                found.push((number, meta));
            }
        }
        found.sort_by_key(|(number, _)| std::cmp::Reverse(*number));
        let told = found.into_iter().map(|(number, meta)| meta.told(number));
        Ok(told.collect())
    }

    /// Where the contents of one are.
    pub(crate) fn find(&self, id: &str) -> Result<PathBuf, SandboxError> {
        // Only a number can be part of the path.
        let number = number(id).filter(|number| id == format!("v{number}"));
        let folder = number.map(|number| self.folder.join(format!("v{number}")));
        folder
            .filter(|folder| folder.join(META).exists())
            .ok_or_else(|| SandboxError::NotFound {
                path: format!("checkpoint {id}"),
            })
    }

    /// Whether one more may be made by request.
    pub(crate) fn admit(&self) -> Result<(), SandboxError> {
        let all = self.all().map_err(|error| failed(&error))?;
        let count = all
            .iter()
            .filter(|checkpoint| !checkpoint.automatic)
            .count();
        if count < MAX_ASKED_FOR {
            return Ok(());
        }
        let text = format!("{count} checkpoints of {MAX_ASKED_FOR} are kept; delete one first");
        Err(exhausted(text))
    }

    /// A place for a new one. Its number is never given again, whatever becomes of it.
    pub(crate) fn draft(&self) -> io::Result<Draft> {
        self.tidy()?;
        let counter = self.folder.join("counter.json");
        let last: u64 = match record::read(&counter)? {
            Some(last) => last,
            None => self.highest()?,
        };
        let number = last + 1;
        record::write(&counter, &number)?;
        let folder = self.folder.join(format!(".tmp-{number}"));
        DirBuilder::new().mode(0o700).create(&folder)?;
        Ok(Draft { number, folder })
    }

    /// Makes a draft, whose contents are safe on disk, a checkpoint.
    pub(crate) fn keep(
        &self,
        draft: Draft,
        checkpoint: (Option<String>, bool, u64),
        now: Timestamp,
    ) -> io::Result<Checkpoint> {
        let (comment, automatic, bytes) = checkpoint;
        let meta = Meta {
            created_at: now,
            comment,
            automatic,
            bytes,
        };
        record::write(&draft.folder.join(META), &meta)?;
        let number = draft.number;
        fs::rename(draft.folder, self.folder.join(format!("v{number}")))?;
        File::open(&self.folder)?.sync_all()?;
        Ok(meta.told(number))
    }

    /// Removes the oldest of those that nobody asked for, except as many as are kept.
    pub(crate) fn make_room(&self) -> io::Result<()> {
        let automatic = self.all()?.into_iter().filter(|kept| kept.automatic);
        for old in automatic.skip(MAX_AUTOMATIC) {
            self.remove(&self.folder.join(old.id))?;
        }
        Ok(())
    }

    /// Removes one, of which [`Self::find`] says where it is.
    pub(crate) fn remove(&self, checkpoint: &Path) -> io::Result<()> {
        let name = checkpoint.file_name().unwrap_or_default();
        // What is half removed must not look like a checkpoint.
        let doomed = self.folder.join(format!(".tmp-{}", name.to_string_lossy()));
        fs::rename(checkpoint, &doomed)?;
        tree::remove(&doomed)
    }

    /// Makes the folder and removes what was left half done.
    fn tidy(&self) -> io::Result<()> {
        DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(&self.folder)?;
        for entry in fs::read_dir(&self.folder)? {
            let entry = entry?;
            if entry.file_name().to_string_lossy().starts_with(".tmp-") {
                tree::remove(&entry.path())?;
            }
        }
        Ok(())
    }

    fn highest(&self) -> io::Result<u64> {
        let mut highest = 0;
        for entry in fs::read_dir(&self.folder)? {
            let found = entry?.file_name().to_str().and_then(number);
            highest = highest.max(found.unwrap_or(0));
        }
        Ok(highest)
    }
}

impl Meta {
    fn told(&self, number: u64) -> Checkpoint {
        Checkpoint {
            id: format!("v{number}"),
            created_at: self.created_at,
            comment: self.comment.clone(),
            automatic: self.automatic,
            bytes: Some(self.bytes),
        }
    }
}

fn number(id: &str) -> Option<u64> {
    id.strip_prefix('v')?.parse().ok()
}

/// What a failure of the host's disk means to whoever asked.
pub(crate) fn failed(error: &io::Error) -> SandboxError {
    match error.kind() {
        ErrorKind::StorageFull | ErrorKind::QuotaExceeded => exhausted(error.to_string()),
        _ => SandboxError::Refused(format!("the checkpoints: {error}")),
    }
}
