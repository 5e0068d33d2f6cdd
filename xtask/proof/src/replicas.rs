//! Two replicas under load while one is restarted, killed or frozen, and while Redis and Postgres go
//! and come back: what was delivered, lost and doubled.

use std::convert::Infallible;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use clap::Args;
use futures_util::future::{join, try_join_all};
use nix::sys::signal::Signal;
use reqwest::Client;
use sea_orm::DatabaseConnection;
use tokio::time::sleep;

use crate::api::{self, Api};
use crate::case::left_to_do;
use crate::checker::{self, Evidence, Violation};
use crate::cluster::Cluster;
use crate::database::{Databases, Kind};
use crate::report::{Table, say, seconds};
use crate::rows::{self, Rows};
use crate::services::{self, Programs, Services};
use crate::world::{Bot, SECRET, World};

const QUIET_LIMIT: Duration = Duration::from_mins(2);
const LOOK_EVERY: Duration = Duration::from_millis(50);
const CHATS: i64 = 40;
/// Longer than a lease lives without a heartbeat (7 s), with the sweep that notices (1 s).
const FROZEN: Duration = Duration::from_secs(11);
/// Rules whose breaking means that something is gone, or there twice; others are broken all the same.
const LOST: [&str; 4] = [
    "accepted-is-durable",
    "one-item",
    "visible-end",
    "reply-seen",
];
const DOUBLED: [&str; 4] = ["one-event", "reply-once", "tool-once", "one-job"];

/// Runs every scenario.
#[derive(Args)]
pub(crate) struct Arguments {
    /// The `nitejar` binary.
    #[arg(long)]
    binary: PathBuf,
    /// Where scenarios live.
    #[arg(long)]
    out: PathBuf,
    #[command(flatten)]
    programs: Programs,
    /// Only scenarios whose name contains this.
    #[arg(long)]
    scenario: Option<String>,
    /// Deliveries per second.
    #[arg(long, default_value_t = 30)]
    rate: u32,
    /// How long people write in each scenario, in seconds.
    #[arg(long, default_value_t = 20)]
    seconds: u32,
}

/// What happens while people write.
#[derive(Clone, Copy, Debug)]
enum Scenario {
    Steady,
    RollingRestart,
    Killed,
    Frozen,
    RedisKilled,
    PostgresRestarted,
}

const SCENARIOS: [(Scenario, &str); 6] = [
    (Scenario::Steady, "steady"),
    (Scenario::RollingRestart, "rolling restart"),
    (Scenario::Killed, "one killed and back"),
    (Scenario::Frozen, "one frozen past its lease"),
    (Scenario::RedisKilled, "Redis killed and back"),
    (Scenario::PostgresRestarted, "Postgres restarted"),
];

/// What came of a scenario.
struct Played {
    delivered: usize,
    unknown: i64,
    stale: f64,
    longest_pause: Duration,
    violations: Vec<Violation>,
}

impl Played {
    /// Prints what was broken, and counts it for the table.
    fn row(&self, name: &str) -> Vec<String> {
        for violation in &self.violations {
            eprintln!("  {}: {}", violation.rule, violation.what);
        }
        let count = |rules: &[&str]| {
            let counted = self.violations.iter().filter(|v| rules.contains(&v.rule));
            counted.count().to_string()
        };
        vec![
            name.to_owned(),
            self.delivered.to_string(),
            count(&LOST),
            count(&DOUBLED),
            self.unknown.to_string(),
            format!("{:.0}", self.stale),
            seconds(self.longest_pause),
        ]
    }
}

/// Runs the scenarios; false when anything was lost or doubled, or another promise broken.
pub(crate) async fn run(arguments: Arguments) -> Result<bool> {
    let out = arguments.out.join("replicas");
    if out.exists() {
        std::fs::remove_dir_all(&out)?;
    }
    std::fs::create_dir_all(&out)?;
    let mut services = Services::start(&arguments.programs).await?;
    let client = api::client()?;
    let mut table = Table::new(&[
        "scenario",
        "delivered",
        "lost",
        "doubled",
        "unknown",
        "refused stale writes",
        "longest pause",
    ]);
    let mut good = true;
    for (scenario, name) in SCENARIOS {
        if arguments
            .scenario
            .as_ref()
            .is_some_and(|part| !name.contains(part.as_str()))
        {
            continue;
        }
        eprintln!("{name}: people write for {} s", arguments.seconds);
        let directory = out.join(name.replace(' ', "-"));
        std::fs::create_dir_all(&directory)?;
        let result = play(
            (scenario, name),
            &arguments,
            &mut services,
            (&client, directory),
        )
        .await?;
        good &= result.violations.is_empty();
        table.row(result.row(name));
    }
    table.print()?;
    say(if good {
        "nothing lost, nothing doubled"
    } else {
        "promises were broken; see above"
    })?;
    Ok(good)
}

