//! One case: a fresh deployment, people, a kill, a restart, and the question whether every promise was
//! kept. Everything it does follows from its point and its seed.

use std::os::unix::process::ExitStatusExt;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use nix::sys::signal::Signal;
use reqwest::Client;
use sea_orm::DatabaseConnection;

use crate::api::Api;
use crate::checker::{self, Evidence, Violation};
use crate::database::{Databases, Fresh};
use crate::rows::{self, Rows};
use crate::seed::Seed;
use crate::server::{Launch, Server, free_port};
use crate::stories::{self, Stage};
use crate::world::World;

/// After a restart something must go on within this time.
const RESUME_LIMIT: Duration = Duration::from_secs(10);
/// After the last story everything must be settled within this time.
const QUIET_LIMIT: Duration = Duration::from_secs(30);
const STOP_LIMIT: Duration = Duration::from_secs(20);
/// A process that killed itself at the very end is gone by then.
const LAST_BLOW: Duration = Duration::from_millis(50);
const LOOK_EVERY: Duration = Duration::from_millis(25);

/// How one start of the server ends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Blow {
    /// At the n-th hit of a point.
    Point(&'static str, u64),
    /// Killed from outside after this time.
    Kill(Duration),
    /// Asked to stop after this time, and killed at a point on the way out.
    Drain(Duration, &'static str),
}

/// What is to be done.
pub(crate) struct Case {
    pub(crate) point: &'static str,
    pub(crate) seed: u64,
    /// One per start of the server; the start after the last goes on undisturbed.
    pub(crate) blows: Vec<Blow>,
    /// Whether progress must be shown.
    pub(crate) long: bool,
    /// Whether things go wrong outside meanwhile.
    pub(crate) storm: bool,
}

/// What came of it.
pub(crate) struct Outcome {
    pub(crate) point: &'static str,
    pub(crate) seed: u64,
    /// Kills that happened.
    pub(crate) crashes: usize,
    /// Whether the point itself was hit.
    pub(crate) hit: bool,
    pub(crate) longest_resume: Duration,
    /// Messages people saw although their sending was never confirmed; counted in storms only.
    pub(crate) lost_answers: Option<usize>,
    pub(crate) violations: Vec<Violation>,
    pub(crate) directory: PathBuf,
}

/// What cases share.
pub(crate) struct Bench {
    pub(crate) binary: PathBuf,
    pub(crate) out: PathBuf,
    pub(crate) databases: Databases,
    pub(crate) client: Client,
}

impl Bench {
    /// Plays a case. An error is a fault of the proof or of the machine and counts as a violation too.
    pub(crate) async fn play(&self, case: &Case) -> Outcome {
        let directory = self.out.join(format!("{}-{}", case.point, case.seed));
        let mut outcome = Outcome {
            point: case.point,
            seed: case.seed,
            crashes: 0,
            hit: false,
            longest_resume: Duration::ZERO,
            lost_answers: None,
            violations: Vec::new(),
            directory: directory.clone(),
        };
        if let Err(error) = self.attempt(case, &mut outcome).await {
            let what = format!("{error:#}");
            outcome.violations.push(Violation { rule: "case", what });
        }
        if outcome.violations.is_empty() {
            // What is left of a good case is of no use to anybody.
            drop(std::fs::remove_dir_all(directory));
        }
        outcome
    }

    async fn attempt(&self, case: &Case, outcome: &mut Outcome) -> Result<()> {
        if outcome.directory.exists() {
            std::fs::remove_dir_all(&outcome.directory)?;
        }
        std::fs::create_dir_all(&outcome.directory)?;
        let data = outcome.directory.join("data");
        let fresh = self
            .databases
            .fresh(&format!("{}-{}", case.point, case.seed), &data)
            .await?;
        let result = self.run(case, &fresh, outcome).await;
        if result.is_ok() && outcome.violations.is_empty() {
            self.databases.drop(&fresh).await?;
        }
        result
    }

    async fn run(&self, case: &Case, fresh: &Fresh, outcome: &mut Outcome) -> Result<()> {
        let world = Arc::new(World::start().await?);
        let port = free_port()?;
        let api = Api::new(&self.client, port);
        let mut env = world.env(port);
        env.extend(fresh.env.clone());
        let (data, log) = (
            outcome.directory.join("data"),
            outcome.directory.join("server.log"),
        );
        let launch = Launch {
            binary: self.binary.clone(),
            data: data.clone(),
            log,
            port,
            env,
        };
        let db = fresh.watch().await?;
        let stage = Stage {
            world: Arc::clone(&world),
            api,
            db: db.clone(),
        };
        let mut life = Life {
            launch: &launch,
            stage: &stage,
            case,
            outcome,
            crashes: Vec::new(),
            server: None,
        };
        let played = life.play().await;
        let (server, crashes) = (life.server.take(), std::mem::take(&mut life.crashes));
        outcome.lost_answers = case.storm.then(|| world.lost_answers());
        // Whatever went wrong, the rows tell more of it.
        let evidence = Evidence {
            crashes,
            end: Rows::read(&db).await?,
            outside: world.outside(&data)?,
        };
        outcome.violations.extend(checker::check(&evidence));
        played?;
        db.close().await?;
        server.context("no server is left")?.stop(STOP_LIMIT).await
    }
}

/// A deployment from its first start to its end.
struct Life<'c> {
    launch: &'c Launch,
    stage: &'c Stage,
    case: &'c Case,
    outcome: &'c mut Outcome,
    crashes: Vec<Rows>,
    server: Option<Server>,
}

