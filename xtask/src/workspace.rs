//! What `cargo metadata` says about our own packages. Only declared facts are read here; the rules
//! about them belong to `tidy`.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use serde::Deserialize;

use crate::{services::Service, shell};

/// The workspace: where it is and which packages it has.
#[derive(Debug, Deserialize)]
pub(crate) struct Workspace {
    pub(crate) packages: Vec<Package>,
    #[serde(rename = "workspace_root")]
    pub(crate) root: PathBuf,
    #[serde(rename = "target_directory")]
    pub(crate) target: PathBuf,
}

/// One member package.
#[derive(Debug, Deserialize)]
pub(crate) struct Package {
    pub(crate) name: String,
    pub(crate) manifest_path: PathBuf,
    pub(crate) dependencies: Vec<Dependency>,
    #[serde(default)]
    metadata: Option<Metadata>,
}

/// One declared dependency of a member.
#[derive(Debug, Deserialize)]
pub(crate) struct Dependency {
    pub(crate) name: String,
    /// `None` is a normal dependency, else `dev` or `build`.
    #[serde(default)]
    pub(crate) kind: Option<String>,
    /// Set for first-party packages only.
    #[serde(default)]
    pub(crate) path: Option<PathBuf>,
}

/// Our own keys under `[package.metadata]`.
#[derive(Debug, Default, Deserialize)]
struct Metadata {
    #[serde(default)]
    layer: Option<String>,
    #[serde(default)]
    services: BTreeSet<Service>,
}

impl Workspace {
    /// Asks cargo about the workspace that the current directory belongs to.
    pub(crate) fn load() -> Result<Self> {
        let text = shell::output(shell::cargo().args([
            "metadata",
            "--format-version=1",
            "--no-deps",
            "--offline",
        ]))?;
        serde_json::from_str(&text).context("cargo metadata printed something unexpected")
    }

    /// The services that at least one package declares for its tests.
    pub(crate) fn services(&self) -> BTreeSet<Service> {
        let declared = self
            .packages
            .iter()
            .filter_map(|package| package.metadata.as_ref());
        declared
            .flat_map(|metadata| metadata.services.iter().copied())
            .collect()
    }

    /// A directory of ours under the target directory, for things worth keeping between runs.
    pub(crate) fn cache(&self, name: &str) -> PathBuf {
        self.target.join("xtask").join(name)
    }
}

impl Package {
    /// The declared layer, unparsed.
    pub(crate) fn layer(&self) -> Option<&str> {
        self.metadata.as_ref()?.layer.as_deref()
    }

    /// The directory that holds the manifest.
    pub(crate) fn directory(&self) -> &Path {
        self.manifest_path.parent().unwrap_or(Path::new("."))
    }
}

#[cfg(test)]
impl Package {
    /// A package for the tests of the rules: its name, layer and normal first-party dependencies.
    pub(crate) fn sample(name: &str, layer: &str, dependencies: &[&str]) -> Self {
        let dependency = |name: &&str| Dependency {
            name: (*name).to_owned(),
            kind: None,
            path: Some(PathBuf::new()),
        };
        Self {
            name: name.to_owned(),
            manifest_path: PathBuf::from(name).join("Cargo.toml"),
            dependencies: dependencies.iter().map(dependency).collect(),
            metadata: Some(Metadata {
                layer: Some(layer.to_owned()),
                services: BTreeSet::new(),
            }),
        }
    }
}
