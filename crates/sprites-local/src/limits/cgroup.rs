//! Control groups, one for each sprite that is awake, below the group the server itself is in. It
//! only makes, fills and removes groups of its own, and moves no process but this one.

use std::{
    fs::{self, OpenOptions},
    io::{self, ErrorKind, Write as _},
    os::unix::{fs::MetadataExt as _, process::CommandExt as _},
    path::{Path, PathBuf},
    process::{self, Command},
};

const PREFIX: &str = "nitejar-";
const PROCESSES: &str = "cgroup.procs";
const ENABLED: &str = "cgroup.subtree_control";

/// Where groups can be made.
#[derive(Debug)]
pub(super) struct Cgroups {
    /// The server's own group.
    folder: PathBuf,
    /// What the names of this host's groups begin with.
    prefix: String,
    /// Version 2, with memory and processes; else version 1, with processes alone.
    unified: bool,
}

impl Cgroups {
    /// The best there is below `mount`; `own` is what the kernel says of this process, `root` tells
    /// hosts in one process apart. The error says what is missing.
    pub(super) fn find(mount: &Path, own: &str, root: &Path) -> Result<Self, String> {
        let number = fs::metadata(root).map_or(0, |root| root.ino());
        let prefix = format!("{PREFIX}{}-{number}-", process::id());
        let at = |controller: &str| {
            own.lines().find_map(|line| {
                let mut fields = line.splitn(3, ':').skip(1);
                let found = fields.next()?.split(',').any(|name| name == controller);
                found.then(|| fields.next().unwrap_or("/").trim_start_matches('/'))
            })
        };
        let second = at("").map(|path| mount.join(path));
        let second = second.ok_or_else(|| "this process is in no control group".to_owned());
        let second = second.and_then(|folder| enable(&folder).map(|()| folder));
        let reason = match second {
            Ok(folder) => {
                return Self {
                    folder,
                    prefix,
                    unified: true,
                }
                .tried();
            }
            Err(reason) => reason,
        };
        let first = at("pids").map(|path| mount.join("pids").join(path));
        let first = first.filter(|folder| folder.join(PROCESSES).exists());
        first.map_or(Err(reason.clone()), |folder| {
            let groups = Self {
                folder,
                prefix,
                unified: false,
            };
            groups.tried().map_err(|_unwritable| reason)
        })
    }

    /// Itself, if groups can be made; those of servers that are gone are removed.
    fn tried(self) -> Result<Self, String> {
        for entry in fs::read_dir(&self.folder).into_iter().flatten().flatten() {
            let name = entry.file_name();
            let left = name.to_str().and_then(|name| {
                let (process, _) = name.strip_prefix(PREFIX)?.split_once('-')?;
                process.parse::<u32>().ok()
            });
            if left.is_some_and(|process| !Path::new("/proc").join(process.to_string()).exists()) {
                // One that still holds a process stays.
                drop(fs::remove_dir(entry.path()));
            }
        }
        let group = self.make("try", u64::MAX, 1);
        group
            .map(|_group| ())
            .map_err(|error| format!("the control group cannot be written ({error})"))?;
        Ok(self)
    }

    /// Whether groups limit memory too.
    pub(super) fn limit_memory(&self) -> bool {
        self.unified
    }

    /// A group with its limits, new or taken over.
    pub(super) fn make(&self, name: &str, memory: u64, processes: u64) -> io::Result<Group> {
        let folder = self.folder.join(format!("{}{name}", self.prefix));
        match fs::create_dir(&folder) {
            Err(error) if error.kind() == ErrorKind::AlreadyExists => {}
            made => made?,
        }
        let group = Group { folder };
        group.set("pids.max", &processes.to_string())?;
        if self.unified && memory < u64::MAX {
            group.set("memory.max", &memory.to_string())?;
            // Where there is no swap there is nothing to switch off.
            drop(group.set("memory.swap.max", "0"));
            group.set("memory.oom.group", "0")?;
        }
        Ok(group)
    }
}

/// Sees to it that groups below this one limit memory and processes.
fn enable(folder: &Path) -> Result<(), String> {
    let words = |file: &str| fs::read_to_string(folder.join(file)).unwrap_or_default();
    let has = |text: &str, word: &str| text.split_ascii_whitespace().any(|one| one == word);
    let wanted = ["memory", "pids"];
    let offered = words("cgroup.controllers");
    if !wanted.iter().all(|one| has(&offered, one)) {
        return Err("the server's control group has no memory and pids controllers".into());
    }
    let enabled = words(ENABLED);
    if wanted.iter().all(|one| has(&enabled, one)) {
        return Ok(());
    }
    let unwritable =
        |error: io::Error| format!("the server's control group is not writable ({error})");
    if write(&folder.join(ENABLED), "+memory +pids").is_ok() {
        return Ok(());
    }
    // A group that holds processes cannot hand controllers on. Ours may move, others' may not.
    let own = process::id().to_string();
    if words(PROCESSES)
        .split_ascii_whitespace()
        .any(|one| one != own)
    {
        return Err("the server shares its control group with other processes".into());
    }
    let leaf = folder.join(format!("{PREFIX}server"));
    fs::create_dir_all(&leaf).map_err(unwritable)?;
    write(&leaf.join(PROCESSES), &own).map_err(unwritable)?;
    write(&folder.join(ENABLED), "+memory +pids").map_err(unwritable)
}

