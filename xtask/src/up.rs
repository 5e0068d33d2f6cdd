//! `up`: from a fresh checkout to a server that answers, with nothing asked.

use std::os::unix::process::CommandExt;
use std::process::Command;

use anyhow::{Context, Result, anyhow};

use crate::{shell, web::Web, workspace::Workspace};

/// Optimised, but without link-time optimisation: the first build takes half the time.
const PROFILE: &str = "bench-build";

/// Builds what is missing and becomes the server, which then owns the terminal, signals and exit code.
pub(crate) fn run(arguments: &[String]) -> Result<()> {
    let workspace = Workspace::load()?;
    // Before the server, which carries the app inside.
    Web::ready(&workspace)?.build()?;
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