async fn play(
    (scenario, name): (Scenario, &str),
    arguments: &Arguments,
    services: &mut Services,
    (client, directory): (&Client, PathBuf),
) -> Result<Played> {
    let databases = Databases::prepare(
        Kind::Postgres,
        Some(&services.postgres_url()),
        &arguments.binary,
        &directory,
    )
    .await?;
    let redis = services.redis_url();
    let mut cluster = Cluster::start(
        &arguments.binary,
        &databases,
        client,
        (name, &directory),
        &redis,
    )
    .await?;
    let world = Arc::clone(&cluster.world);
    let apis: Vec<Api> = cluster
        .replicas
        .iter()
        .map(|replica| replica.api.clone())
        .collect();
    let db = cluster.database.watch().await?;
    let mut longest_pause = Duration::ZERO;
    let body = async {
        let trouble = async {
            sleep(Duration::from_secs(u64::from(arguments.seconds) / 4)).await;
            happen(scenario, &mut cluster, services).await
        };
        let (delivered, happened) = join(load(&world, &apis, arguments), trouble).await;
        happened?;
        settled(&db, &world).await;
        delivered
    };
    let delivered = tokio::select! {
        delivered = body => delivered?,
        never = pauses(&world, &mut longest_pause) => match never {},
    };
    let evidence = Evidence {
        crashes: Vec::new(),
        end: Rows::read(&db).await?,
        outside: world.outside(&directory)?,
    };
    let violations = checker::check(&evidence);
    let unknown =
        rows::number(&db, "SELECT count(*) FROM effects WHERE status = 'unknown'").await?;
    let stale = cluster.stale().await?;
    db.close().await?;
    databases.drop(&cluster.database).await?;
    cluster.stop().await?;
    databases.finish().await?;
    Ok(Played {
        delivered,
        unknown,
        stale,
        longest_pause,
        violations,
    })
}

async fn happen(scenario: Scenario, cluster: &mut Cluster, services: &mut Services) -> Result<()> {
    match scenario {
        Scenario::Steady => {}
        Scenario::RollingRestart => {
            cluster.replica(0)?.restart().await?;
            cluster.replica(1)?.restart().await?;
        }
        Scenario::Killed => {
            cluster.replica(0)?.kill().await?;
            // The other one takes over what it held when its lease ends.
            sleep(FROZEN).await;
            cluster.replica(0)?.start().await?;
        }
        Scenario::Frozen => {
            cluster.replica(0)?.signal(Signal::SIGSTOP)?;
            sleep(FROZEN).await;
            cluster.replica(0)?.signal(Signal::SIGCONT)?;
        }
        Scenario::RedisKilled => {
            services::end(&mut services.redis, Signal::SIGKILL).await?;
            sleep(Duration::from_secs(3)).await;
            services::start(&mut services.redis).await?;
        }
        Scenario::PostgresRestarted => {
            // SIGINT is Postgres' fast shutdown.
            services::end(&mut services.postgres, Signal::SIGINT).await?;
            sleep(Duration::from_secs(1)).await;
            services::start(&mut services.postgres).await?;
        }
    }
    Ok(())
}

/// People write at an even pace; every delivery goes to the replicas in turn until one takes it, as a
/// vendor behind a load balancer does. Returns how many were taken.
async fn load(world: &World, apis: &[Api], arguments: &Arguments) -> Result<usize> {
    let (rate, seconds) = (arguments.rate, arguments.seconds);
    let integration = world.integration_id(Bot::Called)?.to_string();
    let integration = integration.as_str();
    let total = i64::from(rate) * i64::from(seconds);
    let deliveries = (1..=total).map(|number| async move {
        let due = Duration::from_secs_f64(f64::from(u32::try_from(number)?) / f64::from(rate));
        sleep(due).await;
        let order = match number % 10 {
            0 => "tools",
            5 => "slow",
            _ => "plain",
        };
        if number % 10 == 3 {
            world.say(
                Bot::Polled,
                5_000 + number % CHATS,
                &format!("#{number} plain"),
            );
        }
        let update = world.update(
            number,
            1_000 + number % CHATS,
            &format!("Bo, #{number} {order}"),
        );
        let started = Instant::now();
        let first = usize::try_from(number)?;
        for turn in first.. {
            let Some(api) = apis.get(turn % apis.len()) else {
                continue;
            };
            if api.deliver_once(integration, SECRET, &update).await {
                world.taken(number);
                break;
            }
            ensure!(
                started.elapsed() < QUIET_LIMIT,
                "delivery {number} was never taken"
            );
            sleep(LOOK_EVERY * 2).await;
        }
        // Some of it comes a second time, to the other one.
        if let (0, Some(api)) = (number % 7, apis.get((first + 1) % apis.len())) {
            api.deliver_once(integration, SECRET, &update).await;
        }
        Ok::<_, anyhow::Error>(())
    });
    Ok(try_join_all(deliveries).await?.len())
}

/// Waits until nothing is left to do, or for too long; the checker then says what is left.
async fn settled(db: &DatabaseConnection, world: &World) {
    let started = Instant::now();
    while started.elapsed() < QUIET_LIMIT {
        // A database that is coming back may refuse for a moment.
        if world.is_heard() && left_to_do(db).await.is_ok_and(|left| left == 0) {
            return;
        }
        sleep(LOOK_EVERY).await;
    }
    eprintln!("  not settled after {QUIET_LIMIT:?}");
}

/// Notes the longest time in which no answer arrived, for as long as it is polled.
async fn pauses(world: &World, longest: &mut Duration) -> Infallible {
    let (mut seen, mut since) = (0, Instant::now());
    loop {
        let answers = world.answers();
        // Before the first answer the servers are still waking up.
        if answers > seen || answers == 0 {
            (seen, since) = (answers, Instant::now());
        }
        *longest = since.elapsed().max(*longest);
        sleep(LOOK_EVERY).await;
    }
}
