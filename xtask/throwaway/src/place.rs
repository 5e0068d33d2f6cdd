//! Where servers run and as whom. It starts nothing by itself.

use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::{Context, Result};
use nix::sys::{prctl, signal::Signal};
use nix::unistd::{Uid, User, chown, geteuid};
use tempfile::TempDir;

/// A directory that goes when it is dropped; drop the servers in it first.
pub struct Place {
    directory: TempDir,
    /// Postgres refuses to run as root, so root hands the servers to another user.
    user: Option<User>,
}

impl Place {
    /// A fresh directory whose name begins so.
    pub fn new(prefix: &str) -> Result<Self> {
        // Under /tmp because the path of a unix socket may have 107 bytes only.
        let directory = tempfile::Builder::new().prefix(prefix).tempdir_in("/tmp")?;
        let user = service_user()?;
        if let Some(user) = &user {
            chown(directory.path(), Some(user.uid), Some(user.gid))?;
        }
        Ok(Self { directory, user })
    }

    /// The directory.
    pub fn path(&self) -> &Path {
        self.directory.path()
    }

    /// Whom the servers and their files belong to.
    pub fn owner(&self) -> Uid {
        self.user.as_ref().map_or_else(geteuid, |user| user.uid)
    }

    /// A command that runs in the directory as the service user and dies with us.
    #[expect(
        unsafe_code,
        reason = "std has no safe way to run prctl between fork and exec"
    )]
    pub fn command(&self, program: &Path) -> Command {
        let mut command = Command::new(program);
        command
            .current_dir(self.path())
            .env_remove("PGHOST")
            .env("LC_ALL", "C")
            .stdin(Stdio::null());
        if let Some(user) = &self.user {
            command.uid(user.uid.as_raw()).gid(user.gid.as_raw());
        }
        // SAFETY: the closure makes one async-signal-safe system call and allocates nothing. It runs
        // after the change of user, which would clear the setting.
        unsafe { command.pre_exec(|| Ok(prctl::set_pdeathsig(Signal::SIGQUIT)?)) };
        command
    }
}

/// The user the servers run as; `None` when we are not root and they run as us.
fn service_user() -> Result<Option<User>> {
    if !geteuid().is_root() {
        return Ok(None);
    }
    let known = User::from_name("postgres")?;
    let user = known.map_or_else(|| User::from_name("nobody"), |user| Ok(Some(user)))?;
    user.map(Some)
        .context("neither a user `postgres` nor a user `nobody` exists to run the servers")
}
