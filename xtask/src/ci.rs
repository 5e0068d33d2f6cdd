//! `ci`: the checks that gate a change, the quick ones first and the tests last.

use anyhow::Result;

use crate::{
    codegen, e2e, programs, proof, schemathesis, sdks, shell, test, tidy, web::Web,
    workspace::Workspace,
};

/// Runs every gate and stops at the first that fails.
pub(crate) fn run() -> Result<()> {
    cargo("fmt --all --check")?;
    tidy::run()?;
    cargo("clippy --workspace --all-targets --locked -- -D warnings")?;
    programs::ensure_cargo("deny", "cargo-deny", "^0.20")?;
    cargo("deny --log-level error check --hide-inclusion-graph bans licenses sources")?;
    // Built as the tests will be, so that nothing is compiled twice with other features.
    cargo("build --quiet --workspace --all-targets --locked")?;
    let workspace = Workspace::load()?;
    codegen::check(&workspace)?;
    Web::ready(&workspace)?.check()?;
    sdks::run()?;
    schemathesis::run(&[])?;
    proof::crash(&["--ci".to_owned()])?;
    e2e::run(&[])?;
    test::run(None)
}

fn cargo(line: &str) -> Result<()> {
    shell::run(shell::cargo().args(line.split_whitespace()))
}
