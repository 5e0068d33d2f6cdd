//! `tidy`: the rules of this code base that neither rustc nor clippy knows. Each rule is a function
//! from text or metadata to findings, so that its test can show it a bad input.

mod exceptions;
mod layers;
mod manifest;
mod source;
mod text;

use std::fmt;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, bail};

use crate::{shell, workspace::Workspace};

/// One broken rule.
#[derive(Debug, PartialEq)]
struct Finding {
    /// A path from the root, or a package name.
    place: String,
    line: Option<usize>,
    what: String,
}

impl Finding {
    fn new(place: &str, line: impl Into<Option<usize>>, what: impl Into<String>) -> Self {
        Self {
            place: place.to_owned(),
            line: line.into(),
            what: what.into(),
        }
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.line {
            Some(line) => write!(f, "{}:{line}: {}", self.place, self.what),
            None => write!(f, "{}: {}", self.place, self.what),
        }
    }
}

/// Checks the whole workspace and lists every finding before it fails.
pub(crate) fn run() -> Result<()> {
    let workspace = Workspace::load()?;
    let mut findings = layers::check(&workspace.packages);
    for package in &workspace.packages {
        let path = relative(&package.manifest_path, &workspace.root);
        if !package.directory().join("README.md").is_file() {
            findings.push(Finding::new(&path, None, "the package has no README.md"));
        }
    }
    let mut seen = Vec::new();
    for path in files(&workspace.root)? {
        // A file that is tracked but deleted, or no text at all, has nothing to check.
        let Ok(text) = std::fs::read_to_string(workspace.root.join(&path)) else {
            continue;
        };
        findings.extend(check_file(&path, &text)?);
        seen.push(path);
    }
    findings.extend(exceptions::stale(&seen));
    if findings.is_empty() {
        return Ok(());
    }
    for finding in &findings {
        eprintln!("{finding}");
    }
    bail!("tidy has {} finding(s)", findings.len());
}

fn check_file(path: &str, text: &str) -> Result<Vec<Finding>> {
    let mut findings = text::check(path, text);
    if Path::new(path)
        .extension()
        .is_some_and(|extension| extension == "rs")
    {
        findings.extend(source::check(path, text).with_context(|| format!("cannot parse {path}"))?);
    }
    if path.ends_with("/Cargo.toml") {
        findings
            .extend(manifest::check(path, text).with_context(|| format!("cannot parse {path}"))?);
    }
    Ok(findings)
}

/// Every file that is, or could be, committed.
fn files(root: &Path) -> Result<Vec<String>> {
    let mut git = Command::new("git");
    git.current_dir(root).args([
        "ls-files",
        "-z",
        "--cached",
        "--others",
        "--exclude-standard",
    ]);
    let listed = shell::output(&mut git)?;
    Ok(listed
        .split('\0')
        .filter(|path| !path.is_empty())
        .map(str::to_owned)
        .collect())
}

fn relative(path: &Path, root: &Path) -> String {
    path.strip_prefix(root)
        .unwrap_or(path)
        .display()
        .to_string()
}
