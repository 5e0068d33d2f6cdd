//! The variables that everything in the sandbox is started with. Nothing of the server's own
//! environment is among them.

use super::{egress, growth::Growth};
use std::{
    ffi::OsString,
    path::{Path, PathBuf},
};

/// Where programs are looked for.
pub(super) const PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/// What commands are started with.
pub(super) struct Surroundings {
    pub(super) home: PathBuf,
    pub(super) tmp: PathBuf,
    /// Whether the way out is the proxy of [`super::egress`].
    pub(super) proxied: bool,
    /// Whether what is started may write to files.
    pub(super) growth: Growth,
}

impl Surroundings {
    /// The environment, for a command without a terminal.
    pub(super) fn variables(&self) -> Vec<(&'static str, OsString)> {
        let path = |path: &Path| path.as_os_str().to_owned();
        let mut variables = vec![
            ("HOME", path(&self.home)),
            ("LANG", "C.UTF-8".into()),
            ("LOGNAME", "sprite".into()),
            ("PATH", PATH.into()),
            ("SHELL", "/bin/bash".into()),
            ("TERM", "dumb".into()),
            ("TMPDIR", path(&self.tmp)),
            ("USER", "sprite".into()),
        ];
        if self.proxied {
            variables.extend(egress::VARIABLES.map(|(name, value)| (name, value.into())));
        }
        variables
    }
}
