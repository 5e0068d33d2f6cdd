//! The OpenID Connect issuer that sign-in is tested against: a certified one from npm, in our own cache. A judge, not
//! a part: nothing of it is in the repository.

use std::path::PathBuf;
use std::process::Command;

use anyhow::Result;

use crate::{node::Node, shell, workspace::Workspace};

const PACKAGE: &str = "oidc-provider";
const RELEASE: &str = "9.13.3";
/// The oldest that it supports.
const NODE: (u32, u32) = (22, 0);

/// Installs it unless it is there, and says where it and its Node are.
pub(crate) fn ready(workspace: &Workspace) -> Result<[(&'static str, PathBuf); 2]> {
    let node = Node::at_least(workspace, NODE)?;
    let prefix = workspace.cache("issuer").join(RELEASE);
    let module = prefix
        .join("node_modules")
        .join(PACKAGE)
        .join("lib/index.js");
    if !module.exists() {
        let mut install: Command = node.npm()?;
        let quiet = ["install", "--no-audit", "--no-fund", "--ignore-scripts"];
        install.args(quiet).arg("--prefix").arg(&prefix);
        shell::run(install.arg(format!("{PACKAGE}@{RELEASE}")))?;
    }
    Ok([("TEST_NODE", node.program), ("TEST_OIDC_PROVIDER", module)])
}
