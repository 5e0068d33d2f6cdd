//! Small JSON files beside a sprite's home: read, and written whole or not at all, so that neither
//! a crash nor a full disk leaves half of one. They are the server's; no sandbox sees them.

use serde::{Serialize, de::DeserializeOwned};
use std::{
    fs::{self, DirBuilder, File, OpenOptions},
    io::{self, ErrorKind, Write as _},
    os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _},
    path::Path,
};

/// What a file holds; `None` when there is none.
pub(crate) fn read<T: DeserializeOwned>(path: &Path) -> io::Result<Option<T>> {
    match fs::read(path) {
        Ok(json) => Ok(Some(serde_json::from_slice(&json)?)),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

/// Replaces a file; its directory is made when it is missing.
pub(crate) fn write(path: &Path, value: &impl Serialize) -> io::Result<()> {
    let folder = path.parent().ok_or(ErrorKind::InvalidInput)?;
    DirBuilder::new()
        .recursive(true)
        .mode(0o711)
        .create(folder)?;
    let beside = path.with_extension("new");
    let mut file = OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o600)
        .open(&beside)?;
    file.write_all(&serde_json::to_vec_pretty(value)?)?;
    file.sync_all()?;
    fs::rename(&beside, path)?;
    File::open(folder)?.sync_all()
}

#[cfg(test)]
mod tests {
    #[test]
    fn a_record_is_replaced_whole_and_nothing_is_left_beside_it() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("deep/record.json");
        assert_eq!(super::read::<Vec<u32>>(&path).unwrap(), None);
        for value in [vec![1, 2, 3], vec![]] {
            super::write(&path, &value).unwrap();
            assert_eq!(super::read::<Vec<u32>>(&path).unwrap(), Some(value));
        }
        let files = std::fs::read_dir(path.parent().unwrap()).unwrap();
        assert_eq!(files.count(), 1);
        std::fs::write(&path, "{").unwrap();
        assert!(super::read::<Vec<u32>>(&path).is_err());
    }
}
