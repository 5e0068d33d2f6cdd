//! `codegen`: committed files that a program writes: the OpenAPI document, printed by the server from
//! its routes alone, and the types of the web app's client, made from that document.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};

use crate::{shell, web::Web, workspace::Workspace};

/// Builds the server and writes the documents, or with `only_check` compares them.
pub(crate) fn run(only_check: bool) -> Result<()> {
    let workspace = Workspace::load()?;
    let build = ["build", "--locked", "--package", "server"];
    shell::run(shell::cargo().current_dir(&workspace.root).args(build))?;
    if only_check {
        return check(&workspace);
    }
    let text = document(&workspace)?;
    fs::write(file(&workspace), text).context("cannot write docs/openapi.json")?;
    let web = Web::ready(&workspace)?;
    let schema = web.schema(&file(&workspace))?;
    fs::write(web.schema_file(), schema).context("cannot write apps/web/src/api/schema.ts")
}

/// Fails when a committed file is not what the server that is already built leads to.
pub(crate) fn check(workspace: &Workspace) -> Result<()> {
    same("docs/openapi.json", &file(workspace), &document(workspace)?)?;
    let web = Web::ready(workspace)?;
    let schema = web.schema(&file(workspace))?;
    same("apps/web/src/api/schema.ts", &web.schema_file(), &schema)
}

fn same(name: &str, committed: &Path, fresh: &str) -> Result<()> {
    let committed = fs::read_to_string(committed);
    let committed =
        committed.with_context(|| format!("cannot read {name}; run: cargo xtask codegen"))?;
    if let Some(line) = first_difference(&committed, fresh) {
        bail!("{name} is out of date from line {line} on; run: cargo xtask codegen");
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
