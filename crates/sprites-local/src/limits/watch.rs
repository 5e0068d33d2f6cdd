//! Where the kernel does not limit memory or processes, this looks at what sprites use again and again
//! and kills what is too much. It is late by nature: what it cannot do is told elsewhere.

use super::Limits;
use crate::{host::Inner, quota::size};
use domain::sprite::SpriteKey;
use nix::{
    sys::signal::{Signal, kill},
    unistd::{Pid, SysconfVar, sysconf},
};
use std::{
    collections::{HashMap, HashSet},
    fs,
    sync::Weak,
    time::Duration,
};

const PAUSE: Duration = Duration::from_secs(1);
/// Where nothing else stops a fork bomb, it must not have that long.
const SOON: Duration = Duration::from_millis(200);
/// A scan and a signal race with forks; this often we try again.
const ROUNDS: usize = 100;

/// Watches all sprites of a host for as long as there is one.
pub(crate) async fn watch(host: Weak<Inner>) {
    let mut pause = PAUSE;
    loop {
        tokio::time::sleep(pause).await;
        let Some(inner) = host.upgrade() else {
            return;
        };
        let alone = inner
            .limits()
            .processes_watched(inner.tier(), inner.own_user);
        pause = if alone { SOON } else { PAUSE };
        let roots = inner.running();
        if roots.is_empty() {
            continue;
        }
        let looked = tokio::task::spawn_blocking(move || {
            let processes = Processes::now();
            for (key, root) in roots {
                inner.limits().look(&processes, key, root.as_raw());
            }
        });
        // It does not panic; were it to, the next look is as good.
        drop(looked.await);
    }
}

impl Limits {
    /// Looks at what runs below a sprite's first process, and kills what is too much.
    fn look(&self, processes: &Processes, key: SpriteKey, root: i32) {
        let memory = match self.memory_watched() {
            Some(_) => self.memory,
            None => u64::MAX,
        };
        let Some(excess) = processes.excess(root, memory, self.processes) else {
            return;
        };
        tracing::warn!(
            tenant.id = %key.tenant_id, agent.id = %key.agent_id,
            processes = ?excess.victims, reason = excess.reason,
            "sprite.limits: a sprite used too much, and what used most of it is killed"
        );
        end(&excess.victims);
    }
}

/// One process, as the kernel tells of it.
#[derive(Clone, Copy, Debug)]
struct Process {
    parent: i32,
    threads: u64,
    memory: u64,
}

/// All processes at one time.
struct Processes {
    known: HashMap<i32, Process>,
    children: HashMap<i32, Vec<i32>>,
}

/// What is too much.
#[derive(Debug, PartialEq, Eq)]
struct Excess {
    /// The processes to kill with all below them.
    victims: Vec<i32>,
    reason: String,
}

impl Processes {
    fn now() -> Self {
        let page = sysconf(SysconfVar::PAGE_SIZE)
            .ok()
            .flatten()
            .unwrap_or(4096);
        let page = u64::try_from(page).unwrap_or(4096);
        let numbers = fs::read_dir("/proc").into_iter().flatten().flatten();
        let numbers = numbers.filter_map(|entry| entry.file_name().to_str()?.parse().ok());
        Self::of(numbers.filter_map(|number| Some((number, inspect(number, page)?))))
    }

    fn of(all: impl Iterator<Item = (i32, Process)>) -> Self {
        let known: HashMap<i32, Process> = all.collect();
        let mut children: HashMap<i32, Vec<i32>> = HashMap::new();
        for (number, process) in &known {
            children.entry(process.parent).or_default().push(*number);
        }
        Self { known, children }
    }

    /// A process and all below it.
    fn tree(&self, root: i32) -> Vec<i32> {
        let mut tree = vec![root];
        let mut next = 0;
        while let Some(number) = tree.get(next).copied() {
            tree.extend(self.children.get(&number).into_iter().flatten());
            next += 1;
        }
        tree
    }

    fn sum(&self, root: i32, what: impl Fn(&Process) -> u64) -> u64 {
        let tree = self.tree(root);
        tree.iter()
            .filter_map(|one| self.known.get(one))
            .map(what)
            .sum()
    }

    /// What of a sprite is too much. Its first two processes are the sandbox itself.
    fn excess(&self, root: i32, memory: u64, processes: u64) -> Option<Excess> {
        let used = self.sum(root, |process| process.memory);
        if used > memory {
            let reason = format!("{} of memory of {}", size(used), size(memory));
            let victims = vec![self.hog(root, memory)?];
            return Some(Excess { victims, reason });
        }
        let count = self.sum(root, |process| process.threads);
        if count > processes {
            let reason = format!("{count} processes and threads of {processes}");
            let victims = self.crowd(root, count);
            return Some(Excess { victims, reason });
        }
        None
    }

    /// The process that alone takes half of what all may, or, where it is the many, the whole tree
    /// that takes most.
    fn hog(&self, root: i32, memory: u64) -> Option<i32> {
        let below = self.tops(root).flat_map(|top| self.tree(top));
        let alone = below
            .filter_map(|number| Some((self.known.get(&number)?.memory, number)))
            .max()
            .filter(|(used, _)| *used > memory / 2)
            .map(|(_, number)| number);
        alone.or_else(|| self.largest(root, |process| process.memory))
    }

