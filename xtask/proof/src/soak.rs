//! A very long day: many scripted jobs, one after the other in many hands, and whether memory and files
//! stay within bounds.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use clap::Args;
use futures_util::{StreamExt, TryStreamExt, stream};
use tokio::time::{sleep, timeout};

use crate::api::{self, Api};
use crate::case::left_to_do;
use crate::database::{Databases, Fresh, Kind};
use crate::report::{Table, say};
use crate::rows;
use crate::server::{Launch, Server, free_port};
use crate::world::{Bot, SECRET, World};

const MIB: f64 = 1024.0 * 1024.0;
/// What memory may grow by from a tenth of the way to the end.
const GROWTH: f64 = 5.0 * MIB;
/// What SQLite's log may hold; the server cuts it off beyond that.
const LOG_MOST: f64 = 64.0 * MIB;
/// How much more of the disk jobs may take at the end than at the beginning.
const DEARER: f64 = 1.5;
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

/// Runs the soak; false when memory or files grew.
pub(crate) async fn run(arguments: Arguments) -> Result<bool> {
    ensure!(arguments.runs >= STEPS, "--runs must be at least {STEPS}");
    let out = arguments.out.join("soak");
    if out.exists() {
        std::fs::remove_dir_all(&out)?;
    }
    std::fs::create_dir_all(&out)?;
    let deployment = Deployment::start(arguments.binary, &out).await?;
    let mut table = Table::new(&[
        "jobs",
        "jobs/s",
        "PSS",
        "RSS",
        "database",
        "its log",
        "data directory",
    ]);
    let samples = deployment
        .work(arguments.runs, arguments.in_flight, &mut table)
        .await?;
    let completed = deployment.finish().await?;
    table.print()?;
    ensure!(
        completed == arguments.runs,
        "{completed} of {} jobs completed",
        arguments.runs
    );
    let (first, last) = samples
        .first()
        .zip(samples.last())
        .context("nothing was measured")?;
    let growth = last.proportional - first.proportional;
    say(&format!(
        "memory grew by {:.1} MiB from a tenth of the way to the end (at most {:.0})",
        growth / MIB,
        GROWTH / MIB
    ))?;
    let bounded = are_bounded(&samples)?;
    Ok(growth <= GROWTH && bounded)
}

/// Whether the log stayed small, and jobs took about as much of the disk in the last tenths as in early ones.
fn are_bounded(samples: &[Sample]) -> Result<bool> {
    let log = samples.iter().map(|sample| sample.log).fold(0.0, f64::max);
    let [first, .., middle, next, _, _, _, last] = samples else {
        bail!("too little was measured");
    };
    let (early, late) = (middle.data - first.data, last.data - next.data);
    say(&format!(
        "the log held {:.1} MiB at most (at most {:.0}); the disk took {:.1} MiB in four early tenths and {:.1} MiB \
         in the last four (at most {DEARER} times as much)",
        log / MIB,
        LOG_MOST / MIB,
        early / MIB,
        late / MIB,
    ))?;
    // What was in the log at one look may be in the database at the next.
    Ok(log <= LOG_MOST && late <= DEARER * early + log)
}

/// One server and its world.
struct Deployment {
    server: Server,
    api: Api,
    world: World,
    database: Fresh,
    data: PathBuf,
}

impl Deployment {
    async fn start(binary: PathBuf, out: &Path) -> Result<Self> {
        let databases = Databases::prepare(Kind::Sqlite, None, &binary, out).await?;
        let data = out.join("data");
        let database = databases.fresh("soak", &data).await?;
        let world = World::start().await?;
        let port = free_port()?;
        let mut env = world.env(port);
        env.extend(database.env.clone());
        env.push(("RUST_LOG".to_owned(), "warn".to_owned()));
        let api = Api::new(&api::client()?, port);
        let log = out.join("server.log");
        let launch = Launch {
            binary,
            data: data.clone(),
            log,
            port,
            env,
        };
        let server = launch.start(&api).await?;
        world.furnish(&api).await?;
        Ok(Self {
            server,
            api,
            world,
            database,
            data,
        })
    }