impl Life<'_> {
    async fn play(&mut self) -> Result<()> {
        let seed = Seed::new(self.case.seed, self.case.point);
        let first = self.case.blows.first();
        let mut server = self.launch.spawn(armed(first).as_deref())?;
        server.ready(&self.stage.api).await?;
        self.stage.world.furnish(&self.stage.api).await?;
        if self.case.storm {
            self.stage.world.storm(&mut seed.clone());
        }
        self.server = Some(server);
        let script = script(self.stage, seed, self.case.long);
        tokio::pin!(script);
        let mut played = None;
        // The script goes on while the server is down: people do not know that it is.
        while played.is_none() {
            let keep = self.keep();
            tokio::pin!(keep);
            tokio::select! {
                done = &mut script => played = Some(done),
                broken = &mut keep => return broken,
            }
        }
        // The last act of the script may have been the blow.
        while tokio::time::timeout(self.last_blow(), self.fall())
            .await
            .is_ok_and(|fell| fell.is_ok())
        {
            self.rise().await?;
            quiet(self.stage).await?;
        }
        played.unwrap_or(Ok(()))
    }

    /// Lets the server fall and rise again until something is wrong.
    async fn keep(&mut self) -> Result<()> {
        loop {
            self.fall().await?;
            self.rise().await?;
        }
    }

    /// A point may never be met again; a blow from outside comes, and what it brings about takes its time.
    fn last_blow(&self) -> Duration {
        match self.blow() {
            Some(Blow::Kill(_) | Blow::Drain(..)) => STOP_LIMIT,
            Some(Blow::Point(..)) | None => LAST_BLOW,
        }
    }

    fn blow(&self) -> Option<&Blow> {
        self.case.blows.get(self.crashes.len())
    }

    /// Waits until the server was killed.
    async fn fall(&mut self) -> Result<()> {
        let blow = self.blow().cloned();
        let server = self.server.as_mut().context("no server runs")?;
        let status = struck(server, blow.as_ref()).await?;
        let killed = status.signal() == Some(Signal::SIGKILL as i32);
        ensure!(
            killed && blow.is_some(),
            "the server ended by itself with {status}; see its log"
        );
        self.outcome.crashes += 1;
        self.outcome.hit |= blow
            .as_ref()
            .is_some_and(|blow| names(blow, self.case.point));
        Ok(())
    }

    /// Starts it again, with the next point armed where there is one.
    async fn rise(&mut self) -> Result<()> {
        self.crashes.push(Rows::read(&self.stage.db).await?);
        let before = progress(&self.stage.db).await?;
        let armed = armed(self.blow());
        let server = self.server.insert(self.launch.spawn(armed.as_deref())?);
        if armed.is_none() {
            server.ready(&self.stage.api).await?;
            let resumed = resumed(self.stage, before, server.started).await?;
            self.outcome.longest_resume = self.outcome.longest_resume.max(resumed);
        }
        Ok(())
    }
}

