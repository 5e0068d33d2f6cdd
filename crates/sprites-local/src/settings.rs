//! What the server decides about its local sandboxes. Read by nobody but the host.

use crate::network::{SystemUpstream, Upstream};
use domain::sprite::SandboxTier;
use std::{ffi::OsString, path::PathBuf, sync::Arc, time::Duration};

/// How local sandboxes are kept.
#[derive(Clone, Debug)]
pub struct LocalSettings {
    /// Where the homes are; made when it is missing.
    pub root: PathBuf,
    /// The command that runs [`crate::supervisor::run`]; its first word is a path.
    pub supervisor: Vec<OsString>,
    /// Start fails below this tier.
    pub min_tier: SandboxTier,
    /// Use this tier and no other; for tests and for people who know their host.
    pub force_tier: Option<SandboxTier>,
    /// A sprite without shells is stopped after it was left alone for so long.
    pub idle: Duration,
    /// The most sprites awake at once; the one left alone longest makes room.
    pub max_awake: usize,
    /// The longest a supervisor may take to answer; one that takes longer is stuck and is ended. A
    /// command has its own time on top, closing a shell has less.
    pub answer: Duration,
    /// What sprites may take.
    pub quotas: Quotas,
    /// How sprites get to the world, as far as their network policy lets them.
    pub upstream: Arc<dyn Upstream>,
    /// The shortest time after which a service that ended is started again; it grows to thirty
    /// times as much while the service keeps ending.
    pub restart_delay: Duration,
}

impl LocalSettings {
    /// The usual settings: Landlock at least, 15 minutes idle, 64 awake, a minute to answer.
    pub fn new(root: impl Into<PathBuf>, supervisor: Vec<OsString>) -> Self {
        Self {
            root: root.into(),
            supervisor,
            min_tier: SandboxTier::Landlock,
            force_tier: None,
            idle: Duration::from_mins(15),
            max_awake: 64,
            answer: Duration::from_mins(1),
            quotas: Quotas::default(),
            upstream: Arc::new(SystemUpstream),
            restart_delay: Duration::from_secs(1),
        }
    }
}

/// What sprites may take. Which of it the kernel enforces on this host, and which is only watched,
/// is in the host's report.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Quotas {
    /// Bytes of disk for the files of one sprite.
    pub disk_bytes: u64,
    /// Bytes of disk for all sprites of a tenant with their checkpoints.
    pub tenant_disk_bytes: u64,
    /// The most sprites a tenant may have, asleep or awake.
    pub tenant_sprites: usize,
    /// Bytes of disk that are kept free on the host, whoever takes them.
    pub free_bytes: u64,
    /// Bytes of memory for all that runs in one sprite.
    pub memory_bytes: u64,
    /// Processes and threads in one sprite.
    pub processes: u64,
    /// The least time between two looks at what a sprite takes.
    pub pause: Duration,
}

impl Default for Quotas {
    /// 10 GiB of disk for a sprite, 100 GiB and 200 sprites for a tenant, 1 GiB kept free, 2 GiB of
    /// memory, 512 processes, two seconds between looks.
    fn default() -> Self {
        const GIB: u64 = 1 << 30;
        Self {
            disk_bytes: 10 * GIB,
            tenant_disk_bytes: 100 * GIB,
            tenant_sprites: 200,
            free_bytes: GIB,
            memory_bytes: 2 * GIB,
            processes: 512,
            pause: Duration::from_secs(2),
        }
    }
}

/// Why local sandboxes cannot be offered.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// No tier that is good enough works on this host.
    #[error(
        "no sandbox of tier `{wanted}` or better works on this host ({}). Install bubblewrap and allow unprivileged user namespaces, or use a kernel with Landlock ABI 6 (Linux 6.12); to run commands without any isolation, set SANDBOX_MIN_TIER=plain",
        .reasons.join("; ")
    )]
    TierMissing {
        /// The least that was asked for.
        wanted: SandboxTier,
        /// What each tier that was tried lacks.
        reasons: Vec<String>,
    },
    /// The directory of the sprites cannot be used.
    #[error("the sprite directory {} cannot be used", .path.display())]
    Root {
        /// The path concerned.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: std::io::Error,
    },
    /// The supervisor program is not there.
    #[error("the supervisor program {} cannot be used", .path.display())]
    Supervisor {
        /// The path concerned.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: std::io::Error,
    },
}
