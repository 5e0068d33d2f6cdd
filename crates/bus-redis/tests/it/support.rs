//! Buses, an own Redis that may be killed, and an ear that remembers how much had been told when it heard.

use bus_redis::{RedisBus, RedisSettings};
use domain::{
    Timestamp,
    event::{EventKind, JobEvent},
    id::{JobId, TenantId},
    secret::Secret,
};
use futures_util::StreamExt;
use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};
use ports::live::{Bus, Committed, Heard, HeardStream, News};
use redis::{Client, aio::MultiplexedConnection};
use std::{
    collections::BTreeSet,
    path::PathBuf,
    process::Stdio,
    sync::atomic::{AtomicU64, Ordering},
    time::{Duration, SystemTime},
};
use tempfile::TempDir;
use tokio::{
    io::{AsyncBufReadExt, BufReader},
    process::{Child, Command},
    time::timeout,
};
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use uuid::Uuid;

/// Long enough for the busiest machine; only a broken bus reaches it.
pub(crate) const PATIENCE: Duration = Duration::from_secs(15);

static COUNTER: AtomicU64 = AtomicU64::new(1);

/// The shared Redis of the test run.
#[expect(
    clippy::disallowed_methods,
    reason = "the test run names its servers in the environment"
)]
pub(crate) fn shared_url() -> String {
    let Ok(url) = std::env::var("TEST_REDIS_URL") else {
        panic!("TEST_REDIS_URL is not set; run cargo xtask test");
    };
    url
}

/// A prefix nobody else uses, not even an earlier run.
pub(crate) fn fresh_prefix() -> String {
    let now = SystemTime::UNIX_EPOCH.elapsed().unwrap().as_nanos();
    format!("test-{now}-{}", COUNTER.fetch_add(1, Ordering::Relaxed))
}

/// A process on the bus.
pub(crate) struct Process {
    pub(crate) bus: RedisBus,
    pub(crate) tasks: TaskTracker,
    pub(crate) stop: CancellationToken,
}

impl Process {
    pub(crate) fn start(url: &str, prefix: &str, max_length: usize) -> Self {
        let (tasks, stop) = (TaskTracker::new(), CancellationToken::new());
        let settings = RedisSettings {
            prefix: prefix.to_owned(),
            max_length,
            ..RedisSettings::new(Secret::new(url))
        };
        let origin = Uuid::from_u128(COUNTER.fetch_add(1, Ordering::Relaxed).into());
        let bus = RedisBus::start(&settings, origin, &tasks, &stop).unwrap();
        tasks.close();
        Self { bus, tasks, stop }
    }

    pub(crate) async fn is(&self, connected: bool) {
        let change = async {
            while self.bus.is_connected() != connected {
                tokio::task::yield_now().await;
            }
        };
        let noticed = timeout(PATIENCE, change).await;
        assert!(noticed.is_ok(), "not noticed: connected = {connected}");
    }

    /// Tells of an event with this number.
    pub(crate) fn tell(&self, number: u64) {
        self.bus.publish(numbered(number));
    }
}

/// Two connected processes of one deployment.
pub(crate) async fn two(url: &str, prefix: &str, max_length: usize) -> (Process, Process) {
    let one = Process::start(url, prefix, max_length);
    let other = Process::start(url, prefix, max_length);
    one.is(true).await;
    other.is(true).await;
    (one, other)
}

pub(crate) fn numbered(number: u64) -> News {
    with_payload(number, serde_json::json!({}))
}

pub(crate) fn with_payload(number: u64, payload: serde_json::Value) -> News {
    let number = i64::try_from(number).unwrap();
    News::Committed(Committed {
        events: vec![JobEvent {
            tenant_id: TenantId::from_uuid(Uuid::from_u128(1)),
            job_id: JobId::from_uuid(Uuid::from_u128(2)),
            seq: number,
            feed_seq: number,
            kind: EventKind::Message,
            payload,
            created_at: Timestamp::UNIX_EPOCH,
        }],
        lanes_ready: true,
        ..Committed::default()
    })
}

