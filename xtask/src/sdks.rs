//! `sdks`: the published SDKs of the Sprites API against our `sprited`. They are judges, not parts: they
//! are installed into our own cache, and nothing of them is in the repository.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};

use crate::{node::Node, programs, python, running::Running, shell, workspace::Workspace};

const JAVASCRIPT: &str = "@fly/sprites@0.1.0";
const PYTHON: &str = "sprites-py==0.7.2";
/// The JavaScript SDK needs a `WebSocket` that sends headers.
const NODE: (u32, u32) = (24, 0);
const TOKEN: &str = "a-token-for-the-sdks";

/// Installs the SDKs and drives a server of its own with each.
pub(crate) fn run() -> Result<()> {
    let workspace = Workspace::load()?;
    programs::ensure(&workspace)?;
    let cache = workspace.cache("sdks");
    let node = Node::at_least(&workspace, NODE)?;
    let module = javascript(&cache, &node)?;
    let python = python::environment(&cache, PYTHON, "sprites")?.join("python");
    let mut build = shell::cargo();
    build.current_dir(&workspace.root);
    shell::run(build.args(["build", "--quiet", "--locked", "--package", "sprited"]))?;
    let program = workspace.target.join("debug/sprited");
    let server = Running::start(&program, |command, port, directory| {
        command
            .args(["serve", "--port", &port.to_string(), "--data-dir"])
            .arg(directory)
            .env("SPRITED_TOKEN", TOKEN)
            .env("RUST_LOG", "warn");
    })?;
    let flows = workspace.root.join("apps/sprited/sdks");
    let flow = Command::new(&node.program)
        .arg(flows.join("flow.mjs"))
        .arg(module)
        .args([&server.url, TOKEN])
        .status();
    passed("JavaScript", flow)?;
    let flow = Command::new(python)
        .arg(flows.join("flow.py"))
        .args([&server.url, TOKEN])
        .status();
    passed("Python", flow)
}

fn passed(language: &str, status: std::io::Result<std::process::ExitStatus>) -> Result<()> {
    let status = status.with_context(|| format!("the {language} SDK cannot be run"))?;
    if !status.success() {
        bail!("the {language} SDK did not get through its steps: {status}");
    }
    Ok(())
}

/// The SDK's entry.
fn javascript(cache: &Path, node: &Node) -> Result<PathBuf> {
    let prefix = cache.join("javascript");
    let module = prefix.join("node_modules/@fly/sprites/dist/index.js");
    if !module.exists() {
        let mut install = node.npm()?;
        let quiet = ["install", "--no-audit", "--no-fund", "--ignore-scripts"];
        install.args(quiet).arg("--prefix").arg(&prefix);
        shell::run(install.arg(JAVASCRIPT))?;
    }
    Ok(module)
}
