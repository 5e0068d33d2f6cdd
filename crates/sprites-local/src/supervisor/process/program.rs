//! Which file a command runs and with what around it, found as shells find it. No shell reads any
//! of it.

use crate::{
    processes::wire::Start,
    supervisor::{
        environment::{PATH, Surroundings},
        files::resolve,
    },
};
use nix::{
    errno::Errno,
    unistd::{AccessFlags, access},
};
use std::{
    fs, io,
    os::unix::process::CommandExt as _,
    path::{Path, PathBuf},
    process::Command,
};

/// Why nothing was started, and the exit code that shells have for it.
pub(super) struct NotStarted {
    pub(super) code: i32,
    pub(super) reason: String,
}

impl NotStarted {
    fn missing(reason: String) -> Self {
        let code = 127;
        Self { code, reason }
    }

    fn refused(reason: String) -> Self {
        let code = 126;
        Self { code, reason }
    }

    /// What the system said when it was started.
    pub(super) fn by(start: &Start, error: &io::Error) -> Self {
        let name = name(start);
        match error.raw_os_error().map(Errno::from_raw) {
            Some(Errno::ENOENT) => Self::missing(format!("{name}: its interpreter is missing")),
            Some(Errno::E2BIG) => Self::refused(format!(
                "{name}: the arguments and the environment are too long together"
            )),
            Some(Errno::EAGAIN) => {
                Self::refused(format!("{name}: too many processes run in this sprite"))
            }
            _ => Self::refused(format!("{name}: {error}")),
        }
    }
}

/// The command, without its streams.
pub(super) fn command(start: &Start, surroundings: &Surroundings) -> Result<Command, NotStarted> {
    let directory = match start.directory.as_deref() {
        Some(given) => {
            let directory = resolve(&surroundings.home, given);
            enter(&directory).map_err(|error| NotStarted::refused(format!("{given}: {error}")))?;
            directory
        }
        None => surroundings.home.clone(),
    };
    let file = find(start, &directory)?;
    let mut command = Command::new(file);
    if let Some((zeroth, rest)) = start.arguments.split_first() {
        command.arg0(zeroth).args(rest);
    }
    command
        .current_dir(directory)
        .env_clear()
        .envs(surroundings.variables());
    if start.terminal.is_some() {
        command.env("TERM", "xterm-256color");
    }
    for (name, value) in &start.environment {
        command.env(name, value);
    }
    Ok(command)
}

fn enter(directory: &Path) -> io::Result<()> {
    if !fs::metadata(directory)?.is_dir() {
        return Err(Errno::ENOTDIR.into());
    }
    Ok(access(directory, AccessFlags::X_OK)?)
}

fn name(start: &Start) -> &str {
    let zeroth = start.arguments.first();
    start.program.as_ref().or(zeroth).map_or("", String::as_str)
}

/// The file to run. A `PATH` that was given comes before the sprite's own, which a list of
/// variables that only adds something does not repeat.
fn find(start: &Start, directory: &Path) -> Result<PathBuf, NotStarted> {
    let name = name(start);
    if name.contains('/') {
        let path = directory.join(name);
        return runs(&path).map(|()| path).map_err(|error| {
            let text = format!("{name}: {}", said(error));
            match error {
                Errno::ENOENT | Errno::ENOTDIR => NotStarted::missing(text),
                _ => NotStarted::refused(text),
            }
        });
    }
    let given = start
        .environment
        .iter()
        .rev()
        .find(|(key, _)| key == "PATH");
    let given = given.map(|(_, path)| path.as_str()).into_iter();
    let mut refused = None;
    for place in given.chain([PATH]).flat_map(|path| path.split(':')) {
        let path = directory.join(place).join(name);
        match runs(&path) {
            Ok(()) if !name.is_empty() => return Ok(path),
            Err(error @ (Errno::EACCES | Errno::EPERM)) => refused = refused.or(Some(error)),
            Ok(()) | Err(_) => {}
        }
    }
    Err(match refused {
        Some(error) => NotStarted::refused(format!("{name}: {}", said(error))),
        None => NotStarted::missing(format!("{name}: command not found")),
    })
}

fn runs(path: &Path) -> Result<(), Errno> {
    let metadata = fs::metadata(path)
        .map_err(|error| error.raw_os_error().map_or(Errno::EIO, Errno::from_raw))?;
    if metadata.is_dir() {
        return Err(Errno::EISDIR);
    }
    access(path, AccessFlags::X_OK)
}

fn said(error: Errno) -> &'static str {
    match error {
        Errno::ENOENT => "no such file or directory",
        Errno::EACCES => "permission denied",
        Errno::EISDIR => "it is a directory",
        other => other.desc(),
    }
}
