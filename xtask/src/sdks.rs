//! `sdks`: the published SDKs of the Sprites API against our `sprited`. They are judges, not parts: they
//! are installed into our own cache, and nothing of them is in the repository.

use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use crate::{node::Node, programs, shell, workspace::Workspace};

const JAVASCRIPT: &str = "@fly/sprites@0.1.0";
const PYTHON: &str = "sprites-py==0.7.2";
/// The JavaScript SDK needs a `WebSocket` that sends headers.
const NODE: (u32, u32) = (24, 0);
const TOKEN: &str = "a-token-for-the-sdks";
const PATIENCE: Duration = Duration::from_secs(20);

/// Installs the SDKs and drives a server of its own with each.
pub(crate) fn run() -> Result<()> {
    let workspace = Workspace::load()?;
    programs::ensure(&workspace)?;
    let cache = workspace.cache("sdks");
    let node = Node::at_least(&workspace, NODE)?;
    let module = javascript(&cache, &node)?;
    let python = python(&cache)?;
    let mut build = shell::cargo();
    build.current_dir(&workspace.root);
    shell::run(build.args(["build", "--quiet", "--locked", "--package", "sprited"]))?;
    let server = Server::start(&workspace)?;
    let flows = workspace.root.join("apps/sprited/sdks");
    let flow = Command::new(&node.program)
        .arg(flows.join("flow.mjs"))
        .arg(module)
        .args([&server.url, TOKEN])
        .status();
    passed("JavaScript", flow)?;
    let flow = Command::new(python)
        .arg(flows.join("flow.py"))
        .args([&server.url, TOKEN])
        .status();
    passed("Python", flow)
}

fn passed(language: &str, status: std::io::Result<std::process::ExitStatus>) -> Result<()> {
    let status = status.with_context(|| format!("the {language} SDK cannot be run"))?;
    if !status.success() {
        bail!("the {language} SDK did not get through its steps: {status}");
    }
    Ok(())
}

/// The SDK's entry.
fn javascript(cache: &Path, node: &Node) -> Result<PathBuf> {
    let prefix = cache.join("javascript");
    let module = prefix.join("node_modules/@fly/sprites/dist/index.js");
    if !module.exists() {
        let mut install = node.npm()?;
        let quiet = ["install", "--no-audit", "--no-fund", "--ignore-scripts"];
        install.args(quiet).arg("--prefix").arg(&prefix);
        shell::run(install.arg(JAVASCRIPT))?;
    }
    Ok(module)
}

/// A Python that has the SDK.
fn python(cache: &Path) -> Result<PathBuf> {
    let environment = cache.join("python");
    let own = environment.join("bin/python");
    if shell::succeeds(Command::new(&own).args(["-c", "import sprites"])) {
        return Ok(own);
    }
    let python = shell::on_path("python3").context("python3 is not installed")?;
    shell::run(Command::new(python).args(["-m", "venv"]).arg(&environment))?;
    shell::run(Command::new(environment.join("bin/pip")).args(["install", "--quiet", PYTHON]))?;
    Ok(own)
}

/// A `sprited` with a directory of its own; dropping it ends both.
struct Server {
    process: Child,
    directory: PathBuf,
    url: String,
}

impl Server {
    #[expect(
        clippy::disallowed_methods,
        reason = "a program outside says in no other way that it listens"
    )]
    fn start(workspace: &Workspace) -> Result<Self> {
        let port = TcpListener::bind("127.0.0.1:0")?.local_addr()?.port();
        let directory = std::env::temp_dir().join(format!("sprited-{}", std::process::id()));
        let process = Command::new(workspace.target.join("debug/sprited"))
            .args(["serve", "--port", &port.to_string(), "--data-dir"])
            .arg(&directory)
            .env("SPRITED_TOKEN", TOKEN)
            .env("RUST_LOG", "warn")
            .stdin(Stdio::null())
            .spawn()
            .context("sprited does not start")?;
        let mut server = Self {
            process,
            directory,
            url: format!("http://127.0.0.1:{port}"),
        };
        let begun = Instant::now();
        while TcpStream::connect(("127.0.0.1", port)).is_err() {
            if let Some(status) = server.process.try_wait()? {
                bail!("sprited ended: {status}");
            }
            if begun.elapsed() > PATIENCE {
                bail!("sprited does not listen after {PATIENCE:?}");
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        Ok(server)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let ended = i32::try_from(self.process.id())
            .map_err(anyhow::Error::from)
            .and_then(|pid| Ok(kill(Pid::from_raw(pid), Signal::SIGTERM)?))
            .and_then(|()| Ok(self.process.wait()?))
            .and_then(|_| Ok(std::fs::remove_dir_all(&self.directory)?));
        if let Err(error) = ended {
            eprintln!("sprited was not ended cleanly: {error}");
        }
    }
}
