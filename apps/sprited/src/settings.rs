//! What is decided outside: the settings of a server, and the directory that is its own. Nothing
//! here reads the environment.

use domain::secret::Secret;
use sprites_local::LocalSettings;
use std::{
    fs::{DirBuilder, File, TryLockError},
    io,
    net::{Ipv4Addr, SocketAddr},
    os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _},
    path::{Path, PathBuf},
    time::Duration,
};

/// How a server serves.
#[derive(Clone)]
pub struct Settings {
    /// Where it listens.
    pub address: SocketAddr,
    /// The tokens that open it.
    pub tokens: Vec<Secret>,
    /// How its sprites are kept.
    pub local: LocalSettings,
    /// The most sprites there may be.
    pub max_sprites: usize,
    /// The most sprites that may be made in a minute.
    pub creations_per_minute: usize,
    /// Names of this server besides `localhost` and addresses.
    pub hosts: Vec<String>,
    /// Origins of web pages that may call.
    pub origins: Vec<String>,
    /// How often an open connection says something when nothing happens; clients of the official
    /// SDK give up after 45 seconds of silence.
    pub keepalive: Duration,
}

impl Settings {
    /// The most sprites, when nobody said otherwise.
    pub const SPRITES: usize = 100;
    /// The most new sprites in a minute, when nobody said otherwise.
    pub const CREATIONS: usize = 60;

    /// The usual settings, on any free port of this machine alone.
    pub fn new(local: LocalSettings, tokens: Vec<Secret>) -> Self {
        Self {
            address: SocketAddr::new(Ipv4Addr::LOCALHOST.into(), 0),
            tokens,
            local,
            max_sprites: Self::SPRITES,
            creations_per_minute: Self::CREATIONS,
            hosts: Vec::new(),
            origins: Vec::new(),
            keepalive: Duration::from_secs(20),
        }
    }
}

/// Why a directory cannot be a server's.
#[derive(Debug, thiserror::Error)]
pub enum PlaceError {
    /// The system does not let us.
    #[error("{} cannot be used: {source}", .path.display())]
    Unusable {
        /// The directory.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// Somebody else is there.
    #[error("another sprited is running on {}; stop it, or give this one its own", .path.display())]
    Taken {
        /// The directory.
        path: PathBuf,
    },
}

/// The directory of a server, which no other process uses meanwhile.
pub struct Place {
    path: PathBuf,
    /// The system frees it however the process ends.
    _lock: File,
}

impl Place {
    /// Makes the directory when it is missing, and takes it.
    pub fn open(path: &Path) -> Result<Self, PlaceError> {
        let unusable = |source| PlaceError::Unusable {
            path: path.to_owned(),
            source,
        };
        // Sprites may run as users of their own, who have to get to their homes.
        let mut directory = DirBuilder::new();
        directory.recursive(true).mode(0o711);
        directory.create(path).map_err(unusable)?;
        let lock = File::options()
            .write(true)
            .create(true)
            .truncate(false)
            .mode(0o600)
            .open(path.join("sprited.lock"))
            .map_err(unusable)?;
        match lock.try_lock() {
            Ok(()) => Ok(Self {
                path: path.to_owned(),
                _lock: lock,
            }),
            Err(TryLockError::WouldBlock) => Err(PlaceError::Taken {
                path: path.to_owned(),
            }),
            Err(TryLockError::Error(error)) => Err(unusable(error)),
        }
    }

    /// Where the sprites are.
    pub fn sprites(&self) -> PathBuf {
        self.path.join("sprites")
    }

    /// Where a token is that was made here.
    pub fn token(&self) -> PathBuf {
        self.path.join("sprited-token")
    }

    /// Where the registry is.
    pub fn registry(&self) -> PathBuf {
        self.path.join("registry")
    }
}
