//! Looks at and changes what is in directories, where commands see it. As with reading and writing
//! the kernel's walls decide what a path can reach; only the home itself is guarded here.

use super::{
    files::{entry, failure, resolve, unused},
    growth::Growth,
    responder::Responder,
};
use crate::protocol::{Answer, Change, Failure, Reply};
use bytes::Bytes;
use std::{
    ffi::OsString,
    fs::{self, File, Metadata, OpenOptions, Permissions},
    io::{self, ErrorKind, Read as _},
    os::unix::fs::{MetadataExt as _, OpenOptionsExt as _, PermissionsExt as _, symlink},
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

const MODE: u32 = 0o7777;
/// Copied between two looks at whether to go on.
const PIECE: u64 = 16 << 20;
/// The server takes silence for an end.
const BEAT: Duration = Duration::from_secs(1);

/// What is at a path; a link is itself.
pub(super) fn stat(home: &Path, path: &str) -> Answer {
    let place = plain(home, path);
    let metadata = fs::symlink_metadata(&place).map_err(|error| failure(path, &error))?;
    let name = place.file_name().unwrap_or(place.as_os_str());
    Ok(Reply::Entry(entry(name, &metadata)))
}

/// Makes a change. Work that takes long says so all along and ends when nobody waits for it.
pub(super) fn change(home: &Path, change: &Change, growth: &Growth, to: &Responder) -> Answer {
    let mut work = Work {
        to,
        growth,
        heard: Instant::now(),
    };
    match change {
        Change::Remove { path, recursive } => remove(home, path, *recursive),
        Change::Rename { from, to } => rename(home, from, to),
        Change::Copy {
            from,
            to,
            recursive,
        } => work.copy(home, from, to, *recursive),
        Change::Chmod {
            path,
            mode,
            recursive,
        } => {
            if mode & !MODE != 0 {
                let text =
                    format!("{path}: {mode:o} is no mode; one has at most four octal digits");
                return Err(Failure::Refused(text));
            }
            work.chmod(&plain(home, path), *mode, *recursive)
                .map_err(|trouble| trouble.told(path))
        }
    }?;
    Ok(Reply::Done)
}

/// Resolved, without the slash at the end that would follow a link.
fn plain(home: &Path, path: &str) -> PathBuf {
    resolve(home, path).components().collect()
}

fn remove(home: &Path, path: &str, recursive: bool) -> Result<(), Failure> {
    let failed = |error: io::Error| failure(path, &error);
    let place = plain(home, path);
    let metadata = fs::symlink_metadata(&place).map_err(failed)?;
    if !metadata.is_dir() {
        return fs::remove_file(&place).map_err(failed);
    }
    keep_home(home, &place, path, "removed")?;
    if recursive {
        return crate::tree::remove(&real(&place)).map_err(failed);
    }
    fs::remove_dir(&place).map_err(failed)
}

fn rename(home: &Path, from: &str, to: &str) -> Result<(), Failure> {
    let (source, target) = (plain(home, from), plain(home, to));
    fs::symlink_metadata(&source).map_err(|error| failure(from, &error))?;
    keep_home(home, &source, from, "renamed")?;
    keep_home(home, &target, to, "replaced")?;
    make_parents(&target).map_err(|error| failure(to, &error))?;
    fs::rename(&source, &target).map_err(|error| match error.kind() {
        ErrorKind::CrossesDevices => {
            let text =
                format!("{from}: {to} is on another file system; copy it and remove it here");
            Failure::Refused(text)
        }
        ErrorKind::InvalidInput => Failure::Refused(format!("{from}: {to} is inside it")),
        _ => failure(to, &error),
    })
}

/// The home, and what it lies in, stay where they are.
fn keep_home(home: &Path, place: &Path, path: &str, what: &str) -> Result<(), Failure> {
    let linked = fs::symlink_metadata(place).is_ok_and(|found| found.is_symlink());
    if linked || !fs::canonicalize(home).is_ok_and(|home| home.starts_with(real(place))) {
        return Ok(());
    }
    let text = format!("{path}: the home directory cannot be {what}");
    Err(Failure::Refused(text))
}

/// Where a path leads that ends in no link; itself when that cannot be told.
fn real(place: &Path) -> PathBuf {
    fs::canonicalize(place).unwrap_or_else(|_absent| place.to_owned())
}

fn make_parents(target: &Path) -> io::Result<()> {
    target.parent().map_or(Ok(()), fs::create_dir_all)
}

/// Why work on many entries ended.
enum Trouble {
    System(io::Error),
    Told(Failure),
}

impl From<io::Error> for Trouble {
    fn from(error: io::Error) -> Self {
        Self::System(error)
    }
}

impl Trouble {
    fn told(self, path: &str) -> Failure {
        match self {
            Self::System(error) => failure(path, &error),
            Self::Told(failure) => failure,
        }
    }
}

fn refused(place: &Path, text: &str) -> Trouble {
    Trouble::Told(Failure::Refused(format!("{}: {text}", place.display())))
}

/// Work that may take long.
struct Work<'a> {
    to: &'a Responder,
    growth: &'a Growth,
    heard: Instant,
}

