//! `crash`, `replicas`, `soak`: builds the server and hands it to the proof program, which is a package
//! of its own so that the other verbs stay quick to compile.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::process::Command;

use anyhow::Result;

use crate::services::{Service, Services, Syncs};
use crate::{programs, shell, workspace::Workspace};

/// Optimised, but without link-time optimisation: the suite kills the server, it does not time it.
const CRASH_PROFILE: &str = "bench-build";
/// What `--ci` stands for: every point on both databases, with as many seeds as ten minutes hold.
const CI_SEEDS: &str = "8";
const CI_JOBS: &str = "6";

/// Kills the server at every named point; the arguments are the proof program's, or `--ci`.
pub(crate) fn crash(arguments: &[String]) -> Result<()> {
    let workspace = Workspace::load()?;
    let binaries = Binaries::build(
        &workspace,
        CRASH_PROFILE,
        &["--features", "server/crash-points"],
    )?;
    let run = |arguments: &[String]| {
        let mut command = binaries.proof("crash", &workspace);
        command.args(arguments);
        // Kept until the suite is over.
        let mut services = None;
        if arguments
            .iter()
            .any(|argument| argument.ends_with("postgres"))
        {
            programs::ensure(&workspace)?;
            let started = services.insert(Services::start(
                &BTreeSet::from([Service::Postgres]),
                &workspace,
                Syncs::Skipped,
            )?);
            for (_, url) in started.environment() {
                command.args(["--postgres-url", url]);
            }
        }
        shell::run(&mut command)
    };
    if !arguments.iter().any(|argument| argument == "--ci") {
        return run(arguments);
    }
    for database in ["sqlite", "postgres"] {
        run(&["--db", database, "--seeds", CI_SEEDS, "--jobs", CI_JOBS].map(str::to_owned))?;
    }
    Ok(())
}

/// Two replicas under load, through restarts, kills and outages of what they stand on.
pub(crate) fn replicas(arguments: &[String]) -> Result<()> {
    let workspace = Workspace::load()?;
    programs::ensure(&workspace)?;
    let cache = workspace.cache("programs");
    let found = [
        ("--initdb", programs::postgres("initdb", &cache), "Postgres"),
        (
            "--postgres",
            programs::postgres("postgres", &cache),
            "Postgres",
        ),
        ("--redis-server", programs::redis(&cache), "Redis"),
    ];
    let mut command = Binaries::build(&workspace, "release", &[])?.proof("replicas", &workspace);
    // The proof starts these itself, because it has to end and start them under load.
    for (flag, program, name) in found {
        command
            .arg(flag)
            .arg(program.ok_or_else(|| programs::missing(name))?);
    }
    shell::run(command.args(arguments))
}

/// Very many jobs on one server, with an eye on memory and files.
pub(crate) fn soak(arguments: &[String]) -> Result<()> {
    let workspace = Workspace::load()?;
    let mut command = Binaries::build(&workspace, "release", &[])?.proof("soak", &workspace);
    shell::run(command.args(arguments))
}

/// The server and the proof program.
struct Binaries {
    directory: PathBuf,
}

impl Binaries {
    fn build(workspace: &Workspace, profile: &str, more: &[&str]) -> Result<Self> {
        let mut build = shell::cargo();
        build.current_dir(&workspace.root);
        build.args([
            "build",
            "--locked",
            "--package",
            "server",
            "--package",
            "proof",
        ]);
        shell::run(build.args(["--profile", profile]).args(more))?;
        Ok(Self {
            directory: workspace.target.join(profile),
        })
    }

    fn proof(&self, verb: &str, workspace: &Workspace) -> Command {
        let mut command = Command::new(self.directory.join("proof"));
        command.current_dir(&workspace.root).arg(verb);
        command.arg("--binary").arg(self.directory.join("nitejar"));
        command
            .arg("--out")
            .arg(workspace.root.join("target/proof"));
        command
    }
}
