//! A very long day: many scripted jobs, one after the other in many hands, and whether memory and files
//! stay within bounds.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use clap::Args;
use futures_util::{StreamExt, TryStreamExt, stream};
use tokio::time::{sleep, timeout};

use crate::api::{self, Api};
use crate::case::left_to_do;
use crate::database::{Databases, Kind};
use crate::report::{Table, say};
use crate::rows;
use crate::server::{Launch, Server, free_port};
use crate::world::{Bot, SECRET, World};

const MIB: f64 = 1024.0 * 1024.0;
/// What memory may grow by from a tenth of the way to the end.
const GROWTH: f64 = 5.0 * MIB;
const ANSWER_LIMIT: Duration = Duration::from_mins(2);
const STOP_LIMIT: Duration = Duration::from_secs(30);
const LOOK_EVERY: Duration = Duration::from_millis(100);
const STEPS: i64 = 10;

/// Runs many jobs and watches memory and files.
#[derive(Args)]
pub(crate) struct Arguments {
    /// The `nitejar` binary.
    #[arg(long)]
    binary: PathBuf,
    /// Where the server's data goes.
    #[arg(long)]
    out: PathBuf,
    /// How many jobs.
    #[arg(long, default_value_t = 100_000)]
    runs: i64,
    /// How many of them at the same time.
    #[arg(long, default_value_t = 32)]
    in_flight: usize,
}

/// What the server holds at one moment.
struct Sample {
    proportional: f64,
    resident: f64,
    database: f64,
    log: f64,
    data: f64,
}

/// Runs the soak; false when memory grew.
pub(crate) async fn run(arguments: Arguments) -> Result<bool> {
    ensure!(arguments.runs >= STEPS, "--runs must be at least {STEPS}");
    let out = arguments.out.join("soak");
    if out.exists() {
        std::fs::remove_dir_all(&out)?;
    }
    std::fs::create_dir_all(&out)?;
    let databases = Databases::prepare(Kind::Sqlite, None, &arguments.binary, &out).await?;
    let data = out.join("data");
    let database = databases.fresh("soak", &data).await?;
    let world = Arc::new(World::start().await?);
    let port = free_port()?;
    let mut env = world.env(port);
    env.extend(database.env.clone());
    env.push(("RUST_LOG".to_owned(), "warn".to_owned()));
    let api = Api::new(&api::client()?, port);
    let launch = Launch { binary: arguments.binary, data: data.clone(), log: out.join("server.log"), port, env };
    let server = launch.start(&api).await?;
    world.furnish(&api).await?;

    let mut table = Table::new(&["jobs", "jobs/s", "PSS", "RSS", "database", "its log", "data directory"]);
    let mut samples = Vec::new();
    for step in 1..=STEPS {
        let started = Instant::now();
        let (from, to) = (arguments.runs * (step - 1) / STEPS, arguments.runs * step / STEPS);
        drive(&world, &api, from..to, arguments.in_flight).await?;
        let rate = f64::from(u32::try_from(to - from)?) / started.elapsed().as_secs_f64();
        let sample = Sample::take(&server, &data)?;
        eprintln!("{to} jobs: {rate:.0}/s, PSS {:.1} MiB", sample.proportional / MIB);
        table.row(sample.row(to, rate));
        samples.push(sample);
    }
    let db = database.watch().await?;
    let started = Instant::now();
    while left_to_do(&db).await? > 0 {
        ensure!(started.elapsed() < ANSWER_LIMIT, "something is not settled after {ANSWER_LIMIT:?}");
        sleep(LOOK_EVERY).await;
    }
    let completed = rows::number(&db, "SELECT count(*) FROM jobs WHERE status = 'completed'").await?;
    db.close().await?;
    server.stop(STOP_LIMIT).await?;
    table.print()?;
    ensure!(completed == arguments.runs, "{completed} of {} jobs completed", arguments.runs);
    let (first, last) = samples.first().zip(samples.last()).context("nothing was measured")?;
    let growth = last.proportional - first.proportional;
    say(&format!("memory grew by {:.1} MiB from a tenth of the way to the end (at most {:.0})", growth / MIB, GROWTH / MIB))?;
    Ok(growth <= GROWTH)
}

/// People in chats of their own, each answered before the next one writes in their place.
async fn drive(world: &World, api: &Api, numbers: std::ops::Range<i64>, in_flight: usize) -> Result<()> {
    let integration = world.integration_id(Bot::Called)?.to_string();
    let integration = integration.as_str();
    let orders = numbers.map(|number| async move {
        let person = 1_000_000 + number;
        let update = world.update(number, person, &format!("Bo, #{number} plain"));
        let answer = api.deliver(integration, SECRET, &update).await?;
        ensure!(answer.ok, "delivery {number} was refused: {}", answer.body);
        let replied = timeout(ANSWER_LIMIT, world.answered(person, number)).await;
        replied.with_context(|| format!("no answer to {number} within {ANSWER_LIMIT:?}"))
    });
    stream::iter(orders).buffer_unordered(in_flight).try_collect().await
}

impl Sample {
    fn take(server: &Server, data: &Path) -> Result<Self> {
        let rollup = std::fs::read_to_string(format!("/proc/{}/smaps_rollup", server.pid()))?;
        let field = |name: &str| {
            let line = rollup.lines().find_map(|line| line.strip_prefix(name))?;
            line.trim().strip_suffix(" kB")?.trim().parse::<f64>().ok().map(|kilobytes| kilobytes * 1024.0)
        };
        let size = |name: &str| std::fs::metadata(data.join(name)).map_or(0.0, |file| bytes(file.len()));
        Ok(Self {
            proportional: field("Pss:").context("smaps_rollup has no Pss line")?,
            resident: field("Rss:").context("smaps_rollup has no Rss line")?,
            database: size("nitejar.db"),
            log: size("nitejar.db-wal"),
            data: directory(data)?,
        })
    }

    fn row(&self, jobs: i64, rate: f64) -> Vec<String> {
        let sizes = [self.proportional, self.resident, self.database, self.log, self.data];
        let sizes = sizes.into_iter().map(|size| format!("{:.1} MiB", size / MIB));
        [jobs.to_string(), format!("{rate:.0}")].into_iter().chain(sizes).collect()
    }
}

fn directory(path: &Path) -> Result<f64> {
    let mut sum = 0.0;
    for entry in std::fs::read_dir(path)?.flatten() {
        // A file may go while we look.
        let Ok(found) = entry.metadata() else { continue };
        sum += if found.is_dir() { directory(&entry.path())? } else { bytes(found.len()) };
    }
    Ok(sum)
}

#[expect(clippy::cast_precision_loss, reason = "sizes are far below 2^52")]
fn bytes(size: u64) -> f64 {
    size as f64
}
