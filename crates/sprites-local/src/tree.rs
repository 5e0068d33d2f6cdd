//! Walks through files that somebody hostile may change meanwhile: never follows a link, never
//! leaves the directory it was given, and needs no long paths. It decides nothing about what it meets.

use std::{
    ffi::{OsStr, OsString},
    fs::{self, DirEntry, File, Metadata, OpenOptions, Permissions},
    io::{self, ErrorKind},
    os::{
        fd::AsRawFd as _,
        unix::fs::{OpenOptionsExt as _, PermissionsExt as _, lchown},
    },
    path::{Path, PathBuf},
};

/// Directories inside each other; each one that is walked through is held open.
const MAX_DEPTH: usize = 128;
/// How often something may turn up in a directory that was just emptied.
const PATIENCE: u32 = 100;

/// Something in a directory.
pub(crate) struct Entry<'a> {
    directory: &'a File,
    name: &'a OsStr,
    /// Below where the walk began.
    pub(crate) path: &'a Path,
    /// Of a link, not of what it points to.
    pub(crate) metadata: &'a Metadata,
}

impl Entry<'_> {
    /// A short path to it that holds while its directory is open, wherever that is moved.
    pub(crate) fn place(&self) -> PathBuf {
        within(self.directory, self.name)
    }

    /// Opens a file for reading; never a link, and never waits for a pipe's other end.
    pub(crate) fn open(&self) -> io::Result<File> {
        open(self.directory, self.name, libc::O_NONBLOCK)
    }
}

