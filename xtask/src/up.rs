//! `up`: from a fresh checkout to a server that answers, with nothing asked.

use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, anyhow};

use crate::{shell, workspace::Workspace};

/// Optimised, but without link-time optimisation: the first build takes half the time.
const PROFILE: &str = "bench-build";

/// Builds what is missing and becomes the server, which then owns the terminal, signals and exit code.
pub(crate) fn run(arguments: &[String]) -> Result<()> {
    let workspace = Workspace::load()?;
    let web = workspace.root.join("apps/web");
    if web.join("package.json").is_file() {
        build_web(&web)?;
    }
    eprintln!(
        "Building the server; the first build compiles every dependency and takes some minutes."
    );
    let build = [
        "build",
        "--locked",
        "--package",
        "server",
        "--bin",
        "nitejar",
        "--profile",
        PROFILE,
    ];
    shell::run(shell::cargo().current_dir(&workspace.root).args(build))?;
    if shell::on_path("bwrap").is_none() {
        eprintln!(
            "bubblewrap is not installed: sandboxes use Landlock. `apt-get install bubblewrap` adds namespaces."
        );
    }
    let program = workspace.target.join(PROFILE).join("nitejar");
    let error = Command::new(&program)
        .current_dir(&workspace.root)
        .arg("serve")
        .args(arguments)
        .exec();
    Err(anyhow!(error)).with_context(|| format!("cannot start {}", program.display()))
}

fn build_web(web: &Path) -> Result<()> {
    let npm = shell::on_path("npm")
        .context("npm is not installed, and the web app needs it; install Node 20 or newer")?;
    if !web.join("node_modules").is_dir() {
        shell::run(
            Command::new(&npm)
                .current_dir(web)
                .args(["ci", "--no-audit", "--no-fund"]),
        )?;
    }
    shell::run(Command::new(npm).current_dir(web).args(["run", "build"]))
}
