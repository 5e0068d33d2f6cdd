//! Published Python programs that judge ours from outside. They are installed into our own cache, and nothing of
//! them is in the repository.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};

use crate::shell;

/// The `bin` directory of an environment that has a package; `module` is what it can import then.
pub(crate) fn environment(cache: &Path, package: &str, module: &str) -> Result<PathBuf> {
    // Named by the package, so that another version is another environment.
    let environment = cache.join(package);
    let bin = environment.join("bin");
    let imported = ["-c", &format!("import {module}")];
    if shell::succeeds(Command::new(bin.join("python")).args(imported)) {
        return Ok(bin);
    }
    let python = shell::on_path("python3").context("python3 is not installed")?;
    shell::run(Command::new(python).args(["-m", "venv"]).arg(&environment))?;
    shell::run(Command::new(bin.join("pip")).args(["install", "--quiet", package]))?;
    Ok(bin)
}
