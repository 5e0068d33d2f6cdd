//! What the kernel knows about a process and everything it started: CPU time and memory. Read from
//! `/proc` at the moment of asking; nothing is kept.

use std::fs;
use std::time::Duration;

use anyhow::{Context, Result};

/// The kernel shows times in hundredths of a second, whatever its own clock is.
const TICK_MS: u64 = 10;

/// CPU time of the process alone, its ended children left out.
pub(crate) fn cpu(pid: u32) -> Result<Duration> {
    Stat::read(pid)?.ticks(2)
}

/// CPU time of the process, its descendants and their ended children.
pub(crate) fn tree_cpu(pid: u32) -> Result<Duration> {
    tree(pid)?.iter().map(|stat| stat.ticks(4)).sum()
}

/// Proportional set size of the process alone, in bytes.
pub(crate) fn memory(pid: u32) -> Result<u64> {
    let file = format!("/proc/{pid}/smaps_rollup");
    let text = fs::read_to_string(&file).with_context(|| format!("cannot read {file}"))?;
    let line = text.lines().find_map(|line| line.strip_prefix("Pss:"));
    let kilobytes = line.and_then(|line| line.trim().strip_suffix(" kB"));
    Ok(kilobytes
        .context("smaps_rollup has no Pss line")?
        .trim()
        .parse::<u64>()?
        * 1024)
}

/// Proportional set size of the process and its descendants, in bytes.
pub(crate) fn tree_memory(pid: u32) -> Result<u64> {
    // A descendant may end between the two reads; it holds no memory then.
    Ok(tree(pid)?
        .iter()
        .filter_map(|stat| memory(stat.pid).ok())
        .sum())
}

/// One line of `/proc/<pid>/stat`.
struct Stat {
    pid: u32,
    /// Everything after the name, which may hold blanks and brackets itself.
    fields: Vec<String>,
}

impl Stat {
    fn read(pid: u32) -> Result<Self> {
        let text = fs::read_to_string(format!("/proc/{pid}/stat"))?;
        let (_, rest) = text
            .rsplit_once(')')
            .context("a stat line without a name")?;
        Ok(Self {
            pid,
            fields: rest.split_whitespace().map(str::to_owned).collect(),
        })
    }

    fn number(&self, index: usize) -> Result<u64> {
        self.fields
            .get(index)
            .context("a short stat line")?
            .parse()
            .context("not a number")
    }

    /// The first `count` of user, system, children's user and children's system time.
    fn ticks(&self, count: usize) -> Result<Duration> {
        let ticks: u64 = (11..11 + count)
            .map(|index| self.number(index))
            .sum::<Result<_>>()?;
        Ok(Duration::from_millis(ticks * TICK_MS))
    }
}

fn tree(root: u32) -> Result<Vec<Stat>> {
    let pids = fs::read_dir("/proc")?
        .flatten()
        .filter_map(|entry| entry.file_name().to_str()?.parse().ok());
    // Processes that end while we look are not part of the tree any more.
    let mut rest: Vec<Stat> = pids.filter_map(|pid: u32| Stat::read(pid).ok()).collect();
    let mut tree = vec![Stat::read(root)?];
    let mut next = 0;
    while let Some(parent) = tree.get(next).map(|stat| u64::from(stat.pid)) {
        let (children, others) = rest
            .into_iter()
            .partition(|stat| stat.number(1).is_ok_and(|pid| pid == parent));
        rest = others;
        tree.extend::<Vec<Stat>>(children);
        next += 1;
    }
    Ok(tree)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_process_finds_itself_and_its_child() {
        let mut child = std::process::Command::new("cat")
            .stdin(std::process::Stdio::piped())
            .spawn()
            .unwrap();
        let pids: Vec<u32> = tree(std::process::id())
            .unwrap()
            .iter()
            .map(|stat| stat.pid)
            .collect();
        drop(child.stdin.take());
        child.wait().unwrap();
        assert!(
            pids.contains(&std::process::id()) && pids.contains(&child.id()),
            "{pids:?}"
        );
        assert!(memory(std::process::id()).unwrap() > 0);
        assert!(tree_cpu(std::process::id()).unwrap() >= cpu(std::process::id()).unwrap());
    }
}