impl Work<'_> {
    fn go_on(&mut self) -> Result<(), Trouble> {
        if self.to.is_cancelled() {
            let text = "the request was cancelled on the way";
            return Err(Trouble::Told(Failure::Lost(text.into())));
        }
        if self.heard.elapsed() >= BEAT {
            self.to.data_blocking(Bytes::new());
            self.heard = Instant::now();
        }
        Ok(())
    }

    fn copy(&mut self, home: &Path, from: &str, to: &str, deep: bool) -> Result<(), Failure> {
        let (source, target) = (plain(home, from), plain(home, to));
        let metadata = fs::symlink_metadata(&source).map_err(|error| failure(from, &error))?;
        if metadata.is_dir() && !deep {
            let text = format!("{from}: it is a directory; copy it recursively");
            return Err(Failure::Refused(text));
        }
        make_parents(&target).map_err(|error| failure(to, &error))?;
        let parent = target.parent().map_or_else(PathBuf::new, real);
        let inside = target
            .file_name()
            .is_some_and(|name| parent.join(name).starts_with(real(&source)));
        if inside && !metadata.is_symlink() {
            let text = format!("{from}: {to} is the same or inside it");
            return Err(Failure::Refused(text));
        }
        self.copy_entry(&source, &target, &metadata)
            .map_err(|trouble| trouble.told(to))
    }

    fn copy_entry(&mut self, from: &Path, to: &Path, metadata: &Metadata) -> Result<(), Trouble> {
        self.go_on()?;
        let there = fs::symlink_metadata(to).ok();
        if there
            .as_ref()
            .is_some_and(|there| there.dev() == metadata.dev() && there.ino() == metadata.ino())
        {
            return Err(refused(to, "it is the same file"));
        }
        if there.is_some_and(|there| there.is_dir() != metadata.is_dir()) {
            return Err(refused(
                to,
                "a directory and a file cannot replace each other",
            ));
        }
        if metadata.is_dir() {
            return self.copy_directory(from, to, metadata);
        }
        let (parent, name) = (to.parent(), to.file_name());
        let (Some(parent), Some(name)) = (parent, name) else {
            return Err(refused(to, "no name for a file"));
        };
        let mut hidden = OsString::from(".");
        hidden.push(name.to_string_lossy().chars().take(40).collect::<String>());
        // A copy under another name first: nobody sees half of it.
        let (temporary, mut file) = unused(parent, &hidden)?;
        let made = if metadata.is_symlink() {
            drop(file);
            fs::remove_file(&temporary)
                .and_then(|()| symlink(fs::read_link(from)?, &temporary))
                .map_err(Trouble::from)
        } else {
            self.copy_bytes(from, &mut file)
        };
        let done = made.and_then(|()| Ok(fs::rename(&temporary, to)?));
        if done.is_err() {
            // The first failure is the one to tell.
            drop(fs::remove_file(&temporary));
        }
        done
    }

    fn copy_bytes(&mut self, from: &Path, to: &mut File) -> Result<(), Trouble> {
        let source = OpenOptions::new()
            .read(true)
            .custom_flags(libc::O_NONBLOCK | libc::O_NOFOLLOW)
            .open(from)?;
        let metadata = source.metadata()?;
        if !metadata.is_file() {
            return Err(refused(from, "not a regular file"));
        }
        while io::copy(&mut (&source).take(PIECE), to)? > 0 {
            self.go_on()?;
            if let Some(reason) = self.growth.stopped() {
                return Err(Trouble::Told(Failure::Exhausted(reason)));
            }
        }
        let mode = metadata.permissions().mode() & MODE;
        Ok(to.set_permissions(Permissions::from_mode(mode))?)
    }

    fn copy_directory(
        &mut self,
        from: &Path,
        to: &Path,
        metadata: &Metadata,
    ) -> Result<(), Trouble> {
        match fs::create_dir(to) {
            Err(error) if error.kind() == ErrorKind::AlreadyExists => {}
            made => made?,
        }
        for found in fs::read_dir(from)? {
            let found = found?;
            let Ok(metadata) = found.metadata() else {
                continue;
            };
            // Pipes and sockets belong to who made them.
            if metadata.is_dir() || metadata.is_file() || metadata.is_symlink() {
                self.copy_entry(&found.path(), &to.join(found.file_name()), &metadata)?;
            }
        }
        let mode = metadata.permissions().mode() & MODE;
        Ok(fs::set_permissions(to, Permissions::from_mode(mode))?)
    }

    fn chmod(&mut self, place: &Path, mode: u32, deep: bool) -> Result<(), Trouble> {
        self.go_on()?;
        let set = || fs::set_permissions(place, Permissions::from_mode(mode));
        if deep && fs::symlink_metadata(place)?.is_dir() {
            let entries = match fs::read_dir(place) {
                // It may be this very mode that lets us look inside.
                Err(error) if error.kind() == ErrorKind::PermissionDenied => {
                    set()?;
                    fs::read_dir(place)?
                }
                entries => entries?,
            };
            for entry in entries {
                let entry = entry?;
                if !entry.file_type()?.is_symlink() {
                    self.chmod(&entry.path(), mode, deep)?;
                }
            }
        }
        Ok(set()?)
    }
}
