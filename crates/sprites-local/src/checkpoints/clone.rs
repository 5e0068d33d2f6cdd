//! Keeps a home as a copy that shares its blocks, on file systems that can do that: nothing is read
//! and nothing written but names. Whether this one can is tried, not guessed.

use super::{no_room, work::Work};
use crate::tree::{self, Entry, Visitor, gone};
use nix::errno::Errno;
use std::{
    collections::HashMap,
    fs::{self, DirBuilder, File, FileTimes, Permissions},
    io,
    os::{
        fd::AsRawFd as _,
        unix::fs::{
            DirBuilderExt as _, MetadataExt as _, OpenOptionsExt as _, PermissionsExt as _, symlink,
        },
    },
    path::{Path, PathBuf},
};

/// Without those that lend the owner's rights: what is kept belongs to the server.
const MODE: u32 = 0o1777;

/// Whether files in a directory can be cloned.
pub(super) fn works(directory: &Path) -> io::Result<bool> {
    let [from, to] = ["clone.from", "clone.to"].map(|name| directory.join(name));
    fs::write(&from, "x")?;
    let cloned = clone_file(&File::open(&from)?, &File::create(&to)?);
    fs::remove_file(&from)?;
    fs::remove_file(&to)?;
    Ok(cloned.is_ok())
}

/// Clones a directory with all in it, when its files take at most so many bytes, to one that is made;
/// how many they take. They are counted as if nothing was shared: the next change ends that.
pub(super) fn copy(from: &Path, to: &Path, room: u64, work: &Work) -> io::Result<u64> {
    DirBuilder::new().mode(0o700).create(to)?;
    let mut copier = Copier {
        to,
        named: HashMap::new(),
        bytes: 0,
        room,
        work,
    };
    tree::walk(from, &mut copier)?;
    // All of it, names and blocks, in one call instead of one for each.
    nix::unistd::syncfs(&File::open(to)?)?;
    Ok(copier.bytes)
}

struct Copier<'a> {
    to: &'a Path,
    /// The first copy of each file that has several names.
    named: HashMap<(u64, u64), PathBuf>,
    bytes: u64,
    room: u64,
    work: &'a Work,
}

impl Visitor for Copier<'_> {
    fn enter(&mut self, entry: &Entry<'_>) -> io::Result<()> {
        match self.copy(entry) {
            Err(error) if gone(&error) => Ok(()),
            Err(error) => {
                let text = format!("{}: {error}", entry.path.display());
                Err(io::Error::new(error.kind(), text))
            }
            Ok(()) => Ok(()),
        }
    }

    fn leave(&mut self, directory: &Entry<'_>) -> io::Result<()> {
        let copy = File::open(self.to.join(directory.path))?;
        dress(&copy, directory.metadata)
    }
}

impl Copier<'_> {
    fn copy(&mut self, entry: &Entry<'_>) -> io::Result<()> {
        let to = self.to.join(entry.path);
        let metadata = entry.metadata;
        if metadata.is_dir() {
            self.work.count(0)?;
            return DirBuilder::new().mode(0o700).create(to);
        }
        if metadata.is_symlink() {
            self.work.count(0)?;
            return symlink(fs::read_link(entry.place())?, to);
        }
        if !metadata.is_file() {
            return Ok(());
        }
        let file = entry.open()?;
        let metadata = file.metadata()?;
        if !metadata.is_file() {
            return Ok(());
        }
        if metadata.nlink() > 1 {
            let number = (metadata.dev(), metadata.ino());
            if let Some(first) = self.named.get(&number) {
                return fs::hard_link(first, to);
            }
            self.named.insert(number, to.clone());
        }
        self.work.count(metadata.len())?;
        self.bytes += metadata.blocks() * 512;
        if self.bytes > self.room {
            return Err(no_room());
        }
        let copy = File::options()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(to)?;
        clone_file(&file, &copy)?;
        dress(&copy, &metadata)
    }
}

/// Gives a copy the mode and the time of what it is a copy of.
fn dress(copy: &File, metadata: &fs::Metadata) -> io::Result<()> {
    copy.set_permissions(Permissions::from_mode(metadata.mode() & MODE))?;
    copy.set_times(FileTimes::new().set_modified(metadata.modified()?))
}

#[expect(unsafe_code, reason = "no wrapper for FICLONE")]
fn clone_file(from: &File, to: &File) -> io::Result<()> {
    // SAFETY: both are open descriptors, and the request takes plain integers.
    let done = unsafe { libc::ioctl(to.as_raw_fd(), libc::FICLONE, from.as_raw_fd()) };
    Ok(Errno::result(done).map(drop)?)
}