    /// All jobs, with a look at the server after each tenth.
    async fn work(&self, runs: i64, in_flight: usize, table: &mut Table) -> Result<Vec<Sample>> {
        let mut samples = Vec::new();
        for step in 1..=STEPS {
            let started = Instant::now();
            let (from, to) = (runs * (step - 1) / STEPS, runs * step / STEPS);
            drive(&self.world, &self.api, from..to, in_flight).await?;
            let rate = f64::from(u32::try_from(to - from)?) / started.elapsed().as_secs_f64();
            let sample = Sample::take(&self.server, &self.data)?;
            let memory = sample.proportional / MIB;
            eprintln!("{to} jobs: {rate:.0}/s, PSS {memory:.1} MiB");
            table.row(sample.row(to, rate));
            samples.push(sample);
        }
        Ok(samples)
    }

    /// Waits for the last rows, stops the server and counts the jobs that completed.
    async fn finish(self) -> Result<i64> {
        let db = self.database.watch().await?;
        let started = Instant::now();
        while left_to_do(&db).await? > 0 {
            ensure!(
                started.elapsed() < ANSWER_LIMIT,
                "something is not settled after {ANSWER_LIMIT:?}"
            );
            sleep(LOOK_EVERY).await;
        }
        let completed =
            rows::number(&db, "SELECT count(*) FROM jobs WHERE status = 'completed'").await?;
        db.close().await?;
        self.server.stop(STOP_LIMIT).await?;
        Ok(completed)
    }
}

/// People in chats of their own, each answered before the next one writes in their place.
async fn drive(
    world: &World,
    api: &Api,
    numbers: std::ops::Range<i64>,
    in_flight: usize,
) -> Result<()> {
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
    stream::iter(orders)
        .buffer_unordered(in_flight)
        .try_collect()
        .await
}

impl Sample {
    fn take(server: &Server, data: &Path) -> Result<Self> {
        let rollup = std::fs::read_to_string(format!("/proc/{}/smaps_rollup", server.pid()))?;
        let field = |name: &str| {
            let line = rollup.lines().find_map(|line| line.strip_prefix(name))?;
            line.trim()
                .strip_suffix(" kB")?
                .trim()
                .parse::<f64>()
                .ok()
                .map(|kilobytes| kilobytes * 1024.0)
        };
        let size =
            |name: &str| std::fs::metadata(data.join(name)).map_or(0.0, |file| bytes(file.len()));
        Ok(Self {
            proportional: field("Pss:").context("smaps_rollup has no Pss line")?,
            resident: field("Rss:").context("smaps_rollup has no Rss line")?,
            database: size("nitejar.db"),
            log: size("nitejar.db-wal"),
            data: directory(data)?,
        })
    }

    fn row(&self, jobs: i64, rate: f64) -> Vec<String> {
        let sizes = [
            self.proportional,
            self.resident,
            self.database,
            self.log,
            self.data,
        ];
        let sizes = sizes
            .into_iter()
            .map(|size| format!("{:.1} MiB", size / MIB));
        [jobs.to_string(), format!("{rate:.0}")]
            .into_iter()
            .chain(sizes)
            .collect()
    }
}

fn directory(path: &Path) -> Result<f64> {
    let mut sum = 0.0;
    for entry in std::fs::read_dir(path)?.flatten() {
        // A file may go while we look.
        let Ok(found) = entry.metadata() else {
            continue;
        };
        sum += if found.is_dir() {
            directory(&entry.path())?
        } else {
            bytes(found.len())
        };
    }
    Ok(sum)
}

#[expect(clippy::cast_precision_loss, reason = "sizes are far below 2^52")]
fn bytes(size: u64) -> f64 {
    size as f64
}
