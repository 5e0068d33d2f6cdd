//! The data directory of a throw-away Postgres: copied from a template that is made once per server
//! version, because making one takes longer than most suites.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};
use throwaway::{Place, postgres};

use crate::{shell, workspace::Workspace};

/// Puts the data directory in its place.
pub(super) fn provide(
    place: &Place,
    initdb: &Path,
    program: &Path,
    workspace: &Workspace,
) -> Result<()> {
    let (template, data) = (path(place, program, workspace)?, postgres::data(place));
    if template.is_dir() {
        return copy(&template, &data);
    }
    postgres::init(place, initdb)?;
    let parent = template
        .parent()
        .context("the template has no parent directory")?;
    fs::create_dir_all(parent)?;
    // Renamed into place, so that a killed run leaves no half template under the final name.
    let staging = tempfile::tempdir_in(parent)?;
    let copied = staging.path().join("data");
    copy(&data, &copied)?;
    match fs::rename(&copied, &template) {
        Ok(()) => Ok(()),
        // Another run was quicker; its template is as good.
        Err(_) if template.is_dir() => Ok(()),
        Err(error) => Err(error).context("cannot keep the Postgres template"),
    }
}

fn path(place: &Place, program: &Path, workspace: &Workspace) -> Result<PathBuf> {
    let version = shell::output(Command::new(program).arg("--version"))?;
    let plain = |c: char| {
        if c.is_ascii_alphanumeric() || c == '.' {
            c
        } else {
            '_'
        }
    };
    let name: String = version.trim().chars().map(plain).collect();
    // A data directory belongs to one user, so two users of one checkout keep two templates.
    let owner = place.owner();
    Ok(workspace.cache("postgres").join(format!("{name}-{owner}")))
}

fn copy(from: &Path, to: &Path) -> Result<()> {
    let status = Command::new("cp")
        .args(["-a", "--reflink=auto"])
        .args([from, to])
        .status()?;
    if !status.success() {
        bail!(
            "cannot copy {} to {}: {status}",
            from.display(),
            to.display()
        );
    }
    Ok(())
}
