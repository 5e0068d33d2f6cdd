//! The generated key on disk: one line, and during a rotation one more for each key that still opens.
//! The file is readable by its owner from the first instant, and complete or absent. Only a rotation
//! replaces it; of several first starts the second takes what the first one wrote.

use crate::random;
use domain::secret::Secret;
use std::{
    fs::{self, File, OpenOptions},
    io::{self, Read as _, Write as _},
    os::unix::fs::{MetadataExt as _, OpenOptionsExt as _},
    path::{Path, PathBuf},
};
use zeroize::Zeroizing;

/// Why there is no key.
#[derive(Debug, thiserror::Error)]
pub enum KeyFileError {
    /// Somebody else could read it.
    #[error(
        "{} is readable by others (mode {mode:03o}); close it with `chmod 600 {}`, or give the key in ENCRYPTION_KEY",
        .path.display(),
        .path.display()
    )]
    TooOpen {
        /// The file.
        path: PathBuf,
        /// Its permission bits.
        mode: u32,
    },
    /// Somebody else is at it.
    #[error("another rotation is at work on the key file {}; let it end, then try again", .path.display())]
    Busy {
        /// The file.
        path: PathBuf,
    },
    /// The file system said no.
    #[error(
        "the key file {} cannot be {action}; make its directory writable, or give the key in ENCRYPTION_KEY",
        .path.display()
    )]
    Io {
        /// The file.
        path: PathBuf,
        /// What was tried.
        action: &'static str,
        /// What the system said.
        #[source]
        source: io::Error,
    },
}

/// The keys in `path`, as texts for [`crate::KeyRing::of`]: the first one seals. One is made when there is
/// no file. Blocks, so it belongs to start-up.
pub fn load_or_create_keys(path: &Path) -> Result<Vec<Secret>, KeyFileError> {
    if let Err(error) = fs::symlink_metadata(path)
        && error.kind() == io::ErrorKind::NotFound
    {
        create(path).map_err(failed(path, "created"))?;
    }
    read(path)
}

/// The keys of a file that is there.
pub(crate) fn read(path: &Path) -> Result<Vec<Secret>, KeyFileError> {
    let failed = failed(path, "read");
    let mut file = File::open(path).map_err(&failed)?;
    let mode = file.metadata().map_err(&failed)?.mode() & 0o777;
    if mode & 0o077 != 0 {
        return Err(KeyFileError::TooOpen {
            path: path.to_owned(),
            mode,
        });
    }
    let mut text = Zeroizing::new(String::new());
    file.read_to_string(&mut text).map_err(&failed)?;
    let lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
    Ok(lines.map(Secret::new).collect())
}

/// Says what was tried with the file when the system said no.
pub(crate) fn failed(path: &Path, action: &'static str) -> impl Fn(io::Error) -> KeyFileError {
    move |source| KeyFileError::Io {
        path: path.to_owned(),
        action,
        source,
    }
}

/// A fresh key.
pub(crate) fn fresh() -> Secret {
    let key = Zeroizing::new(random::bytes::<32>());
    Secret::new(hex::encode(*key))
}

/// Writes a fresh key beside `path` and links it into place, which fails when a key is there.
fn create(path: &Path) -> io::Result<()> {
    let draft = path.with_extension(format!("{}.new", hex::encode(random::bytes::<8>())));
    let written = write(&draft, &[fresh()]).and_then(|()| fs::hard_link(&draft, path));
    if draft.exists() {
        fs::remove_file(&draft)?;
    }
    match written {
        // Another process was faster; its key is the key.
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
        other => other,
    }?;
    sync_directory(path)
}

/// Makes the name of a file survive power loss as its content does: values sealed with a key that is gone
/// would be lost.
pub(crate) fn sync_directory(path: &Path) -> io::Result<()> {
    let directory = match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    };
    File::open(directory)?.sync_all()
}

/// Writes keys to a file that was not there, and to the disk.
pub(crate) fn write(draft: &Path, keys: &[Secret]) -> io::Result<()> {
    let mut file = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(draft)?;
    for key in keys {
        file.write_all(key.expose().as_bytes())?;
        file.write_all(b"\n")?;
    }
    file.sync_all()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::KeyRing;
    use std::{collections::BTreeSet, os::unix::fs::PermissionsExt as _, thread};

    #[test]
    fn concurrent_first_starts_agree_on_one_private_key() {
        let directory = tempfile::tempdir().expect("a directory");
        let path = directory.path().join("encryption.key");
        let keys: BTreeSet<String> = thread::scope(|scope| {
            let starts: Vec<_> = (0..8)
                .map(|_| scope.spawn(|| load_or_create_keys(&path).expect("a key")))
                .collect();
            let joined = starts.into_iter().map(|s| s.join().expect("no panic"));
            joined.map(|keys| keys[0].expose().to_owned()).collect()
        });
        assert_eq!(keys.len(), 1);
        let mode = fs::metadata(&path).expect("the file").permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        let entries = fs::read_dir(directory.path()).expect("entries").count();
        assert_eq!(entries, 1, "drafts are removed");
        KeyRing::of(&load_or_create_keys(&path).expect("a key")).expect("a well-formed key");
    }

    #[test]
    fn a_key_others_can_read_is_refused_with_the_way_out() {
        let directory = tempfile::tempdir().expect("a directory");
        let path = directory.path().join("encryption.key");
        load_or_create_keys(&path).expect("a key");
        fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).expect("chmod");
        let shown = load_or_create_keys(&path)
            .err()
            .expect("refused")
            .to_string();
        assert!(shown.contains("mode 644"), "{shown}");
        assert!(shown.contains("chmod 600"), "{shown}");
    }

    #[test]
    fn a_missing_directory_names_the_file() {
        let directory = tempfile::tempdir().expect("a directory");
        let path = directory.path().join("absent").join("encryption.key");
        let shown = load_or_create_keys(&path)
            .err()
            .expect("refused")
            .to_string();
        assert!(
            shown.contains("absent/encryption.key cannot be created"),
            "{shown}"
        );
    }
}