fn write(path: &Path, text: &str) -> io::Result<()> {
    OpenOptions::new()
        .write(true)
        .open(path)?
        .write_all(text.as_bytes())
}

/// A sprite's group; removed when it is dropped and nothing is left in it.
#[derive(Debug)]
pub(crate) struct Group {
    folder: PathBuf,
}

impl Group {
    /// Lets a command start in it.
    #[expect(unsafe_code, reason = "the group is entered between fork and exec")]
    pub(super) fn enter(&self, command: &mut Command) -> io::Result<()> {
        // Opened here, as who we are: the command may be another user.
        let processes = OpenOptions::new()
            .write(true)
            .open(self.folder.join(PROCESSES))?;
        // SAFETY: a single write to a descriptor that is open, of bytes that are constant.
        unsafe { command.pre_exec(move || (&processes).write_all(b"0")) };
        Ok(())
    }

    fn set(&self, file: &str, text: &str) -> io::Result<()> {
        write(&self.folder.join(file), text)
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        // One that still holds a process stays until it is made again or the next server starts.
        drop(fs::remove_dir(&self.folder));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tempfile::TempDir;

    /// A tree as the kernel shows it, with the server's group in it.
    fn mount(controllers: &str, enabled: &str, processes: &[u32]) -> (TempDir, PathBuf) {
        let mount = tempfile::tempdir().unwrap();
        let own = mount.path().join("system/nitejar");
        fs::create_dir_all(&own).unwrap();
        let processes: Vec<String> = processes.iter().map(u32::to_string).collect();
        fs::write(own.join("cgroup.controllers"), controllers).unwrap();
        fs::write(own.join(ENABLED), enabled).unwrap();
        fs::write(own.join(PROCESSES), processes.join("\n")).unwrap();
        (mount, own)
    }

    const OWN: &str = "4:pids:/other\n0::/system/nitejar\n";

    /// What the kernel puts into a group that is made; a plain directory has to be given it.
    fn fill(groups: &Cgroups, name: &str) -> PathBuf {
        let folder = groups.folder.join(format!("{}{name}", groups.prefix));
        fs::create_dir_all(&folder).unwrap();
        for file in [
            "pids.max",
            "memory.max",
            "memory.swap.max",
            "memory.oom.group",
        ] {
            fs::write(folder.join(file), "").unwrap();
        }
        folder
    }

    fn groups(folder: PathBuf, unified: bool) -> Cgroups {
        let prefix = format!("{PREFIX}1-2-");
        Cgroups {
            folder,
            prefix,
            unified,
        }
    }

    #[test]
    fn limits_are_written_to_the_group() {
        let (_mount, own) = mount("cpu memory pids", "memory pids", &[]);
        let groups = groups(own, true);
        let folder = fill(&groups, "a");
        let group = groups.make("a", 4096, 12).unwrap();
        let read = |file: &str| fs::read_to_string(folder.join(file)).unwrap();
        assert_eq!(read("pids.max"), "12");
        assert_eq!(read("memory.max"), "4096");
        assert_eq!(read("memory.swap.max"), "0");
        drop(group);
        let missing = groups.make("b", 4096, 12).unwrap_err();
        assert_eq!(missing.kind(), ErrorKind::NotFound);
    }

    #[test]
    fn version_1_limits_processes_alone() {
        let (_mount, own) = mount("", "", &[]);
        let groups = groups(own, false);
        let folder = fill(&groups, "a");
        drop(groups.make("a", 4096, 12).unwrap());
        assert_eq!(fs::read(folder.join("pids.max")).unwrap(), b"12");
        assert_eq!(fs::read(folder.join("memory.max")).unwrap(), b"");
        assert!(!groups.limit_memory());
    }

    #[test]
    fn controllers_are_handed_on_where_that_can_be() {
        let (_mount, own) = mount("cpu memory pids", "", &[]);
        enable(&own).unwrap();
        assert_eq!(fs::read(own.join(ENABLED)).unwrap(), b"+memory +pids");
        let (_mount, own) = mount("cpu", "cpu", &[]);
        let reason = enable(&own).unwrap_err();
        assert!(reason.contains("no memory"), "{reason}");
    }

    #[test]
    fn other_processes_are_never_moved() {
        let other = process::id() + 1;
        let (_mount, own) = mount("memory pids", "", &[process::id(), other]);
        // As it is where a group holds processes.
        fs::remove_file(own.join(ENABLED)).unwrap();
        let reason = enable(&own).unwrap_err();
        assert!(reason.contains("shares"), "{reason}");
        assert!(!own.join(format!("{PREFIX}server")).exists());
    }

    #[test]
    fn a_host_without_groups_says_what_is_missing() {
        let root = tempfile::tempdir().unwrap();
        let (mount, _own) = mount("cpu", "", &[]);
        let reason = Cgroups::find(mount.path(), OWN, root.path()).unwrap_err();
        assert!(reason.contains("no memory and pids"), "{reason}");
        let reason = Cgroups::find(mount.path(), "", root.path()).unwrap_err();
        assert!(reason.contains("in no control group"), "{reason}");
    }
}
