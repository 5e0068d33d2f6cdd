//! `bench`: builds the release binary and hands it to the bench program, which is a package of its
//! own so that the other verbs stay quick to compile.

use std::collections::BTreeSet;
use std::process::Command;

use anyhow::Result;

use crate::services::{Service, Services, Syncs};
use crate::{programs, shell, workspace::Workspace};

/// Measures the release binary; the arguments are the bench program's.
pub(crate) fn run(database: &str, arguments: &[String]) -> Result<()> {
    let workspace = Workspace::load()?;
    let mut build = shell::cargo();
    build.current_dir(&workspace.root);
    // In one build, so that both agree on the features of what they share.
    build.args(["build", "--release", "--locked"]);
    shell::run(build.args(["--package", "server", "--package", "bench"]))?;
    let release = workspace.target.join("release");
    let mut bench = Command::new(release.join("bench"));
    bench.current_dir(&workspace.root);
    bench.arg("--server").arg(release.join("nitejar"));
    bench.arg("--out").arg(workspace.root.join("target/bench"));
    // Kept until the figures are there.
    let mut services = None;
    if database == "postgres" {
        programs::ensure(&workspace)?;
        let wanted = BTreeSet::from([Service::Postgres]);
        let started = services.insert(Services::start(&wanted, &workspace, Syncs::Kept)?);
        bench.envs(started.environment());
    }
    shell::run(bench.args(["--db", database]).args(arguments))
}
