//! Exchanging the generated key for a new one. In between the file holds both, so that a process that
//! is killed at any instant finds the keys for everything that is sealed; nothing here seals or opens.

use crate::key_file::{self, KeyFileError, failed, sync_directory};
use domain::secret::Secret;
use std::{
    fs::{self, File, TryLockError},
    io,
    os::unix::fs::OpenOptionsExt as _,
    path::{Path, PathBuf},
};

/// A rotation under way. No second one can begin while it lives.
pub struct Rotation {
    path: PathBuf,
    keys: Vec<Secret>,
    _lock: File,
}

impl Rotation {
    /// Puts a new key before the one in the file; one that was put there by a rotation that did not end
    /// is taken up instead.
    pub fn begin(path: &Path) -> Result<Self, KeyFileError> {
        let lock = lock(path)?;
        let mut keys = key_file::read(path)?;
        if keys.len() < 2 {
            keys.insert(0, key_file::fresh());
            replace(path, &keys).map_err(failed(path, "replaced"))?;
        }
        Ok(Self {
            path: path.to_owned(),
            keys,
            _lock: lock,
        })
    }

    /// The keys as they are in the file: the new one, and what opens until everything is sealed anew.
    pub fn keys(&self) -> &[Secret] {
        &self.keys
    }

    /// Leaves only the new key in the file. Call it when nothing is sealed with another one any more.
    pub fn finish(self) -> Result<(), KeyFileError> {
        let current = self.keys.get(..1).unwrap_or_default();
        replace(&self.path, current).map_err(failed(&self.path, "replaced"))
    }
}

/// The lock lies beside the file, because the file itself is replaced.
fn lock(path: &Path) -> Result<File, KeyFileError> {
    let mut name = path.as_os_str().to_owned();
    name.push(".lock");
    let mut options = File::options();
    options.write(true).create(true).truncate(false).mode(0o600);
    let failed = failed(path, "locked");
    let file = options.open(name).map_err(&failed)?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(KeyFileError::Busy {
            path: path.to_owned(),
        }),
        Err(TryLockError::Error(error)) => Err(failed(error)),
    }
}

/// The file has the keys of before or those of after, also when the power fails half-way.
fn replace(path: &Path, keys: &[Secret]) -> io::Result<()> {
    let draft = path.with_extension("key.new");
    match fs::remove_file(&draft) {
        // Left behind by a rotation that was killed before anything was sealed with what is in it.
        Ok(()) => {}
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        Err(error) => return Err(error),
    }
    key_file::write(&draft, keys)?;
    fs::rename(&draft, path)?;
    sync_directory(path)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{KeyRing, load_or_create_keys};
    use std::os::unix::fs::PermissionsExt as _;

    fn texts(path: &Path) -> Vec<String> {
        let keys = load_or_create_keys(path).expect("keys");
        keys.iter().map(|key| key.expose().to_owned()).collect()
    }

    #[test]
    fn the_file_holds_both_keys_until_the_end() {
        let directory = tempfile::tempdir().expect("a directory");
        let path = directory.path().join("encryption.key");
        let before = texts(&path);
        let rotation = Rotation::begin(&path).expect("a rotation");
        let during = texts(&path);
        assert_eq!(during[1..], before);
        assert_ne!(during[0], before[0]);
        let ring = KeyRing::of(rotation.keys()).expect("a ring");
        rotation.finish().expect("an end");
        assert_eq!(texts(&path), during[..1]);
        let after = KeyRing::of(&load_or_create_keys(&path).expect("keys")).expect("a ring");
        assert_eq!(after.current_id(), ring.current_id());
        let mode = fs::metadata(&path).expect("the file").permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }

    #[test]
    fn a_rotation_that_was_cut_short_is_taken_up() {
        let directory = tempfile::tempdir().expect("a directory");
        let path = directory.path().join("encryption.key");
        let before = texts(&path);
        // Killed after the draft was written: nothing has happened yet.
        let draft = directory.path().join("encryption.key.new");
        fs::write(&draft, "torn").expect("a draft");
        assert_eq!(texts(&path), before);
        drop(Rotation::begin(&path).expect("a rotation"));
        let during = texts(&path);
        assert!(!draft.exists());
        // Killed before the end: the same key goes on.
        let again = Rotation::begin(&path).expect("a rotation");
        assert_eq!(texts(&path), during);
        again.finish().expect("an end");
        assert_eq!(texts(&path), during[..1]);
    }

    #[test]
    fn two_rotations_do_not_run_side_by_side() {
        let directory = tempfile::tempdir().expect("a directory");
        let path = directory.path().join("encryption.key");
        load_or_create_keys(&path).expect("keys");
        let _first = Rotation::begin(&path).expect("a rotation");
        let second = Rotation::begin(&path).err().expect("refused").to_string();
        assert!(second.contains("another rotation"), "{second}");
    }
}
