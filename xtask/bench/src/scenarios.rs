//! What is measured, in order, against one server: start, idleness, single replies, a burst, ingest,
//! effects and commands. The targets stand beside the measurements they belong to.

use std::future::Future;
use std::path::PathBuf;
use std::pin::pin;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use futures_util::future::{join, try_join_all};
use serde_json::{Value, json};
use simulators::telegram::TelegramSimulator;
use tokio::time::{MissedTickBehavior, interval, sleep};

use crate::bot::World;
use crate::database::Kind;
use crate::report::{Report, Target, percentiles};
use crate::server::{Server, Setup};
use crate::{http, lifecycle, process, sandbox};

const MIB: f64 = 1024.0 * 1024.0;
const STARTS: usize = 5;
const SINGLE: i64 = 100;
const BURST: i64 = 100;
const WEBHOOKS: usize = 20_000;
const CLIENTS: usize = 32;
const EFFECTS: i64 = 500;
const SECRET: &str = "bench-webhook-secret";
const HELD_LIMIT: Duration = Duration::from_mins(1);
const MEMORY_SAMPLES: Duration = Duration::from_millis(50);

/// One run.
pub(crate) struct Bench {
    pub(crate) binary: PathBuf,
    pub(crate) out: PathBuf,
    pub(crate) kind: Kind,
    /// Counts are divided by this.
    pub(crate) scale: i64,
}

impl Bench {
    /// Measures everything into the report.
    pub(crate) async fn run(&self, report: &mut Report, idle: u64) -> Result<()> {
        let size = std::fs::metadata(&self.binary)?.len();
        report.add("binary on disk", mib(size), "MiB", Target::AtMost(40.0));
        let world = World::start().await?;
        let data = tempfile::tempdir_in(&self.out)?;
        let database = self.kind.database().await;
        let start = || async {
            let setup = Setup {
                data: data.path(),
                database: database.url(),
                model_url: world.model.openai_base_url(),
                log: self.out.join("server.log"),
            };
            Server::start(&self.binary, &setup).await
        };
        let server = Self::cold_starts(report, start).await?;

        eprintln!("idle for {idle} s");
        sleep(Duration::from_secs(idle)).await;
        report.add(
            "idle memory (PSS)",
            mib(process::tree_memory(server.pid)?),
            "MiB",
            Target::AtMost(25.0),
        );

        let agent = server
            .post(
                "/api/v1/agents",
                &json!({ "name": "Bench", "budget_micros_per_day": null }),
            )
            .await?;
        let agent = id(&agent)?;
        Self::integration(&server, &world.telegram, "people", &json!([agent])).await?;
        self.replies(report, &server, &world).await?;
        self.burst(report, &server, &world).await?;
        self.ingest(report, &server).await?;
        self.effects(report, &server, &world, &agent).await?;
        server.stop().await?;
        let scale = usize::try_from(self.scale)?;
        sandbox::measure(report, &self.binary, &self.out, scale).await?;
        lifecycle::measure(report, self.kind.store(&self.out).await?, scale).await
    }

    /// The first start makes the database; those after it are the ones people wait for.
    async fn cold_starts<F>(report: &mut Report, start: impl Fn() -> F) -> Result<Server>
    where
        F: Future<Output = Result<Server>>,
    {
        let mut server = start().await?;
        report.add(
            "first start, database made",
            millis(server.started_in),
            "ms",
            Target::None,
        );
        let mut starts = Vec::new();
        for _ in 0..STARTS {
            server.stop().await?;
            server = start().await?;
            starts.push(server.started_in);
        }
        let [median, _] = percentiles(starts)?;
        report.add(
            "cold start to first 200",
            median,
            "ms",
            Target::AtMost(60.0),
        );
        Ok(server)
    }

