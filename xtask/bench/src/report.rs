//! The figures beside their targets: one table for people, one file for programs.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use anyhow::{Context, Result};
use serde::Serialize;

/// What a figure is measured against.
#[derive(Clone, Copy, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Target {
    /// Smaller is better.
    AtMost(f64),
    /// Larger is better.
    AtLeast(f64),
    /// Context for the other rows.
    None,
}

/// Everything measured in one run.
#[derive(Serialize)]
pub(crate) struct Report {
    database: &'static str,
    commit: String,
    cores: usize,
    kernel: String,
    load: String,
    taken_at_unix: u64,
    sync_p50_ms: f64,
    sync_p99_ms: f64,
    rows: Vec<Row>,
}

#[derive(Serialize)]
struct Row {
    name: &'static str,
    value: f64,
    unit: &'static str,
    target: Target,
}

impl Report {
    /// A report that starts with the machine: its disk and how busy it is.
    pub(crate) fn new(database: &'static str, syncs: Vec<Duration>) -> Result<Self> {
        let command = |program: &str, arguments: &[&str]| {
            let output = Command::new(program).args(arguments).output();
            output.map(|output| String::from_utf8_lossy(&output.stdout).trim().to_owned())
        };
        let [sync_p50_ms, sync_p99_ms] = percentiles(syncs)?;
        Ok(Self {
            database,
            commit: command("git", &["describe", "--always", "--dirty"])?,
            cores: std::thread::available_parallelism()?.get(),
            kernel: command("uname", &["-sr"])?,
            load: fs::read_to_string("/proc/loadavg")?
                .split_whitespace()
                .take(3)
                .collect::<Vec<_>>()
                .join(" "),
            taken_at_unix: SystemTime::now().duration_since(UNIX_EPOCH)?.as_secs(),
            sync_p50_ms,
            sync_p99_ms,
            rows: Vec::new(),
        })
    }

    /// Adds a figure and shows it at once.
    pub(crate) fn add(
        &mut self,
        name: &'static str,
        value: f64,
        unit: &'static str,
        target: Target,
    ) {
        eprintln!("  {name}: {value:.2} {unit}");
        self.rows.push(Row {
            name,
            value,
            unit,
            target,
        });
    }

    /// The latency of one disk sync, for targets that contain some.
    pub(crate) fn sync_ms(&self) -> f64 {
        self.sync_p50_ms
    }

    /// Prints what the machine is like.
    pub(crate) fn print_head(&self) {
        eprintln!(
            "disk sync: p50 {:.2} ms, p99 {:.2} ms",
            self.sync_p50_ms, self.sync_p99_ms
        );
        eprintln!(
            "host: {} cores, {}, load {}",
            self.cores, self.kernel, self.load
        );
    }

    /// Prints the table, ready for `docs/performance.md`.
    #[expect(clippy::print_stdout, reason = "the table is this program's output")]
    pub(crate) fn print_table(&self) {
        println!("{}", self.table());
    }

    /// Writes the figures of this run, and again as the latest ones.
    pub(crate) fn write(&self, directory: &Path) -> Result<PathBuf> {
        let text = serde_json::to_string_pretty(self)?;
        fs::write(directory.join("latest.json"), &text)?;
        let file = directory.join(format!("{}.json", self.taken_at_unix));
        fs::write(&file, text)?;
        Ok(file)
    }

    fn table(&self) -> String {
        let mut lines = vec![
            format!(
                "{}, commit {}, {} cores, {}, load {}; disk sync p50 {:.2} ms, p99 {:.2} ms.",
                self.database,
                self.commit,
                self.cores,
                self.kernel,
                self.load,
                self.sync_p50_ms,
                self.sync_p99_ms
            ),
            String::new(),
            "| what | measured | target | |".to_owned(),
            "| --- | ---: | ---: | --- |".to_owned(),
        ];
        lines.extend(self.rows.iter().map(Row::line));
        lines.join("\n")
    }
}

impl Row {
    fn line(&self) -> String {
        let Self {
            name,
            value,
            unit,
            target,
        } = self;
        let (target, met) = match target {
            Target::AtMost(limit) => (format!("≤ {limit:.2} {unit}"), Some(value <= limit)),
            Target::AtLeast(limit) => (format!("≥ {limit:.2} {unit}"), Some(value >= limit)),
            Target::None => (String::new(), None),
        };
        let mark = met.map_or("", |met| if met { "met" } else { "missed" });
        format!("| {name} | {value:.2} {unit} | {target} | {mark} |")
    }
}

/// The median and the 99th percentile, in milliseconds.
pub(crate) fn percentiles(mut latencies: Vec<Duration>) -> Result<[f64; 2]> {
    latencies.sort_unstable();
    let at = |percent: usize| {
        let index = latencies.len().saturating_sub(1) * percent / 100;
        latencies
            .get(index)
            .map(|latency| latency.as_secs_f64() * 1000.0)
            .context("nothing was measured")
    };
    Ok([at(50)?, at(99)?])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_taken_from_the_sorted_latencies() {
        let latencies = (1..=101).rev().map(Duration::from_millis).collect();
        let shown = percentiles(latencies)
            .unwrap()
            .map(|millis| format!("{millis:.1}"));
        assert_eq!(shown, ["51.0", "100.0"]);
        assert!(percentiles(Vec::new()).is_err());
    }

    #[test]
    fn a_row_says_whether_its_target_is_met() {
        let row = |target| {
            Row {
                name: "x",
                value: 2.0,
                unit: "ms",
                target,
            }
            .line()
        };
        assert_eq!(
            row(Target::AtMost(3.0)),
            "| x | 2.00 ms | ≤ 3.00 ms | met |"
        );
        assert_eq!(
            row(Target::AtLeast(3.0)),
            "| x | 2.00 ms | ≥ 3.00 ms | missed |"
        );
        assert_eq!(row(Target::None), "| x | 2.00 ms |  |  |");
    }
}
