//! Holds what runs in a sprite to its memory and its number of processes, by the best means this
//! host has: control groups, else limits of the sprite's user, else a watch that kills. Which it is,
//! is told and never guessed.

mod cgroup;
mod watch;

use crate::{home::Home, settings::Quotas};
use cgroup::Cgroups;
use domain::sprite::SandboxTier;
use ports::sandbox::SandboxError;
use std::{fs, path::Path, process::Command};

pub(crate) use cgroup::Group;
pub(crate) use watch::watch;

/// The sandbox's own processes and threads.
const OWN: u64 = 24;
const MOUNT: &str = "/sys/fs/cgroup";

/// What limits there are and how they are enforced.
#[derive(Debug)]
pub(crate) struct Limits {
    memory: u64,
    processes: u64,
    groups: Result<Cgroups, String>,
}

impl Limits {
    /// Looks at what this host offers. A server may only change groups that are its own.
    pub(crate) fn find(quotas: &Quotas, root: &Path) -> Self {
        let own = fs::read_to_string("/proc/self/cgroup").unwrap_or_default();
        Self {
            memory: quotas.memory_bytes,
            processes: quotas.processes.saturating_add(OWN),
            groups: Cgroups::find(Path::new(MOUNT), &own, root),
        }
    }

    /// Makes a sprite's group, where there are groups, and lets a command start in it.
    pub(crate) fn enclose(
        &self,
        home: &Home,
        command: &mut Command,
    ) -> Result<Option<Group>, SandboxError> {
        let Ok(groups) = &self.groups else {
            return Ok(None);
        };
        let name = home.folder.file_name().unwrap_or_default();
        let group = groups.make(&name.to_string_lossy(), self.memory, self.processes);
        group
            .and_then(|group| group.enter(command).map(|()| Some(group)))
            .map_err(|error| {
                SandboxError::Unavailable(format!("its control group cannot be made: {error}"))
            })
    }

    /// The most processes of the sprite's user, where that user is the sprite's alone.
    pub(crate) fn of_user(&self, tier: SandboxTier, home: &Home) -> Option<u64> {
        counted_alone(tier, home.owner.is_some()).then_some(self.processes)
    }

    /// What is not enforced here, and why, in words for a person.
    pub(crate) fn missing(&self, tier: SandboxTier, own_user: bool) -> Vec<String> {
        let mut missing = Vec::new();
        if let Some(reason) = self.memory_watched() {
            let files = match tier {
                SandboxTier::Namespaces => "; temporary files take up to 2 GiB more",
                SandboxTier::Landlock | SandboxTier::Plain => "",
            };
            missing.push(format!("memory is watched, not limited: {reason}{files}"));
        }
        if self.processes_watched(tier, own_user) {
            let reason = self.groups.as_ref().err();
            let reason = reason.map_or("", String::as_str);
            missing.push(format!("processes are counted, not limited: {reason}"));
        }
        missing.push("disk use is measured again and again, not limited by the kernel".into());
        missing
    }

    /// Why memory has to be watched, if so.
    fn memory_watched(&self) -> Option<&str> {
        match &self.groups {
            Ok(groups) => (!groups.limit_memory())
                .then_some("this host's control groups of version 2 have no memory controller"),
            Err(reason) => Some(reason),
        }
    }

    fn processes_watched(&self, tier: SandboxTier, own_user: bool) -> bool {
        self.groups.is_err() && !counted_alone(tier, own_user)
    }
}

/// Whether the kernel counts a sprite's processes apart from all others. It never limits root's, and
/// root is who a sprite in namespaces is without a user of its own.
fn counted_alone(tier: SandboxTier, own_user: bool) -> bool {
    let root = nix::unistd::geteuid().is_root();
    own_user || (tier == SandboxTier::Namespaces && !root)
}
