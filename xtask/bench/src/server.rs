//! The process under test: a `nitejar serve` of its own, spoken to over its public API only.

use std::fs::File;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use reqwest::Client;
use serde_json::Value;
use tokio::process::{Child, Command};

const TOKEN: &str = "bench-owner-token-0123456789abcdef";
const START_LIMIT: Duration = Duration::from_secs(30);

/// What a server is started with.
pub(crate) struct Setup<'a> {
    /// Its data directory.
    pub(crate) data: &'a Path,
    /// Its database, where that is not a file in the data directory.
    pub(crate) database: Option<&'a str>,
    /// Where the model answers.
    pub(crate) model_url: String,
    /// Where its log is appended.
    pub(crate) log: PathBuf,
}

/// A running server.
pub(crate) struct Server {
    child: Child,
    pub(crate) pid: u32,
    pub(crate) port: u16,
    client: Client,
    /// From the start of the process to its first 200 from `/readyz`.
    pub(crate) started_in: Duration,
}

impl Server {
    /// Starts the binary and waits until it is ready.
    pub(crate) async fn start(binary: &Path, setup: &Setup<'_>) -> Result<Self> {
        let port = TcpListener::bind("127.0.0.1:0")?.local_addr()?.port();
        let log = File::options().create(true).append(true).open(&setup.log)?;
        let client = client()?;
        let mut command = Command::new(binary);
        command
            .arg("serve")
            .stdin(Stdio::null())
            .stdout(log.try_clone()?)
            .stderr(log)
            .kill_on_drop(true);
        command.env_clear().envs([
            ("HOST", "127.0.0.1"),
            ("PATH", "/usr/local/bin:/usr/bin:/bin"),
        ]);
        command
            .env("PORT", port.to_string())
            .env("DATA_DIR", setup.data)
            .envs(setup.database.map(|url| ("DATABASE_URL", url)))
            .env("NITEJAR_ADMIN_TOKEN", TOKEN);
        command.envs([
            ("OPENAI_API_KEY", "x"),
            ("OPENAI_BASE_URL", setup.model_url.as_str()),
            ("AGENT_MODEL", "openai/bench"),
        ]);

        let started = Instant::now();
        let mut child = command
            .spawn()
            .with_context(|| format!("cannot start {}", binary.display()))?;
        let ready = format!("http://127.0.0.1:{port}/readyz");
        while !client
            .get(&ready)
            .send()
            .await
            .is_ok_and(|response| response.status().is_success())
        {
            if let Some(status) = child.try_wait()? {
                bail!("the server ended with {status}; see server.log");
            }
            ensure!(
                started.elapsed() < START_LIMIT,
                "the server is not ready after {START_LIMIT:?}"
            );
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        let started_in = started.elapsed();
        let pid = child.id().context("the server has no process id")?;
        Ok(Self {
            child,
            pid,
            port,
            client,
            started_in,
        })
    }

    /// Posts JSON to the API and returns the answer.
    pub(crate) async fn post(&self, path: &str, body: &Value) -> Result<Value> {
        self.send(self.client.post(self.url(path)).json(body)).await
    }

    /// Patches something of the API.
    pub(crate) async fn patch(&self, path: &str, body: &Value) -> Result<Value> {
        self.send(self.client.patch(self.url(path)).json(body))
            .await
    }

    /// Gets JSON from the API.
    pub(crate) async fn get(&self, path: &str) -> Result<Value> {
        self.send(self.client.get(self.url(path))).await
    }

    /// Asks it to stop and waits for it.
    pub(crate) async fn stop(mut self) -> Result<()> {
        kill(Pid::from_raw(i32::try_from(self.pid)?), Signal::SIGTERM)?;
        let status = self.child.wait().await?;
        ensure!(
            status.success(),
            "the server ended with {status}; see server.log"
        );
        Ok(())
    }

    fn url(&self, path: &str) -> String {
        format!("http://127.0.0.1:{}{path}", self.port)
    }

    async fn send(&self, request: reqwest::RequestBuilder) -> Result<Value> {
        let response = request.bearer_auth(TOKEN).send().await?;
        let (status, url) = (response.status(), response.url().clone());
        let text = response.text().await?;
        ensure!(status.is_success(), "{url} answered {status}: {text}");
        serde_json::from_str(&text).with_context(|| format!("{url} did not answer JSON: {text}"))
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "the bench is no part of the server whose client is shared"
)]
fn client() -> reqwest::Result<Client> {
    Client::builder().timeout(Duration::from_secs(10)).build()
}