    async fn replies(&self, report: &mut Report, server: &Server, world: &World) -> Result<()> {
        // The first reply wakes the sprite, which a conversation does once.
        let waking = world.ask(0).await?;
        report.add(
            "first reply, sprite made",
            millis(waking),
            "ms",
            Target::None,
        );
        let count = SINGLE / self.scale;
        let before = (process::cpu(server.pid)?, process::tree_cpu(server.pid)?);
        let mut latencies = Vec::new();
        for number in 1..=count {
            latencies.push(world.ask(number).await?);
        }
        let cpu = process::cpu(server.pid)?.saturating_sub(before.0);
        let tree = process::tree_cpu(server.pid)?.saturating_sub(before.1);
        let [p50, p99] = percentiles(latencies)?;
        let runs = f64::from(u32::try_from(count)?);
        report.add(
            "reply p50, one at a time",
            p50,
            "ms",
            Target::AtMost(4.0 + 2.0 * report.sync_ms()),
        );
        report.add("reply p99, one at a time", p99, "ms", Target::None);
        report.add(
            "CPU per run, server",
            millis(cpu) / runs,
            "ms",
            Target::AtMost(5.0),
        );
        report.add(
            "CPU per run, with its commands",
            millis(tree) / runs,
            "ms",
            Target::None,
        );
        Ok(())
    }

    /// Twice: looking at memory takes time itself, so the burst that is timed is left alone.
    async fn burst(&self, report: &mut Report, server: &Server, world: &World) -> Result<()> {
        let burst =
            |first: i64| try_join_all((first..first + BURST).map(|number| world.ask(number)));
        let started = Instant::now();
        burst(10_000).await?;
        let wall = started.elapsed().as_secs_f64();
        report.add(
            "100 runs at once, all replies",
            wall,
            "s",
            Target::AtMost(0.8),
        );
        let (peak, tree) = peak_memory(server.pid, burst(11_000)).await?;
        report.add(
            "peak memory in the burst, server (PSS)",
            mib(peak),
            "MiB",
            Target::AtMost(80.0),
        );
        report.add(
            "peak memory in the burst, with sandboxes",
            mib(tree),
            "MiB",
            Target::None,
        );
        Ok(())
    }

    /// Deliveries to an integration that no agent sees: what is measured is taking them in.
    async fn ingest(&self, report: &mut Report, server: &Server) -> Result<()> {
        // Its own vendor, because a bot is polled by one integration only.
        let vendor = TelegramSimulator::start().await?;
        let integration = Self::integration(server, &vendor, "ingest", &json!([])).await?;
        let head = format!(
            "POST /webhooks/telegram/{integration} HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-type: application/json\r\n\
             x-telegram-bot-api-secret-token: {SECRET}\r\n"
        );
        let total = WEBHOOKS / usize::try_from(self.scale)?;
        let cpu = process::cpu(server.pid)?;
        let started = Instant::now();
        let latencies = http::post_all(server.port, head, CLIENTS, total, update).await?;
        let wall = started.elapsed().as_secs_f64();
        let cpu = process::cpu(server.pid)?.saturating_sub(cpu);
        let [p50, p99] = percentiles(latencies)?;
        let count = f64::from(u32::try_from(total)?);
        report.add(
            "durable webhook ingest, 32 clients",
            count / wall,
            "/s",
            Target::AtLeast(5000.0),
        );
        report.add("ingest p50", p50, "ms", Target::None);
        report.add("ingest p99", p99, "ms", Target::AtMost(15.0));
        report.add(
            "CPU per webhook",
            millis(cpu) / count,
            "ms",
            Target::AtMost(0.2),
        );
        Ok(())
    }

