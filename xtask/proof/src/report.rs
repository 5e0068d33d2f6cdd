//! Tables on standard output, for people and for what reads logs. It judges nothing.

use std::io::Write;
use std::time::Duration;

use anyhow::Result;

/// A table that is printed when it is complete.
pub(crate) struct Table {
    rows: Vec<Vec<String>>,
}

impl Table {
    /// With these columns.
    pub(crate) fn new(columns: &[&str]) -> Self {
        Self {
            rows: vec![columns.iter().map(|column| (*column).to_owned()).collect()],
        }
    }

    /// Adds a row.
    pub(crate) fn row(&mut self, cells: Vec<String>) {
        self.rows.push(cells);
    }

    /// Prints it with columns of one width.
    pub(crate) fn print(&self) -> Result<()> {
        let width = |at: usize| {
            self.rows
                .iter()
                .filter_map(|row| Some(row.get(at)?.chars().count()))
                .max()
        };
        for (number, row) in self.rows.iter().enumerate() {
            let padded = row
                .iter()
                .enumerate()
                .map(|(at, cell)| format!("{cell:<0$}", width(at).unwrap_or(0)));
            let line = padded.collect::<Vec<_>>().join(" | ");
            say(&format!("| {line} |"))?;
            if number == 0 {
                let rules = (0..row.len()).map(|at| "-".repeat(width(at).unwrap_or(0)));
                say(&format!("| {} |", rules.collect::<Vec<_>>().join(" | ")))?;
            }
        }
        Ok(())
    }
}

/// One line.
pub(crate) fn say(line: &str) -> Result<()> {
    Ok(writeln!(std::io::stdout(), "{line}")?)
}

/// A duration in seconds, for a cell.
pub(crate) fn seconds(duration: Duration) -> String {
    format!("{:.2} s", duration.as_secs_f64())
}
