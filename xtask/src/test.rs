//! `test`: everything the suites need, then every suite. Nothing is printed after the runner's own
//! summary, which people and machines look for at the end.

use std::process::Command;

use anyhow::Result;

use crate::services::{Services, Syncs};
use crate::workspace::Workspace;
use crate::{issuer, programs, shell};

/// Runs the doc tests and then all other tests, or only those whose name contains `filter`.
pub(crate) fn run(filter: Option<&str>) -> Result<()> {
    let workspace = Workspace::load()?;
    programs::ensure(&workspace)?;
    let issuer = issuer::ready(&workspace)?;
    let wanted = workspace.services();
    let services = if wanted.is_empty() {
        None
    } else {
        Some(Services::start(&wanted, &workspace, Syncs::Skipped)?)
    };
    let prepare = |command: &mut Command| {
        command.current_dir(&workspace.root);
        command.envs(services.iter().flat_map(Services::environment));
        command.envs(issuer.clone());
        if shell::env("SANDBOX_REQUIRE").is_none() {
            command.env("SANDBOX_REQUIRE", required_tiers());
        }
    };
    if filter.is_none() {
        let mut doc_tests = shell::cargo();
        prepare(doc_tests.args(["test", "--quiet", "--doc", "--workspace", "--locked"]));
        shell::run(&mut doc_tests)?;
    }
    let mut tests = shell::cargo();
    prepare(
        tests
            .args(["nextest", "run", "--workspace", "--locked"])
            .args(filter),
    );
    if shell::env("CI").is_some() {
        tests.args(["--profile", "ci"]);
    }
    shell::run(&mut tests)
}

/// The sandbox tiers whose absence is a failure here. A build machine must have both; elsewhere a
/// container may forbid namespaces, and then the Landlock tier is the one that counts.
fn required_tiers() -> &'static str {
    let root = nix::unistd::geteuid().is_root();
    let namespaces = || {
        shell::succeeds(Command::new("bwrap").args([
            "--unshare-all",
            "--ro-bind",
            "/",
            "/",
            "true",
        ]))
    };
    if root && (shell::env("CI").is_some() || namespaces()) {
        "namespaces,landlock"
    } else {
        "landlock"
    }
}
