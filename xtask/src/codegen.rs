//! `codegen`: committed files that a program writes. Today that is the OpenAPI document, printed by
//! the server from its routes alone.

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context, Result, bail};

use crate::{shell, workspace::Workspace};

/// Builds the server and writes the documents, or with `only_check` compares them.
pub(crate) fn run(only_check: bool) -> Result<()> {
    let workspace = Workspace::load()?;
    let build = ["build", "--locked", "--package", "server"];
    shell::run(shell::cargo().current_dir(&workspace.root).args(build))?;
    if only_check {
        return check(&workspace);
    }
    let text = document(&workspace)?;
    fs::write(file(&workspace), text).context("cannot write docs/openapi.json")
}

/// Fails when a committed document is not what the server that is already built prints.
pub(crate) fn check(workspace: &Workspace) -> Result<()> {
    let committed = fs::read_to_string(file(workspace));
    let committed = committed.context("cannot read docs/openapi.json; run: cargo xtask codegen")?;
    if let Some(line) = first_difference(&committed, &document(workspace)?) {
        bail!("docs/openapi.json is out of date from line {line} on; run: cargo xtask codegen");
    }
    Ok(())
}

fn document(workspace: &Workspace) -> Result<String> {
    let mut server = Command::new(workspace.target.join("debug/nitejar"));
    shell::output(server.current_dir(&workspace.root).arg("openapi"))
}

fn file(workspace: &Workspace) -> PathBuf {
    workspace.root.join("docs/openapi.json")
}

/// The number of the first line in which two texts differ.
fn first_difference(left: &str, right: &str) -> Option<usize> {
    if left == right {
        return None;
    }
    let same = left
        .lines()
        .zip(right.lines())
        .take_while(|(left, right)| left == right)
        .count();
    Some(same + 1)
}

#[cfg(test)]
mod tests {
    use super::first_difference;

    #[test]
    fn a_stale_document_is_found_at_its_first_changed_line() {
        assert_eq!(first_difference("{\n}\n", "{\n}\n"), None);
        assert_eq!(
            first_difference("{\n\"a\": 1\n}\n", "{\n\"a\": 2\n}\n"),
            Some(2)
        );
        assert_eq!(first_difference("{\n}\n", "{\n}\n\n"), Some(3));
    }
}
