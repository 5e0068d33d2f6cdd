//! The generated key on disk. It is readable by its owner from the first instant, complete or
//! absent, and never replaced: whoever comes second takes what the first one wrote.

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

/// The key in `path`, as text for [`crate::KeyRing::new`]; made when there is none. Blocks, so it
/// belongs to start-up.
pub fn load_or_create_key(path: &Path) -> Result<Secret, KeyFileError> {
    let failed = |action| {
        move |source| KeyFileError::Io {
            path: path.to_owned(),
            action,
            source,
        }
    };
    match File::open(path) {
        Ok(file) => read(path, file),
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            create(path).map_err(failed("created"))?;
            read(path, File::open(path).map_err(failed("read"))?)
        }
        Err(error) => Err(failed("read")(error)),
    }
}

fn read(path: &Path, mut file: File) -> Result<Secret, KeyFileError> {
    let failed = |source| KeyFileError::Io {
        path: path.to_owned(),
        action: "read",
        source,
    };
    let mode = file.metadata().map_err(failed)?.mode() & 0o777;
    if mode & 0o077 != 0 {
        return Err(KeyFileError::TooOpen {
            path: path.to_owned(),
            mode,
        });
    }
    let mut text = String::new();
    file.read_to_string(&mut text).map_err(failed)?;
    Ok(Secret::new(text))
}

/// Writes a fresh key beside `path` and links it into place, which fails when a key is there.
fn create(path: &Path) -> io::Result<()> {
    let draft = path.with_extension(format!("{}.new", hex::encode(random::bytes::<8>())));
    let written = write(&draft).and_then(|()| fs::hard_link(&draft, path));
    if draft.exists() {
        fs::remove_file(&draft)?;
    }
    match written {
        // Another process was faster; its key is the key.
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
        other => other,
    }?;
    // The directory entry must survive power loss, or values sealed with the key would not.
    let directory = match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    };
    File::open(directory)?.sync_all()
}

fn write(draft: &Path) -> io::Result<()> {
    let mut file = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(draft)?;
    let key = Zeroizing::new(random::bytes::<32>());
    let text = Zeroizing::new(hex::encode(*key));
    file.write_all(text.as_bytes())?;
    file.write_all(b"\n")?;
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
                .map(|_| scope.spawn(|| load_or_create_key(&path).expect("a key")))
                .collect();
            let joined = starts.into_iter().map(|s| s.join().expect("no panic"));
            joined.map(|key| key.expose().to_owned()).collect()
        });
        assert_eq!(keys.len(), 1);
        let mode = fs::metadata(&path).expect("the file").permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        let entries = fs::read_dir(directory.path()).expect("entries").count();
        assert_eq!(entries, 1, "drafts are removed");
        KeyRing::new(&load_or_create_key(&path).expect("a key")).expect("a well-formed key");
    }

    #[test]
    fn a_key_others_can_read_is_refused_with_the_way_out() {
        let directory = tempfile::tempdir().expect("a directory");
        let path = directory.path().join("encryption.key");
        load_or_create_key(&path).expect("a key");
        fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).expect("chmod");
        let shown = load_or_create_key(&path)
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
        let shown = load_or_create_key(&path)
            .err()
            .expect("refused")
            .to_string();
        assert!(
            shown.contains("absent/encryption.key cannot be created"),
            "{shown}"
        );
    }
}
