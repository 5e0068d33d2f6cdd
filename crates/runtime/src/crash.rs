//! Named instants at which a test may kill this process. They exist so that the promise "killed at any
//! instant, nothing is lost" can be proven at the instants that matter. Without the feature
//! `crash-points` a point compiles to nothing; it must never do anything but kill.

/// Every point, in the order in which a message meets them.
pub const POINTS: &[&str] = &[
    "ingest.before_commit",
    "ingest.after_commit",
    "poller.before_cursor",
    "poller.after_cursor",
    "claim.after_commit",
    "claim.loaded",
    "triage.reserved",
    "triage.answered",
    "triage.settled",
    "triage.leftovers",
    "pass.before_commit",
    "pass.after_commit",
    "begin.before_commit",
    "begin.after_commit",
    "reserve.before_commit",
    "reserve.after_commit",
    "model.before_call",
    "model.delta",
    "model.ended",
    "model.before_commit",
    "model.after_commit",
    "model.failed_before_commit",
    "model.failed_after_commit",
    "tools.before_run",
    "tools.output",
    "tools.after_run",
    "tools.between_before_commit",
    "tools.between_after_commit",
    "tools.before_commit",
    "tools.after_commit",
    "shell.before_commit",
    "shell.after_commit",
    "park.before_commit",
    "park.after_commit",
    "steer.absorbed",
    "progress.before_commit",
    "progress.after_commit",
    "finish.before_commit",
    "finish.after_commit",
    "finish.shell_closed",
    "halt.before_commit",
    "halt.after_commit",
    "effect.claimed",
    "effect.before_send",
    "effect.after_send",
    "settle.before_commit",
    "settle.after_commit",
    "cancel.committed",
    "retry.heard",
    "reopen.before_commit",
    "reopen.after_commit",
    "start.registered",
    "drain.begun",
    "drain.before_retire",
    "drain.after_retire",
];

/// Kills this process when the point is armed and this is the hit it is armed for.
#[cfg(not(feature = "crash-points"))]
#[inline]
pub(crate) const fn point(_name: &'static str) {}

#[cfg(feature = "crash-points")]
pub use armed::arm;
#[cfg(feature = "crash-points")]
pub(crate) use armed::point;

#[cfg(feature = "crash-points")]
mod armed {
    use nix::{
        sys::signal::{Signal, kill},
        unistd::Pid,
    };
    use std::sync::{
        OnceLock,
        atomic::{AtomicU64, Ordering},
    };

    static ARMED: OnceLock<(String, AtomicU64)> = OnceLock::new();

    /// Arms a point for its `n`-th hit, counted from 1. The first call counts, later ones do nothing.
    pub fn arm(name: &str, n: u64) {
        ARMED.get_or_init(|| (name.to_owned(), AtomicU64::new(n)));
    }

    pub(crate) fn point(name: &'static str) {
        let Some((armed, left)) = ARMED.get() else {
            return;
        };
        if armed != name || left.fetch_sub(1, Ordering::SeqCst) != 1 {
            return;
        }
        tracing::warn!(point = name, "killed at a crash point");
        while kill(Pid::this(), Signal::SIGKILL).is_ok() {
            // The signal may need a moment; nothing after this point may run.
            std::thread::park();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::POINTS;
    use std::{collections::BTreeMap, fs};

    #[test]
    fn every_point_stands_in_the_source_once_and_none_is_unknown() {
        let mut uses: BTreeMap<String, usize> = BTreeMap::new();
        // Tests run in the root of their package, wherever they were built.
        for entry in fs::read_dir("src").unwrap() {
            let path = entry.unwrap().path();
            if path.extension().is_none_or(|kind| kind != "rs") || path.ends_with("crash.rs") {
                continue;
            }
            for rest in fs::read_to_string(&path)
                .unwrap()
                .split("crash::point(\"")
                .skip(1)
            {
                let (name, _) = rest.split_once('"').unwrap();
                *uses.entry(name.to_owned()).or_default() += 1;
            }
        }
        let wanted = POINTS
            .iter()
            .map(|point| ((*point).to_owned(), 1))
            .collect();
        assert_eq!(uses, wanted);
    }
}
