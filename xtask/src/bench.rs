//! `bench`: builds the release binary and hands it to the bench program, which is a package of its
//! own so that the other verbs stay quick to compile.

use anyhow::Result;

use crate::{shell, workspace::Workspace};

/// Measures the release binary; the arguments are the bench program's.
pub(crate) fn run(arguments: &[String]) -> Result<()> {
    let workspace = Workspace::load()?;
    let cargo = |arguments: &[&str]| {
        let mut command = shell::cargo();
        command.current_dir(&workspace.root).args(arguments);
        command
    };
    shell::run(&mut cargo(&[
        "build",
        "--release",
        "--locked",
        "--package",
        "server",
        "--bin",
        "nitejar",
    ]))?;
    let mut bench = cargo(&[
        "run",
        "--quiet",
        "--release",
        "--locked",
        "--package",
        "bench",
        "--",
    ]);
    bench
        .arg("--server")
        .arg(workspace.target.join("release/nitejar"));
    bench.arg("--out").arg(workspace.root.join("target/bench"));
    shell::run(bench.args(arguments))
}
