//! A running server with a directory of its own, and a client that holds its owner's token.

use futures_util::{Stream, StreamExt};
use reqwest::{Client, Method, StatusCode};
use serde_json::{Value, json};
use simulators::telegram::TelegramSimulator;
use std::{fs, path::Path, pin::Pin, process::Stdio, time::Duration};
use tempfile::TempDir;
use test_kit::postgres::Database;
use tokio::{
    io::{AsyncBufReadExt, BufReader},
    process::{Child, Command},
};

/// Long enough for the busiest machine; only a broken server reaches it.
const PATIENCE: Duration = Duration::from_secs(40);

pub(crate) const TOKEN: &str = "owner-token-for-tests-canary";

/// A server process. Dropping it kills it, like a power cut would.
pub(crate) struct App {
    pub(crate) dir: Home,
    pub(crate) url: String,
    client: Client,
    child: Child,
}

/// What outlives a server: its directory, and its database where that is not a file in it.
pub(crate) struct Home {
    dir: TempDir,
    database: Option<Database>,
}

impl Home {
    pub(crate) async fn new() -> Self {
        let database = if crate::ON_POSTGRES {
            Some(Database::create().await)
        } else {
            None
        };
        Self {
            dir: tempfile::tempdir().unwrap(),
            database,
        }
    }

    pub(crate) fn path(&self) -> &Path {
        self.dir.path()
    }

    /// The setting that names the database, where it is not the default.
    pub(crate) fn database(&self) -> Option<(&'static str, String)> {
        let database = self.database.as_ref()?;
        Some(("DATABASE_URL", database.url().to_owned()))
    }
}

impl From<TempDir> for Home {
    fn from(dir: TempDir) -> Self {
        Self {
            dir,
            database: None,
        }
    }
}

/// What the server is started with.
#[derive(Default)]
pub(crate) struct Options {
    pub(crate) env: Vec<(&'static str, String)>,
    pub(crate) args: Vec<&'static str>,
}

impl App {
    pub(crate) async fn start() -> Self {
        Self::start_with(Options::default()).await
    }

    pub(crate) async fn start_with(options: Options) -> Self {
        Self::start_in(Home::new().await, options).await
    }

    pub(crate) async fn start_in(dir: impl Into<Home>, options: Options) -> Self {
        let dir = dir.into();
        let mut child = command(dir.path(), &options)
            .envs(dir.database())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
        let log = dir.path().join("server.log");
        let mut seen = String::new();
        let url = loop {
            let line = tokio::time::timeout(PATIENCE, lines.next_line())
                .await
                .expect("no start")
                .unwrap();
            let Some(line) = line else {
                panic!("the server ended at start:\n{seen}")
            };
            seen.push_str(&line);
            seen.push('\n');
            if let Some(at) = line.find("http://") {
                let end = line[at..].find('"').map_or(line.len(), |end| at + end);
                break line[at..end].to_owned();
            }
        };
        fs::write(&log, &seen).unwrap();
        #[expect(clippy::disallowed_methods, reason = "a test has no tracker")]
        tokio::spawn(async move {
            while let Ok(Some(line)) = lines.next_line().await {
                seen.push_str(&line);
                seen.push('\n');
                // The directory may be gone before the last line.
                let _gone = fs::write(&log, &seen);
            }
        });
        Self {
            dir,
            url,
            client: client(),
            child,
        }
    }

    /// Kills the process without warning and gives back its directory.
    pub(crate) async fn kill(mut self) -> Home {
        self.child.kill().await.unwrap();
        let Self { dir, .. } = self;
        dir
    }

    /// Asks it to stop.
    pub(crate) async fn terminate(&self) {
        let id = self.child.id().unwrap().to_string();
        Command::new("kill")
            .args(["-TERM", &id])
            .status()
            .await
            .unwrap();
    }

    /// Asks it to stop and waits until it has.
    pub(crate) async fn stop(mut self) -> Home {
        self.terminate().await;
        let status = tokio::time::timeout(PATIENCE, self.child.wait())
            .await
            .expect("no end")
            .unwrap();
        assert!(status.success(), "{status}");
        let Self { dir, .. } = self;
        dir
    }

    pub(crate) fn log(&self) -> String {
        fs::read_to_string(self.dir.path().join("server.log")).unwrap()
    }

    pub(crate) async fn call(
        &self,
        method: Method,
        path: &str,
        body: Option<Value>,
    ) -> (StatusCode, Value) {
        let mut request = self
            .client
            .request(method, format!("{}{path}", self.url))
            .bearer_auth(TOKEN);
        if let Some(body) = body {
            request = request.json(&body);
        }
        let response = request.send().await.unwrap();
        let status = response.status();
        let text = response.text().await.unwrap();
        let body = if text.is_empty() {
            Value::Null
        } else {
            serde_json::from_str(&text).expect(&text)
        };
        (status, body)
    }

    pub(crate) async fn get(&self, path: &str) -> Value {
        let (status, body) = self.call(Method::GET, path, None).await;
        assert_eq!(status, StatusCode::OK, "GET {path}: {body}");
        body
    }

    pub(crate) async fn post(&self, path: &str, body: Value) -> Value {
        let (status, body) = self.call(Method::POST, path, Some(body)).await;
        assert!(status.is_success(), "POST {path}: {status} {body}");
        body
    }