/// Sees what a walk meets.
pub(crate) trait Visitor {
    /// An entry; a directory before what it holds.
    fn enter(&mut self, entry: &Entry<'_>) -> io::Result<()>;

    /// A directory after what it holds.
    fn leave(&mut self, _directory: &Entry<'_>) -> io::Result<()> {
        Ok(())
    }
}

/// Shows everything below `root`, in no order. What vanishes meanwhile is left out.
pub(crate) fn walk(root: &Path, visitor: &mut dyn Visitor) -> io::Result<()> {
    descend(&top(root)?, Path::new(""), MAX_DEPTH, visitor)
}

fn descend(
    directory: &File,
    path: &Path,
    depth: usize,
    visitor: &mut dyn Visitor,
) -> io::Result<()> {
    for found in fs::read_dir(place(directory))? {
        let Some((name, metadata)) = known(found)? else {
            continue;
        };
        let path = path.join(&name);
        let entry = Entry {
            directory,
            name: &name,
            path: &path,
            metadata: &metadata,
        };
        visitor.enter(&entry)?;
        if !metadata.is_dir() {
            continue;
        }
        let Some(depth) = depth.checked_sub(1) else {
            let text = format!("directories are nested deeper than {MAX_DEPTH} levels");
            return Err(io::Error::new(ErrorKind::InvalidInput, text));
        };
        match open(directory, &name, libc::O_DIRECTORY) {
            Ok(inner) => descend(&inner, &path, depth, visitor)?,
            Err(error) if gone(&error) => continue,
            Err(error) => return Err(error),
        }
        visitor.leave(&entry)?;
    }
    Ok(())
}

/// Gives everything below a directory, and at last it, to a user. When this is interrupted, the
/// directory shows that it is not done.
pub(crate) fn give(root: &Path, owner: u32) -> io::Result<()> {
    struct Give(u32);
    impl Visitor for Give {
        fn enter(&mut self, entry: &Entry<'_>) -> io::Result<()> {
            match lchown(entry.place(), Some(self.0), Some(self.0)) {
                Err(error) if !gone(&error) => Err(error),
                _ => Ok(()),
            }
        }
    }
    walk(root, &mut Give(owner))?;
    lchown(root, Some(owner), Some(owner))
}

/// Removes a directory with all in it, however deep that is and whatever its modes are. One that is
/// not there is fine.
pub(crate) fn remove(root: &Path) -> io::Result<()> {
    let top = match top(root) {
        Ok(top) => top,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(error),
    };
    top.set_permissions(Permissions::from_mode(0o700))?;
    let (mut moved, mut left) = (0, PATIENCE);
    while fs::read_dir(place(&top))?.next().is_some() {
        match clear(&top, &top, MAX_DEPTH, &mut moved) {
            // Somebody was still at it.
            Err(error) if error.kind() == ErrorKind::DirectoryNotEmpty && left > 0 => left -= 1,
            cleared => cleared?,
        }
    }
    fs::remove_dir(root)
}

fn top(root: &Path) -> io::Result<File> {
    let (Some(parent), Some(name)) = (root.parent(), root.file_name()) else {
        return Err(ErrorKind::InvalidInput.into());
    };
    let parent = OpenOptions::new()
        .read(true)
        .custom_flags(libc::O_PATH | libc::O_DIRECTORY)
        .open(parent)?;
    open(&parent, name, libc::O_DIRECTORY)
}

/// Empties a directory. What is too deep is moved up to `top`, to be emptied from there.
fn clear(directory: &File, top: &File, depth: usize, moved: &mut u64) -> io::Result<()> {
    for found in fs::read_dir(place(directory))? {
        let Some((name, metadata)) = known(found)? else {
            continue;
        };
        let path = within(directory, &name);
        let removed = if !metadata.is_dir() {
            fs::remove_file(&path)
        } else if let Some(depth) = depth.checked_sub(1) {
            let inner = open(directory, &name, libc::O_DIRECTORY)?;
            inner.set_permissions(Permissions::from_mode(0o700))?;
            clear(&inner, top, depth, moved)?;
            fs::remove_dir(&path)
        } else {
            *moved += 1;
            // A directory may only be moved by whoever may write to it.
            open(directory, &name, libc::O_DIRECTORY)?
                .set_permissions(Permissions::from_mode(0o700))?;
            fs::rename(&path, within(top, OsStr::new(&format!(".deep-{moved}"))))
        };
        if let Err(error) = removed
            && error.kind() != ErrorKind::NotFound
        {
            return Err(error);
        }
    }
    Ok(())
}

/// What the directory says of an entry; `None` when it vanished.
fn known(found: io::Result<DirEntry>) -> io::Result<Option<(OsString, Metadata)>> {
    let found = found?;
    match found.metadata() {
        Ok(metadata) => Ok(Some((found.file_name(), metadata))),
        Err(error) if gone(&error) => Ok(None),
        Err(error) => Err(error),
    }
}

/// Opens an entry for reading. Where its owner, who we are, has forbidden that to itself, it is
/// permitted for the moment of opening, on the very entry and not by its name.
fn open(directory: &File, name: &OsStr, flags: libc::c_int) -> io::Result<File> {
    let path = within(directory, name);
    let flags = flags | libc::O_NOFOLLOW;
    let reading = |path: &Path, flags| OpenOptions::new().read(true).custom_flags(flags).open(path);
    match reading(&path, flags) {
        Err(error) if error.kind() == ErrorKind::PermissionDenied => {
            let entry = reading(&path, libc::O_PATH | libc::O_NOFOLLOW)?;
            let metadata = entry.metadata()?;
            if !metadata.is_dir() && !metadata.is_file() {
                return Err(error);
            }
            let mode = metadata.permissions().mode();
            let entry = place(&entry);
            fs::set_permissions(&entry, Permissions::from_mode(mode | 0o700))?;
            let opened = reading(&entry, flags & !libc::O_NOFOLLOW);
            fs::set_permissions(&entry, Permissions::from_mode(mode))?;
            opened
        }
        opened => opened,
    }
}

/// Whether an entry vanished, or became something else, since it was seen.
pub(crate) fn gone(error: &io::Error) -> bool {
    let changed = [libc::ELOOP, libc::ENOTDIR, libc::ENXIO];
    error.kind() == ErrorKind::NotFound
        || error
            .raw_os_error()
            .is_some_and(|number| changed.contains(&number))
}

fn place(file: &File) -> PathBuf {
    PathBuf::from(format!("/proc/self/fd/{}", file.as_raw_fd()))
}

fn within(directory: &File, name: &OsStr) -> PathBuf {
    place(directory).join(name)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::{MetadataExt as _, symlink};

    struct Seen(Vec<PathBuf>);

    impl Visitor for Seen {
        fn enter(&mut self, entry: &Entry<'_>) -> io::Result<()> {
            self.0.push(entry.path.to_owned());
            Ok(())
        }
    }

    /// A directory so many levels deep, made as a shell would: a step at a time.
    fn nest(root: &Path, levels: usize) {
        let mut at = File::open(root).unwrap();
        for _ in 0..levels {
            fs::create_dir(within(&at, OsStr::new("d"))).unwrap();
            at = File::open(within(&at, OsStr::new("d"))).unwrap();
        }
        fs::write(within(&at, OsStr::new("f")), "x").unwrap();
    }

    #[test]
    fn links_are_seen_and_not_followed() {
        let root = tempfile::tempdir().unwrap();
        let outside = tempfile::tempdir().unwrap();
        fs::write(outside.path().join("kept"), "x").unwrap();
        fs::create_dir(root.path().join("d")).unwrap();
        symlink(outside.path(), root.path().join("d/out")).unwrap();
        let mut seen = Seen(Vec::new());
        walk(root.path(), &mut seen).unwrap();
        seen.0.sort();
        assert_eq!(seen.0, [PathBuf::from("d"), PathBuf::from("d/out")]);
        let linked = root.path().join("linked");
        symlink(outside.path(), &linked).unwrap();
        assert!(walk(&linked, &mut seen).is_err());
        assert!(remove(&linked).is_err());
        remove(&root.path().join("d")).unwrap();
        assert!(outside.path().join("kept").exists());
    }

    #[test]
    fn what_is_too_deep_to_walk_can_be_removed() {
        let root = tempfile::tempdir().unwrap();
        let top = root.path().join("top");
        fs::create_dir(&top).unwrap();
        nest(&top, 3000);
        let error = walk(&top, &mut Seen(Vec::new())).unwrap_err();
        assert!(error.to_string().contains("nested deeper"), "{error}");
        remove(&top).unwrap();
        assert!(!top.exists());
        remove(&top).unwrap();
    }

    #[test]
    fn forbidden_directories_are_walked_and_stay_forbidden() {
        let root = tempfile::tempdir().unwrap();
        let closed = root.path().join("closed");
        fs::create_dir(&closed).unwrap();
        fs::write(closed.join("f"), "x").unwrap();
        fs::set_permissions(&closed, Permissions::from_mode(0o0)).unwrap();
        let mut seen = Seen(Vec::new());
        walk(root.path(), &mut seen).unwrap();
        assert_eq!(seen.0.len(), 2);
        assert_eq!(fs::metadata(&closed).unwrap().mode() & 0o7777, 0);
        remove(&closed).unwrap();
    }
}