/// What a listener heard of numbers that are told from 0 on.
#[derive(Default)]
pub(crate) struct Ear {
    /// The numbers, in the order they were heard.
    pub(crate) numbers: Vec<u64>,
    /// How many numbers had been told when the last gap was heard, if there was one.
    pub(crate) gap: Option<u64>,
    /// Every number below was heard, or a gap after it had been told.
    sure: u64,
    known: BTreeSet<u64>,
}

impl Ear {
    /// Listens once more.
    pub(crate) async fn hear(&mut self, stream: &mut HeardStream, told: impl Fn() -> u64) {
        match next(stream).await {
            Heard::News(News::Committed(committed)) => {
                let numbers = committed
                    .events
                    .iter()
                    .map(|event| event.seq.unsigned_abs());
                self.numbers.extend(numbers.clone());
                self.known.extend(numbers);
            }
            Heard::Gap => self.gap = Some(told()),
            other => panic!("unexpected: {other:?}"),
        }
        self.sure = self.sure.max(self.gap.unwrap_or(0));
        while self.known.contains(&self.sure) {
            self.sure += 1;
        }
    }

    /// Whether none of so many numbers was lost silently.
    pub(crate) fn accounts_for(&self, told: u64) -> bool {
        self.sure >= told
    }
}

/// What is heard next.
pub(crate) async fn next(stream: &mut HeardStream) -> Heard {
    timeout(PATIENCE, stream.next())
        .await
        .unwrap_or_else(|_| panic!("nothing heard"))
        .unwrap_or_else(|| panic!("the bus ended"))
}

/// Asks Redis directly.
pub(crate) async fn connection(url: &str) -> MultiplexedConnection {
    let client = Client::open(url).unwrap();
    client.get_multiplexed_async_connection().await.unwrap()
}

/// A Redis of our own. Dropping it kills it.
pub(crate) struct Server {
    program: PathBuf,
    options: Vec<String>,
    directory: TempDir,
    child: Option<Child>,
}

impl Server {
    /// One that is not running yet: the program the shared one runs, so that it need not be on `PATH`.
    pub(crate) async fn prepare(options: &[&str]) -> Self {
        let mut info = redis::cmd("INFO");
        let mut shared = connection(&shared_url()).await;
        let info: String = info.arg("server").query_async(&mut shared).await.unwrap();
        let program = info
            .lines()
            .find_map(|line| line.strip_prefix("executable:"))
            .map(PathBuf::from)
            .filter(|program| program.is_file());
        Self {
            program: program.unwrap_or_else(|| "redis-server".into()),
            options: options.iter().map(|&option| option.to_owned()).collect(),
            directory: tempfile::tempdir().unwrap(),
            child: None,
        }
    }

    pub(crate) async fn start() -> Self {
        let mut server = Self::prepare(&[]).await;
        server.run().await;
        server
    }

    /// Starts it, empty, and waits until it answers.
    pub(crate) async fn run(&mut self) {
        let mut child = Command::new(&self.program)
            .current_dir(self.directory.path())
            .args(["--port", "0", "--save", "", "--appendonly", "no"])
            .args(["--unixsocket", "redis.sock"])
            .args(&self.options)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        loop {
            let line = timeout(PATIENCE, lines.next_line()).await.unwrap().unwrap();
            let line = line.unwrap_or_else(|| panic!("Redis ended at its start"));
            if line.to_lowercase().contains("ready to accept connections") {
                break;
            }
        }
        self.child = Some(child);
    }

    /// As a power cut would.
    pub(crate) async fn kill(&mut self) {
        let mut child = self.child.take().unwrap();
        child.kill().await.unwrap();
    }

    pub(crate) fn signal(&self, signal: Signal) {
        let id = self.child.as_ref().unwrap().id().unwrap();
        kill(Pid::from_raw(id.try_into().unwrap()), signal).unwrap();
    }

    pub(crate) fn socket(&self) -> PathBuf {
        self.directory.path().join("redis.sock")
    }

    pub(crate) fn url(&self) -> String {
        format!("redis+unix://{}", self.socket().display())
    }

    /// Sends one command to it.
    pub(crate) async fn ask(&self, command: &str) {
        let mut words = command.split_whitespace();
        let mut command = redis::cmd(words.next().unwrap());
        words.for_each(|word| {
            command.arg(word);
        });
        let mut connection = connection(&self.url()).await;
        command.exec_async(&mut connection).await.unwrap();
    }
}
