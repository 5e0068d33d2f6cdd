//! Exchanges a sprite's home for another at once, so that whatever happens on the way there is
//! either the one or the other. A journal says that an exchange was begun; whoever finds it finishes.

use crate::tree;
use std::{
    fs::{self, File},
    io::{self, ErrorKind},
    path::{Path, PathBuf},
};

const JOURNAL: &str = "restore.journal";

/// Where the next home is put together, inside the folder that holds all of a sprite.
pub(crate) fn staging(sprite: &Path) -> PathBuf {
    sprite.join("home.restore")
}

/// Makes what is staged, and safe on disk, the home.
pub(crate) fn exchange(sprite: &Path) -> io::Result<()> {
    tree::remove(&before(sprite))?;
    File::create(sprite.join(JOURNAL))?.sync_all()?;
    sync(sprite)?;
    repair(sprite)
}

/// Finishes an exchange that was begun, and removes what was left over. Nothing may run in the home.
pub(crate) fn repair(sprite: &Path) -> io::Result<()> {
    let (home, next) = (sprite.join("home"), staging(sprite));
    let (before, journal) = (before(sprite), sprite.join(JOURNAL));
    if exists(&journal)? {
        if exists(&next)? {
            if exists(&home)? {
                fs::rename(&home, &before)?;
            }
            fs::rename(&next, &home)?;
        }
        sync(sprite)?;
        fs::remove_file(&journal)?;
        sync(sprite)?;
    }
    tree::remove(&next)?;
    tree::remove(&before)
}

fn before(sprite: &Path) -> PathBuf {
    sprite.join("home.before")
}

fn exists(path: &Path) -> io::Result<bool> {
    match fs::symlink_metadata(path) {
        Ok(_) => Ok(true),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(false),
        Err(error) => Err(error),
    }
}

fn sync(directory: &Path) -> io::Result<()> {
    File::open(directory)?.sync_all()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn directory(path: &Path, content: &str) {
        fs::create_dir(path).unwrap();
        fs::write(path.join("file"), content).unwrap();
    }

    /// A sprite's folder as it is after a crash, and what its home holds once it is repaired.
    fn repaired([home, next, before, journal]: [bool; 4]) -> Option<String> {
        let sprite = tempfile::tempdir().unwrap();
        let sprite = sprite.path();
        // Once the exchange was made, the home is the new one.
        let new = if next { "old" } else { "new" };
        for (there, path, content) in [
            (home, sprite.join("home"), new),
            (next, staging(sprite), "new"),
            (before, super::before(sprite), "old"),
        ] {
            if there {
                directory(&path, content);
            }
        }
        if journal {
            fs::write(sprite.join(JOURNAL), "").unwrap();
        }
        repair(sprite).unwrap();
        let left = fs::read_dir(sprite).unwrap().count();
        assert!(left <= 1, "{left}");
        repair(sprite).unwrap();
        fs::read_to_string(sprite.join("home/file")).ok()
    }

    #[test]
    fn a_crash_at_any_step_leaves_one_home_or_the_other() {
        let new = Some("new".to_owned());
        // While the next home is put together nothing is decided.
        assert_eq!(repaired([true, true, false, false]), Some("old".into()));
        // Then it is: before the first rename, between the two, after both, without the journal.
        assert_eq!(repaired([true, true, false, true]), new);
        assert_eq!(repaired([false, true, true, true]), new);
        assert_eq!(repaired([true, false, true, true]), new);
        assert_eq!(repaired([true, false, true, false]), new);
        assert_eq!(repaired([true, false, false, false]), new);
        assert_eq!(repaired([false, false, false, false]), None);
    }
}
