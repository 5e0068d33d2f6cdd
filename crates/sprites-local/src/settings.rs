//! What the server decides about its local sandboxes. Read by nobody but the host.

use domain::sprite::SandboxTier;
use std::{ffi::OsString, path::PathBuf, time::Duration};

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
