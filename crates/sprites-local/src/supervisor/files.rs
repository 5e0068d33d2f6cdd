//! Reading and writing files where commands see them. The kernel's walls around this process
//! decide what a path can reach; nothing here does.

use super::responder::{Body, Responder};
use crate::protocol::{Answer, CHUNK, Failure, Reply, WireEntry, WireKind};
use std::{
    ffi::{OsStr, OsString},
    fs::{self, File, OpenOptions},
    io::{self, Read as _, Write as _},
    os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _},
    path::{Path, PathBuf},
    time::UNIX_EPOCH,
};

/// Where a path points: relative ones, and those below `~`, start at home.
pub(super) fn resolve(home: &Path, path: &str) -> PathBuf {
    match path.strip_prefix("~/") {
        Some(rest) => home.join(rest),
        None if path == "~" => home.to_owned(),
        None => home.join(path),
    }
}

/// What the system says about a path, in words for the model.
pub(super) fn failure(path: &str, error: &io::Error) -> Failure {
    let text = match error.kind() {
        io::ErrorKind::NotFound => return Failure::NotFound(path.to_owned()),
        io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem => {
            "permission denied; only the home directory and the temporary directory can be changed, and not everything can be read"
        }
        io::ErrorKind::NotADirectory => "a part of the path is not a directory",
        io::ErrorKind::IsADirectory => "it is a directory",
        io::ErrorKind::DirectoryNotEmpty => "the directory is not empty",
        io::ErrorKind::AlreadyExists => "it exists already and is not a directory",
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => "the disk is full",
        _ => return Failure::Refused(format!("{path}: {error}")),
    };
    Failure::Refused(format!("{path}: {text}"))
}

/// Sends a file's bytes.
pub(super) fn read(home: &Path, path: &str, limit: u64, to: &Responder) -> Answer {
    let failed = |error: io::Error| failure(path, &error);
    // Opening a pipe would wait for its other end.
    let file = OpenOptions::new()
        .read(true)
        .custom_flags(libc::O_NONBLOCK)
        .open(resolve(home, path))
        .map_err(failed)?;
    let metadata = file.metadata().map_err(failed)?;
    if metadata.is_dir() {
        return Err(Failure::Refused(format!("{path}: it is a directory")));
    }
    if !metadata.is_file() {
        return Err(Failure::Refused(format!("{path}: not a regular file")));
    }
    let oversized = |size: u64| {
        let text = format!("{path}: the file has {size} bytes, more than the {limit} allowed here");
        Err(Failure::Refused(text))
    };
    if metadata.len() > limit {
        return oversized(metadata.len());
    }
    let mut sent = 0;
    loop {
        let mut piece = Vec::with_capacity(CHUNK);
        let wanted = u64::try_from(CHUNK).unwrap_or(u64::MAX);
        let read = (&file)
            .take(wanted)
            .read_to_end(&mut piece)
            .map_err(failed)?;
        if read == 0 || to.is_cancelled() {
            return Ok(Reply::Done);
        }
        sent += u64::try_from(read).unwrap_or(u64::MAX);
        // It may grow while we read, and files of the kernel do not know their length.
        if sent > limit {
            return oversized(sent);
        }
        to.data_blocking(piece.into());
    }
}

/// Writes a file by way of a temporary one beside it; the mode of a file that was there stays.
pub(super) fn write(home: &Path, path: &str, mut body: Body) -> Answer {
    let failed = |error: io::Error| failure(path, &error);
    let target = resolve(home, path);
    // A link stays a link; what it points to is written.
    let target = fs::canonicalize(&target).unwrap_or(target);
    let existing = fs::metadata(&target).ok();
    if existing.as_ref().is_some_and(fs::Metadata::is_dir) {
        return Err(Failure::Refused(format!("{path}: it is a directory")));
    }
    if existing.as_ref().is_some_and(|file| !file.is_file()) {
        return Err(Failure::Refused(format!("{path}: not a regular file")));
    }
    let (Some(parent), Some(name)) = (target.parent(), target.file_name()) else {
        return Err(Failure::Refused(format!("{path}: no name for a file")));
    };
    fs::create_dir_all(parent).map_err(failed)?;
    let mut hidden = OsString::from(".");
    hidden.push(name.to_string_lossy().chars().take(40).collect::<String>());
    let (temporary, mut file) = unused(parent, &hidden).map_err(failed)?;
    let written = (|| {
        while let Some(piece) = body.next_blocking()? {
            file.write_all(&piece).map_err(failed)?;
        }
        if let Some(existing) = existing {
            let mode = existing.permissions().mode() & 0o7777;
            file.set_permissions(fs::Permissions::from_mode(mode))
                .map_err(failed)?;
        }
        fs::rename(&temporary, &target).map_err(failed)
    })();
    if written.is_err() {
        // The first failure is the one to tell.
        drop(fs::remove_file(&temporary));
    }
    written.map(|()| Reply::Done)
}

pub(super) fn unused(parent: &Path, hidden: &OsString) -> io::Result<(PathBuf, File)> {
    let mut number = 0_u32;
    loop {
        let mut name = hidden.clone();
        name.push(format!(".{number}.tmp"));
        let path = parent.join(name);
        match OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o644)
            .open(&path)
        {
            Ok(file) => return Ok((path, file)),
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists && number < 1000 => {
                number += 1;
            }
            Err(error) => return Err(error),
        }
    }
}

/// Sends what a directory holds, sorted by name.
pub(super) fn list(home: &Path, path: &str, to: &Responder) -> Answer {
    let failed = |error: io::Error| failure(path, &error);
    let mut entries = Vec::new();
    for entry in fs::read_dir(resolve(home, path)).map_err(failed)? {
        let entry = entry.map_err(failed)?;
        // An entry that went away since is none.
        let Ok(metadata) = entry.metadata() else {
            continue;
        };
        entries.push(self::entry(&entry.file_name(), &metadata));
    }
    entries.sort_by(|a, b| a.name.cmp(&b.name));
    to.json_blocking(&entries)?;
    Ok(Reply::List { truncated: false })
}

/// What is told of one entry.
pub(super) fn entry(name: &OsStr, metadata: &fs::Metadata) -> WireEntry {
    let kind = metadata.file_type();
    WireEntry {
        name: name.to_string_lossy().into_owned(),
        bytes: if kind.is_file() { metadata.len() } else { 0 },
        mode: metadata.permissions().mode() & 0o7777,
        modified_at: metadata.modified().unwrap_or(UNIX_EPOCH),
        kind: if kind.is_file() {
            WireKind::File
        } else if kind.is_dir() {
            WireKind::Directory
        } else if kind.is_symlink() {
            WireKind::Symlink
        } else {
            WireKind::Other
        },
    }
}

/// Makes a directory and its parents.
pub(super) fn make_directory(home: &Path, path: &str) -> Answer {
    fs::create_dir_all(resolve(home, path)).map_err(|error| failure(path, &error))?;
    Ok(Reply::Done)
}
