//! `schemathesis`: a published judge of APIs sends what the OpenAPI document allows, and what it forbids, to a running
//! server: nothing may fail inside, and no answer may differ from what is documented.

use std::process::Command;

use anyhow::Result;

use crate::{programs, python, running::Running, shell, workspace::Workspace};

const PACKAGE: &str = "schemathesis==4.32.5";
const TOKEN: &str = "a-token-for-schemathesis";

/// Installs it and lets it at a server of its own; the arguments are added to those of `schemathesis run`.
pub(crate) fn run(arguments: &[String]) -> Result<()> {
    let workspace = Workspace::load()?;
    programs::ensure(&workspace)?;
    let bin = python::environment(&workspace.cache("python"), PACKAGE, "schemathesis")?;
    let mut build = shell::cargo();
    build.current_dir(&workspace.root);
    shell::run(build.args(["build", "--quiet", "--locked", "--package", "server"]))?;
    let program = workspace.target.join("debug/nitejar");
    let server = Running::start(&program, |command, port, directory| {
        command
            .env("PORT", port.to_string())
            .env("DATA_DIR", directory)
            .env("NITEJAR_ADMIN_TOKEN", TOKEN)
            .env("RUST_LOG", "warn");
    })?;
    let mut judge = Command::new(bin.join("schemathesis"));
    // It keeps notes of what it found in the directory it runs in.
    judge.current_dir(workspace.cache("python"));
    judge
        .arg("--config-file")
        .arg(workspace.root.join("xtask/schemathesis.toml"));
    judge.args(["run", &format!("{}/api/openapi.json", server.url)]);
    judge.args(["--header", &format!("Authorization: Bearer {TOKEN}")]);
    shell::run(judge.args(arguments))
}
