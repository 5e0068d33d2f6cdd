//! Where a sprite's files are on the host, and whose they are. Homes outlive everything: nothing
//! here removes one that is in use.

use crate::{checkpoints::swap, tree};
use domain::sprite::SpriteKey;
use std::{
    fs::{self, DirBuilder, Permissions},
    io,
    os::unix::fs::{DirBuilderExt as _, MetadataExt as _, PermissionsExt as _},
    path::{Path, PathBuf},
};

/// When the server is root, sprites run as users of their own, from this range.
const FIRST_USER: u32 = 20_000;
const USERS: u32 = 40_000;

/// The directories of one sprite.
#[derive(Clone, Debug)]
pub(crate) struct Home {
    /// Holds everything that is kept of the sprite; the sandbox sees only the two below.
    pub(crate) folder: PathBuf,
    pub(crate) files: PathBuf,
    /// Temporary files, where the sandbox has no `/tmp` of its own; emptied at each start.
    pub(crate) tmp: PathBuf,
    /// The user they belong to, when it is not the server's.
    pub(crate) owner: Option<u32>,
}

impl Home {
    /// The directories of a sprite below `root`; they may not exist yet.
    pub(crate) fn of(root: &Path, sprite: SpriteKey, own_user: bool) -> Self {
        let folder = root
            .join(sprite.tenant_id.to_string())
            .join(sprite.agent_id.to_string());
        let number = sprite.agent_id.as_uuid().as_u128() % u128::from(USERS);
        let owner = FIRST_USER + u32::try_from(number).unwrap_or_default();
        Self::at(&folder, own_user.then_some(owner))
    }

    /// A home in a folder of its own.
    pub(crate) fn at(folder: &Path, owner: Option<u32>) -> Self {
        Self {
            folder: folder.to_owned(),
            files: folder.join("home"),
            tmp: folder.join("tmp"),
            owner,
        }
    }

    /// Makes what is missing, empties the temporary files and gives all to its owner.
    pub(crate) fn prepare(&self) -> io::Result<()> {
        // Without a user of its own its files are the server's, and a program among them that lends
        // its owner's rights would lend those to any user of the host who gets there.
        let mode = if self.owner.is_some() { 0o711 } else { 0o700 };
        for directory in self.folder.parent().into_iter().chain([&*self.folder]) {
            make_passable(directory)?;
            // What is kept about a sprite may have made it before, for the server alone.
            fs::set_permissions(directory, Permissions::from_mode(mode))?;
        }
        swap::repair(&self.folder)?;
        tree::remove(&self.tmp)?;
        for directory in [&self.files, &self.tmp] {
            DirBuilder::new()
                .recursive(true)
                .mode(0o700)
                .create(directory)?;
        }
        let owner = self
            .owner
            .unwrap_or_else(|| nix::unistd::geteuid().as_raw());
        for directory in [&self.files, &self.tmp] {
            if fs::symlink_metadata(directory)?.uid() != owner {
                tree::give(directory, owner)?;
            }
        }
        Ok(())
    }
}

/// Makes the root of all homes, and the accounts that sandboxes show. Everyone may pass through
/// the root, nobody may list it.
pub(crate) fn prepare_root(root: &Path) -> io::Result<PathBuf> {
    if let Some(above) = root.parent() {
        fs::create_dir_all(above)?;
    }
    make_passable(root)?;
    let root = fs::canonicalize(root)?;
    let accounts = accounts(&root);
    make_passable(&accounts)?;
    for (name, text) in [
        (
            "passwd",
            "root:x:0:0:root:/root:/usr/sbin/nologin\nsprite:x:1000:1000:sprite:/home/sprite:/bin/bash\nnobody:x:65534:65534:nobody:/nonexistent:/usr/sbin/nologin\n",
        ),
        ("group", "root:x:0:\nsprite:x:1000:\nnogroup:x:65534:\n"),
    ] {
        let path = accounts.join(name);
        if !fs::read(&path).is_ok_and(|present| present == text.as_bytes()) {
            fs::write(&path, text)?;
            fs::set_permissions(&path, Permissions::from_mode(0o644))?;
        }
    }
    Ok(root)
}

/// Where the accounts that sandboxes show are.
pub(crate) fn accounts(root: &Path) -> PathBuf {
    root.join(".accounts")
}

/// Whether a user without rights of its own can get to a path.
pub(crate) fn reachable_by_anyone(path: &Path) -> bool {
    path.ancestors().skip(1).all(|ancestor| {
        fs::metadata(ancestor).is_ok_and(|metadata| metadata.permissions().mode() & 0o001 != 0)
    })
}

/// Makes a directory that everyone may pass through and nobody may list, whatever this process
/// keeps from others otherwise.
pub(crate) fn make_passable(path: &Path) -> io::Result<()> {
    match DirBuilder::new().mode(0o711).create(path) {
        Ok(()) => fs::set_permissions(path, Permissions::from_mode(0o711)),
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
        Err(error) => Err(error),
    }
}