/// What people do, until nothing is left to do; then what a human does about the rest.
async fn script(stage: &Stage, mut seed: Seed, long: bool) -> Result<()> {
    let played = stories::play(stage, seed.clone(), long).await;
    quiet(stage).await?;
    if stories::decide(stage, &mut seed).await? {
        quiet(stage).await?;
    }
    played
}

/// Waits for the end of the server, and brings it about where the blow comes from outside.
async fn struck(server: &mut Server, blow: Option<&Blow>) -> Result<std::process::ExitStatus> {
    let (pause, signal) = match blow {
        Some(Blow::Kill(pause)) => (*pause, Signal::SIGKILL),
        Some(Blow::Drain(pause, _)) => (*pause, Signal::SIGTERM),
        Some(Blow::Point(..)) | None => return server.ended().await,
    };
    tokio::time::sleep(pause).await;
    server.signal(signal)?;
    server.ended().await
}

fn armed(blow: Option<&Blow>) -> Option<String> {
    match blow? {
        Blow::Point(point, n) => Some(format!("{point}:{n}")),
        Blow::Drain(_, point) => Some(format!("{point}:1")),
        Blow::Kill(_) => None,
    }
}

fn names(blow: &Blow, wanted: &str) -> bool {
    match blow {
        Blow::Point(point, _) | Blow::Drain(_, point) => *point == wanted,
        Blow::Kill(_) => false,
    }
}

/// Waits until nothing is left to do without a human.
async fn quiet(stage: &Stage) -> Result<()> {
    let started = Instant::now();
    loop {
        let left = left_to_do(&stage.db).await?;
        if left == 0 && stage.world.is_heard() {
            return Ok(());
        }
        ensure!(
            started.elapsed() < QUIET_LIMIT,
            "{left} rows are not settled after {QUIET_LIMIT:?}"
        );
        tokio::time::sleep(LOOK_EVERY).await;
    }
}

/// Rows that the server still has to do something about; what waits for a human's answer is none of them.
pub(crate) async fn left_to_do(db: &DatabaseConnection) -> Result<i64> {
    const SQL: &str = "SELECT \
        (SELECT count(*) FROM jobs WHERE status NOT IN ('completed', 'failed', 'cancelled', 'waiting')) \
        + (SELECT count(*) FROM lane_entries WHERE status <> 'done' \
            AND NOT EXISTS (SELECT 1 FROM jobs WHERE jobs.id = lane_entries.job_id AND jobs.status = 'waiting')) \
        + (SELECT count(*) FROM effects WHERE status IN ('pending', 'sending')) \
        + (SELECT count(*) FROM lanes WHERE lease_worker IS NOT NULL OR ready_at IS NOT NULL)";
    rows::number(db, SQL).await
}

/// A number that grows with everything the server does.
async fn progress(db: &DatabaseConnection) -> Result<i64> {
    const SQL: &str = "SELECT CAST(coalesce((SELECT sum(fence) FROM lanes), 0) \
        + (SELECT count(*) FROM job_events) + (SELECT count(*) FROM inbound_events) \
        + (SELECT count(*) FROM effects WHERE status <> 'pending') AS BIGINT)";
    rows::number(db, SQL).await
}

/// How long after its start the server did something, or nothing was left to do.
async fn resumed(stage: &Stage, before: i64, started: Instant) -> Result<Duration> {
    while progress(&stage.db).await? <= before && left_to_do(&stage.db).await? > 0 {
        ensure!(
            started.elapsed() < RESUME_LIMIT,
            "nothing went on within {RESUME_LIMIT:?} of the start"
        );
        tokio::time::sleep(LOOK_EVERY).await;
    }
    Ok(started.elapsed())
}