    /// The tree that is most of a crowd. Where there is none, a bomb has spread, and all of them.
    fn crowd(&self, root: i32, count: u64) -> Vec<i32> {
        let threads = |process: &Process| process.threads;
        match self.largest(root, threads) {
            Some(top) if self.sum(top, threads) > count / 2 => vec![top],
            _ => self.tops(root).collect(),
        }
    }

    fn largest(&self, root: i32, what: impl Fn(&Process) -> u64 + Copy) -> Option<i32> {
        self.tops(root).max_by_key(|top| self.sum(*top, what))
    }

    /// The shells and programs that the supervisor started.
    fn tops(&self, root: i32) -> impl Iterator<Item = i32> {
        let below = |number: &i32| self.children.get(number).into_iter().flatten();
        below(&root).flat_map(below).copied()
    }
}

/// A process that ended meanwhile is none.
fn inspect(number: i32, page: u64) -> Option<Process> {
    let stat = fs::read_to_string(format!("/proc/{number}/stat")).ok()?;
    // The name may hold anything; the last parenthesis ends it.
    let (_, rest) = stat.rsplit_once(')')?;
    let fields: Vec<&str> = rest.split_ascii_whitespace().collect();
    let zombie = matches!(*fields.first()?, "Z" | "X");
    Some(Process {
        parent: fields.get(1)?.parse().ok()?,
        threads: if zombie {
            0
        } else {
            fields.get(17)?.parse().ok()?
        },
        memory: fields.get(21)?.parse::<u64>().ok()?.saturating_mul(page),
    })
}

/// Kills processes and all below them. One that is stopped does not fork, so in the end all are;
/// and one whose parent went meanwhile is still known.
fn end(roots: &[i32]) {
    let mut frozen = HashSet::new();
    for _ in 0..ROUNDS {
        let processes = Processes::now();
        let known: Vec<i32> = roots.iter().chain(&frozen).copied().collect();
        let all = known.into_iter().flat_map(|root| processes.tree(root));
        let fresh: HashSet<i32> = all
            .filter(|number| processes.known.contains_key(number) && !frozen.contains(number))
            .collect();
        if fresh.is_empty() {
            break;
        }
        for number in fresh {
            send(number, Signal::SIGSTOP);
            frozen.insert(number);
        }
    }
    for number in frozen {
        send(number, Signal::SIGKILL);
    }
}

/// One that is gone already needs no signal.
fn send(process: i32, signal: Signal) {
    kill(Pid::from_raw(process), signal).unwrap_or(());
}

#[cfg(test)]
mod tests {
    use super::*;

    const MIB: u64 = 1 << 20;

    /// Number, parent, threads and MiB of each. 1 and 2 are the sandbox, 3 and 4 shells.
    fn processes(all: &[(i32, i32, u64, u64)]) -> Processes {
        let sandbox = [(1, 0, 1, 1), (2, 1, 5, 10), (3, 2, 1, 4), (4, 2, 1, 4)];
        Processes::of(
            sandbox
                .iter()
                .chain(all)
                .map(|(number, parent, threads, memory)| {
                    let process = Process {
                        parent: *parent,
                        threads: *threads,
                        memory: memory * MIB,
                    };
                    (*number, process)
                }),
        )
    }

    fn victims(all: &[(i32, i32, u64, u64)]) -> Option<Vec<i32>> {
        processes(all)
            .excess(1, 200 * MIB, 50)
            .map(|excess| excess.victims)
    }

    #[test]
    fn what_stays_within_its_limits_lives() {
        assert_eq!(victims(&[(5, 3, 20, 100), (6, 5, 10, 50)]), None);
    }

    #[test]
    fn one_that_takes_most_of_the_memory_goes_alone() {
        assert_eq!(
            victims(&[(5, 3, 1, 20), (6, 5, 1, 180), (7, 4, 1, 30)]),
            Some(vec![6])
        );
    }

    #[test]
    fn many_that_take_it_together_go_with_their_shell() {
        let many: Vec<_> = (10..40).map(|number| (number, 4, 1, 9)).collect();
        assert_eq!(victims(&many), Some(vec![4]));
    }

    #[test]
    fn too_many_processes_and_threads_go_with_their_shell() {
        let many: Vec<_> = (10..60).map(|number| (number, number - 1, 1, 0)).collect();
        let chain = many.iter().map(|(number, parent, threads, memory)| {
            (
                *number,
                if *number == 10 { 3 } else { *parent },
                *threads,
                *memory,
            )
        });
        assert_eq!(victims(&chain.collect::<Vec<_>>()), Some(vec![3]));
        assert_eq!(victims(&[(5, 4, 60, 0)]), Some(vec![4]));
    }

    #[test]
    fn a_crowd_that_left_its_shell_goes_as_a_whole() {
        let many: Vec<_> = (10..60).map(|number| (number, 2, 1, 0)).collect();
        let mut all = victims(&many).unwrap();
        all.sort_unstable();
        assert_eq!(all, [3, 4].into_iter().chain(10..60).collect::<Vec<_>>());
    }

    #[test]
    fn this_process_is_known() {
        let own = i32::try_from(std::process::id()).unwrap();
        let all = Processes::now();
        assert!(all.known[&own].memory > MIB && all.known[&own].threads >= 1);
        assert!(
            all.tree(std::os::unix::process::parent_id().cast_signed())
                .contains(&own)
        );
    }
}