    pub(crate) async fn items(&self, path: &str) -> Vec<Value> {
        self.get(path).await["items"].as_array().unwrap().clone()
    }

    pub(crate) async fn agent(&self, name: &str) -> String {
        self.post("/api/v1/agents", json!({ "name": name })).await["id"]
            .as_str()
            .unwrap()
            .to_owned()
    }

    /// Connects the simulated bot and returns the integration's id.
    pub(crate) async fn telegram(&self, telegram: &TelegramSimulator, more: Value) -> String {
        let mut config =
            json!({ "bot_token": TelegramSimulator::TOKEN, "api_base_url": telegram.base_url() });
        config
            .as_object_mut()
            .unwrap()
            .extend(more.as_object().unwrap().clone());
        let body =
            json!({ "type": "telegram", "name": "bot", "config": config, "agent_ids": null });
        self.post("/api/v1/integrations", body).await["id"]
            .as_str()
            .unwrap()
            .to_owned()
    }

    /// Hands in work and returns the id of the work item.
    pub(crate) async fn hand_in(&self, text: &str) -> String {
        self.post("/api/v1/work-items", json!({ "text": text }))
            .await["id"]
            .as_str()
            .unwrap()
            .to_owned()
    }

    /// A stream of server-sent events from a path.
    pub(crate) async fn events(&self, path: &str, last: Option<&str>) -> Events {
        let mut request = self
            .client
            .get(format!("{}{path}", self.url))
            .bearer_auth(TOKEN);
        if let Some(last) = last {
            request = request.header("Last-Event-ID", last);
        }
        let response = request.send().await.unwrap();
        assert_eq!(response.status(), StatusCode::OK);
        assert_eq!(response.headers()["content-type"], "text/event-stream");
        let bytes = response
            .bytes_stream()
            .map(|chunk| chunk.map(|chunk| chunk.to_vec()).map_err(|e| e.to_string()));
        Events {
            bytes: Box::pin(bytes),
            buffer: Vec::new(),
        }
    }

    /// Waits until every job of the tenant that matches is final, and returns the first.
    pub(crate) async fn finished_job(&self, events: &mut Events) -> Value {
        let event = events
            .until(|event| event.name == "job.status" && is_final(&event.data["status"]))
            .await;
        self.get(&format!(
            "/api/v1/jobs/{}",
            event.data["job_id"].as_str().unwrap()
        ))
        .await
    }
}

fn is_final(status: &Value) -> bool {
    matches!(status.as_str(), Some("completed" | "failed" | "cancelled"))
}

/// The binary with nothing of this process's environment that would configure it.
pub(crate) fn command(dir: &Path, options: &Options) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_nitejar"));
    command
        .env_clear()
        .env("PATH", "/usr/local/bin:/usr/bin:/bin")
        .env("PORT", "0")
        .env("DATA_DIR", dir.join("data"))
        .env("NITEJAR_ADMIN_TOKEN", TOKEN)
        .envs(
            options
                .env
                .iter()
                .map(|(name, value)| (*name, value.as_str())),
        )
        .args(&options.args)
        .stdin(Stdio::null())
        .kill_on_drop(true);
    command
}

/// A client for tests; installs the TLS provider that building one needs.
#[expect(
    clippy::disallowed_methods,
    reason = "a test is its own composition root"
)]
pub(crate) fn client() -> Client {
    // Fails when another test of this process was first, which serves as well.
    let _installed = rustls::crypto::ring::default_provider().install_default();
    Client::builder().build().unwrap()
}

/// One server-sent event.
#[derive(Clone, Debug)]
pub(crate) struct Event {
    pub(crate) id: Option<String>,
    pub(crate) name: String,
    pub(crate) data: Value,
}

type Bytes = Pin<Box<dyn Stream<Item = Result<Vec<u8>, String>> + Send>>;

/// A stream that is being read.
pub(crate) struct Events {
    bytes: Bytes,
    buffer: Vec<u8>,
}

impl Events {
    /// The next event; `None` when the server closed the stream.
    pub(crate) async fn next(&mut self) -> Option<Event> {
        loop {
            if let Some(end) = self.buffer.windows(2).position(|pair| pair == b"\n\n") {
                let block: Vec<u8> = self.buffer.drain(..end + 2).collect();
                if let Some(event) = parse(&String::from_utf8(block).unwrap()) {
                    return Some(event);
                }
                continue;
            }
            match tokio::time::timeout(PATIENCE, self.bytes.next())
                .await
                .expect("no event")
            {
                Some(chunk) => self.buffer.extend(chunk.unwrap()),
                None => return None,
            }
        }
    }

    pub(crate) async fn until(&mut self, wanted: impl Fn(&Event) -> bool) -> Event {
        loop {
            let event = self.next().await.expect("the stream ended");
            if wanted(&event) {
                return event;
            }
        }
    }

    pub(crate) async fn rest(&mut self) -> Vec<Event> {
        let mut events = Vec::new();
        while let Some(event) = self.next().await {
            events.push(event);
        }
        events
    }
}

fn parse(block: &str) -> Option<Event> {
    let field = |name: &str| {
        block
            .lines()
            .find_map(|line| line.strip_prefix(name)?.strip_prefix(':'))
            .map(|value| value.trim_start().to_owned())
    };
    Some(Event {
        id: field("id"),
        name: field("event")?,
        data: serde_json::from_str(&field("data")?).unwrap(),
    })
}