    /// Replies are held as drafts first and then released at once, so that only delivery is timed.
    async fn effects(
        &self,
        report: &mut Report,
        server: &Server,
        world: &World,
        agent: &str,
    ) -> Result<()> {
        server
            .patch(
                &format!("/api/v1/agents/{agent}"),
                &json!({ "reply_policy": "approve" }),
            )
            .await?;
        let count = EFFECTS / self.scale;
        let people = 20_000..20_000 + count;
        people.clone().for_each(|number| world.greet(number));
        let held = held_effects(server, usize::try_from(count)?).await?;

        let started = Instant::now();
        let releases = held.iter().map(|effect| release(server, effect));
        let (sent, answered) = join(
            try_join_all(releases),
            try_join_all(people.map(|number| world.greeted(number))),
        )
        .await;
        sent?;
        answered?;
        let rate = f64::from(u32::try_from(count)?) / started.elapsed().as_secs_f64();
        report.add(
            "effects released and delivered",
            rate,
            "/s",
            Target::AtLeast(500.0),
        );
        Ok(())
    }

    async fn integration(
        server: &Server,
        vendor: &TelegramSimulator,
        name: &str,
        agents: &Value,
    ) -> Result<String> {
        let config = json!({
            "bot_token": TelegramSimulator::TOKEN,
            "api_base_url": vendor.base_url(),
            "webhook_secret": SECRET,
        });
        let body =
            json!({ "type": "telegram", "name": name, "config": config, "agent_ids": agents });
        id(&server.post("/api/v1/integrations", &body).await?)
    }
}

/// Waits until that many replies are held and returns their ids.
async fn held_effects(server: &Server, count: usize) -> Result<Vec<String>> {
    let started = Instant::now();
    loop {
        let mut held = Vec::new();
        let mut path = "/api/v1/effects?status=held&limit=100".to_owned();
        loop {
            let page = server.get(&path).await?;
            let items = page
                .get("items")
                .and_then(Value::as_array)
                .context("a page without items")?;
            held.extend(items.iter().map(id).collect::<Result<Vec<_>>>()?);
            let Some(cursor) = page.get("next_cursor").and_then(Value::as_str) else {
                break;
            };
            path = format!("/api/v1/effects?status=held&limit=100&cursor={cursor}");
        }
        if held.len() >= count {
            return Ok(held);
        }
        ensure!(
            started.elapsed() < HELD_LIMIT,
            "only {} of {count} replies are held",
            held.len()
        );
        sleep(Duration::from_millis(100)).await;
    }
}

async fn release(server: &Server, effect: &str) -> Result<Value> {
    let path = format!("/api/v1/effects/{effect}/release");
    server.post(&path, &json!({})).await
}

/// Runs the work and returns the highest memory seen: of the server, and with its descendants.
async fn peak_memory<T>(pid: u32, work: impl Future<Output = Result<T>>) -> Result<(u64, u64)> {
    let mut work = pin!(work);
    let mut samples = interval(MEMORY_SAMPLES);
    samples.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let (mut server, mut tree) = (0, 0);
    loop {
        tokio::select! {
            done = &mut work => return done.map(|_| (server, tree)),
            _ = samples.tick() => {
                server = server.max(process::memory(pid)?);
                tree = tree.max(process::tree_memory(pid)?);
            }
        }
    }
}

/// A Telegram update as the vendor posts it, about one kilobyte, each from another of 1,000 chats.
fn update(number: usize) -> String {
    let chat = 5_000_000 + number % 1000;
    let person = json!({ "id": chat, "is_bot": false, "first_name": "Ada", "language_code": "en" });
    let message = json!({
        "message_id": number + 1,
        "date": 1_790_000_000,
        "chat": { "id": chat, "type": "private", "first_name": "Ada" },
        "from": person,
        "text": "A message of a usual length. ".repeat(24),
    });
    json!({ "update_id": number + 1, "message": message }).to_string()
}

fn id(value: &Value) -> Result<String> {
    let id = value.get("id").and_then(Value::as_str);
    id.map(str::to_owned)
        .with_context(|| format!("no id in {value}"))
}

fn millis(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1000.0
}

#[expect(clippy::cast_precision_loss, reason = "sizes are far below 2^52")]
fn mib(bytes: u64) -> f64 {
    bytes as f64 / MIB
}
