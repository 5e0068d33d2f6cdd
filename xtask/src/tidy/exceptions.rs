//! The only list of what may break a rule. It shrinks: an entry that is no longer needed is itself a
//! finding.

use super::Finding;

/// Files that may hold `unsafe` code, each behind an `expect` with its reason.
const UNSAFE: &[&str] = &[
    "crates/sprites-local/src/checkpoints/clone.rs",
    "crates/sprites-local/src/isolation/confine.rs",
    "crates/sprites-local/src/limits/cgroup.rs",
    "crates/sprites-local/src/supervisor/attempts.rs",
    "crates/sprites-local/src/supervisor/growth.rs",
    "crates/sprites-local/src/supervisor/mod.rs",
    "crates/sprites-local/src/supervisor/process/terminal.rs",
    "crates/sprites-local/src/supervisor/process/tree.rs",
    "crates/sprites-local/src/supervisor/shell/bash.rs",
    "crates/sprites-local/src/supervisor/shell/command.rs",
    "crates/sprites-local/src/supervisor/warden.rs",
    "xtask/throwaway/src/place.rs",
];

/// Files that may hold up to the hard limit of code lines.
const LONG: &[&str] = &[];

/// True for a file that may hold `unsafe` code.
pub(super) fn may_be_unsafe(path: &str) -> bool {
    UNSAFE.contains(&path)
}

/// True for a file that may be longer than the usual limit.
pub(super) fn may_be_long(path: &str) -> bool {
    LONG.contains(&path)
}

/// Entries whose file is gone.
pub(super) fn stale(files: &[String]) -> Vec<Finding> {
    let gone = |path: &&&str| !files.iter().any(|file| file == **path);
    let entries = UNSAFE.iter().chain(LONG).filter(gone);
    entries
        .map(|path| Finding::new(path, None, "is excepted from a rule but does not exist"))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_exception_for_a_missing_file_is_a_finding() {
        assert_eq!(stale(&[]).len(), UNSAFE.len() + LONG.len());
    }
}
