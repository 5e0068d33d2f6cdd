//! The web app from the outside: its packages, its build, what is generated for it and what checks it.
//! How it is built stands in `apps/web`; here is only when, and with which Node.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::SystemTime;

use anyhow::{Context, Result, bail};
use serde::Deserialize;

use crate::{node::Node, shell, workspace::Workspace};

/// What Vite and its neighbours run on.
const NODE: (u32, u32) = (20, 19);
/// How much JavaScript the first screen may load, packed.
const FIRST_SCREEN: u64 = 250_000;
/// What a person sees first: with a login, and without.
const FIRST_SCREENS: [&str; 2] = [
    "src/screens/home/HomeScreen.tsx",
    "src/screens/access/LoginScreen.tsx",
];

/// The web app with its packages installed.
pub(crate) struct Web {
    directory: PathBuf,
    node: Node,
}

impl Web {
    /// Installs the packages unless those of the lock file are there.
    pub(crate) fn ready(workspace: &Workspace) -> Result<Self> {
        let web = Self {
            directory: workspace.root.join("apps/web"),
            node: Node::at_least(workspace, NODE)?,
        };
        let installed = changed(&web.directory.join("node_modules/.package-lock.json"));
        if installed < changed(&web.directory.join("package-lock.json")) {
            // Not `ci`: that wants the packages of every platform in the lock file, and a mirror need not have them.
            web.npm(&[
                "install",
                "--no-save",
                "--ignore-scripts",
                "--no-audit",
                "--no-fund",
            ])?;
        }
        Ok(web)
    }

    /// Builds what the server carries inside, unless that is newer than all it is made of.
    pub(crate) fn build(&self) -> Result<()> {
        let built = changed(&self.directory.join("dist/index.html"));
        if built.is_some() && built > newest(&self.directory)? {
            return Ok(());
        }
        self.npm(&["run", "build"])
    }

    /// Everything that gates a change of the app, and how much its first screen loads.
    pub(crate) fn check(&self) -> Result<()> {
        self.npm(&["run", "check"])?;
        self.npm(&["run", "test"])?;
        self.build()?;
        for screen in FIRST_SCREENS {
            let size = first_load(&self.directory.join("dist"), screen)?;
            eprintln!("{screen} loads {} KB of packed JavaScript", size / 1_000);
            if size > FIRST_SCREEN {
                bail!(
                    "{screen} loads {size} bytes of packed JavaScript, more than {FIRST_SCREEN}; \
                     import what is not seen at once lazily"
                );
            }
        }
        Ok(())
    }

    /// The types of the API, made from the committed document.
    pub(crate) fn schema(&self, document: &Path) -> Result<String> {
        let generator = "node_modules/openapi-typescript/bin/cli.js";
        let mut command = Command::new(&self.node.program);
        command.current_dir(&self.directory).arg(generator);
        shell::output(command.arg(document))
    }

    /// Where those types are committed.
    pub(crate) fn schema_file(&self) -> PathBuf {
        self.directory.join("src/api/schema.ts")
    }

    /// A program that one of the packages brings.
    pub(crate) fn program(&self, name: &str) -> Result<Command> {
        let mut command = Command::new(self.directory.join("node_modules/.bin").join(name));
        command.current_dir(&self.directory);
        self.node.lead(&mut command)?;
        Ok(command)
    }

    fn npm(&self, arguments: &[&str]) -> Result<()> {
        let mut command = self.node.npm()?;
        shell::run(command.current_dir(&self.directory).args(arguments))
    }
}

fn changed(file: &Path) -> Option<SystemTime> {
    fs::metadata(file).and_then(|file| file.modified()).ok()
}

/// When something that the build is made of changed last.
fn newest(directory: &Path) -> Result<Option<SystemTime>> {
    let made = ["dist", "node_modules", "e2e"];
    let mut newest = None;
    for entry in fs::read_dir(directory)? {
        let entry = entry?;
        let name = entry.file_name();
        if made.iter().any(|made| name == *made) {
            continue;
        }
        newest = newest.max(changed(&entry.path()));
        if entry.file_type()?.is_dir() {
            newest = newest.max(self::newest(&entry.path())?);
        }
    }
    Ok(newest)
}

/// What Vite says about one of its inputs.
#[derive(Deserialize)]
struct Chunk {
    file: String,
    #[serde(default)]
    imports: Vec<String>,
    #[serde(default, rename = "isEntry")]
    is_entry: bool,
}

type Chunks = std::collections::BTreeMap<String, Chunk>;

/// The packed size of all JavaScript that is loaded before the screen shows.
fn first_load(dist: &Path, screen: &str) -> Result<u64> {
    let manifest = fs::read(dist.join(".vite/manifest.json"));
    let manifest = manifest.context("the web app is not built; run: cargo xtask up")?;
    let chunks: Chunks =
        serde_json::from_slice(&manifest).context("Vite's manifest is not what it was")?;
    if !chunks.contains_key(screen) {
        bail!("{screen} is no chunk of its own any more");
    }
    let entries = chunks.iter().filter(|(_, chunk)| chunk.is_entry);
    let mut open: Vec<&str> = entries.map(|(name, _)| name.as_str()).collect();
    open.push(screen);
    let mut seen = std::collections::BTreeSet::new();
    let mut size = 0;
    while let Some(name) = open.pop() {
        let Some(chunk) = chunks.get(name).filter(|_| seen.insert(name)) else {
            continue;
        };
        open.extend(chunk.imports.iter().map(String::as_str));
        size += packed(&dist.join(&chunk.file))?;
    }
    Ok(size)
}

/// As gzip, which every client takes; files too small to pack are sent as they are.
fn packed(file: &Path) -> Result<u64> {
    let name = file.display();
    let gzip = fs::metadata(format!("{name}.gz"));
    let metadata = gzip.or_else(|_| fs::metadata(file));
    Ok(metadata
        .with_context(|| format!("{name} was not built"))?
        .len())
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::first_load;

    #[test]
    fn the_first_screen_is_the_entry_the_screen_and_all_they_import_once() {
        let dist = tempfile::tempdir().unwrap();
        let write = |name: &str, size: usize| {
            fs::write(dist.path().join(name), "x".repeat(size)).unwrap();
        };
        fs::create_dir(dist.path().join(".vite")).unwrap();
        let manifest = r#"{
            "index.html": {"file": "index.js", "isEntry": true, "imports": ["_react.js"], "dynamicImports": ["other.tsx"]},
            "_react.js": {"file": "react.js"},
            "screen.tsx": {"file": "screen.js", "imports": ["_react.js", "_list.js"]},
            "_list.js": {"file": "list.js"},
            "other.tsx": {"file": "other.js"}
        }"#;
        fs::write(dist.path().join(".vite/manifest.json"), manifest).unwrap();
        let sizes = [
            ("index.js", 900),
            ("react.js", 800),
            ("screen.js", 20),
            ("list.js", 3),
            ("other.js", 7_000),
        ];
        for (name, size) in sizes {
            write(name, size);
        }
        write("index.js.gz", 100);
        assert_eq!(
            first_load(dist.path(), "screen.tsx").unwrap(),
            100 + 800 + 20 + 3
        );
        assert!(first_load(dist.path(), "gone.tsx").is_err());
    }
}
