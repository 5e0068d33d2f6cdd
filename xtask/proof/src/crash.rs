//! The crash suite: every named point, many seeds, one table.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::{Result, bail, ensure};
use clap::Args;
use futures_util::{StreamExt, stream};
use runtime::crash::POINTS;

use crate::case::{Bench, Blow, Case, Outcome};
use crate::database::{Databases, Kind};
use crate::seed::Seed;
use crate::server::Launch;
use crate::{api, report};

/// Kills the server at every named point and checks what is left.
#[derive(Args)]
pub(crate) struct Arguments {
    /// The `nitejar` binary, built with the feature `crash-points`.
    #[arg(long)]
    binary: PathBuf,
    /// Where cases live; those that fail are kept there.
    #[arg(long)]
    out: PathBuf,
    /// Which database.
    #[arg(long, value_enum, default_value = "sqlite")]
    db: Kind,
    /// An empty Postgres server, for `--db postgres`.
    #[arg(long)]
    postgres_url: Option<String>,
    /// How many seeds per point.
    #[arg(long, default_value_t = 8)]
    seeds: u64,
    /// Only points whose name contains this.
    #[arg(long)]
    point: Option<String>,
    /// Only this seed.
    #[arg(long)]
    seed: Option<u64>,
    /// How many cases run side by side.
    #[arg(long, default_value_t = 3)]
    jobs: usize,
}

/// Runs the suite; false when a promise was broken or a point was never hit.
pub(crate) async fn run(arguments: Arguments) -> Result<bool> {
    let started = Instant::now();
    let wanted = |point: &&&'static str| {
        arguments
            .point
            .as_ref()
            .is_none_or(|part| point.contains(part.as_str()))
    };
    let points: Vec<&'static str> = POINTS.iter().filter(wanted).copied().collect();
    ensure!(
        !points.is_empty(),
        "no point has such a name; there are: {}",
        POINTS.join(", ")
    );
    let seeds: Vec<u64> = arguments
        .seed
        .map_or_else(|| (1..=arguments.seeds).collect(), |seed| vec![seed]);
    let bench = prepare(&arguments).await?;
    let cases: Vec<Case> = seeds
        .iter()
        .flat_map(|seed| points.iter().map(|point| plan(point, *seed)))
        .collect();
    let total = cases.len();
    eprintln!(
        "{} points x {} seeds on {}: {total} cases",
        points.len(),
        seeds.len(),
        arguments.db.name()
    );

    let mut outcomes = Vec::with_capacity(total);
    let mut playing = stream::iter(&cases)
        .map(|case| bench.play(case))
        .buffer_unordered(arguments.jobs.max(1));
    while let Some(outcome) = playing.next().await {
        tell(&outcome, arguments.db);
        outcomes.push(outcome);
        if outcomes.len().is_multiple_of(total.div_ceil(10).max(10)) {
            eprintln!(
                "{}/{total} cases after {:.0} s",
                outcomes.len(),
                started.elapsed().as_secs_f64()
            );
        }
    }
    drop(playing);
    let good = summary(
        &points,
        &outcomes,
        (seeds.len(), arguments.db),
        started.elapsed(),
    )?;
    bench.databases.finish().await?;
    Ok(good)
}

/// A clean directory, a template, and a binary that can be killed.
async fn prepare(arguments: &Arguments) -> Result<Bench> {
    let out = arguments.out.join(arguments.db.name());
    if out.exists() {
        std::fs::remove_dir_all(&out)?;
    }
    std::fs::create_dir_all(&out)?;
    let databases = Databases::prepare(
        arguments.db,
        arguments.postgres_url.as_deref(),
        &arguments.binary,
        &out,
    )
    .await?;
    ensure_armable(&arguments.binary, &out).await?;
    Ok(Bench {
        binary: arguments.binary.clone(),
        out,
        databases,
        client: api::client()?,
    })
}

/// A binary without crash points would pass everything by never dying.
async fn ensure_armable(binary: &Path, out: &Path) -> Result<()> {
    let (data, log) = (out.join("unarmable"), out.join("unarmable.log"));
    let launch = Launch {
        binary: binary.to_owned(),
        data,
        log,
        port: 0,
        env: Vec::new(),
    };
    let status = launch.spawn(Some("none:1"))?.ended().await?;
    ensure!(
        status.code() == Some(2),
        "{} takes no crash point; build it with `--features crash-points`",
        binary.display()
    );
    Ok(())
}

/// What happens to the server, from the point and the seed alone.
fn plan(point: &'static str, seed: u64) -> Case {
    let mut numbers = Seed::new(seed, point);
    let moment = Duration::from_millis(50 + numbers.below(900));
    let hit = 1 + numbers.below(most(point));
    let blows = match point {
        // Only a process that takes over from a dead one gets there.
        "start.registered" => vec![Blow::Kill(moment), Blow::Point(point, 1)],
        "reopen.before_commit" | "reopen.after_commit" => {
            let first = [
                "tools.after_run",
                "model.ended",
                "begin.after_commit",
                "tools.output",
            ];
            let at = usize::try_from(numbers.below(4)).unwrap_or(0);
            vec![
                Blow::Point(
                    first.get(at).copied().unwrap_or("model.ended"),
                    1 + numbers.below(2),
                ),
                Blow::Point(point, 1),
            ]
        }
        "triage.leftovers" => vec![
            Blow::Point("triage.reserved", 1 + numbers.below(2)),
            Blow::Point(point, 1),
        ],
        _ if point.starts_with("drain.") => vec![Blow::Drain(moment, point)],
        _ => vec![Blow::Point(point, hit)],
    };
    Case {
        point,
        seed,
        blows,
        long: point.starts_with("progress."),
        storm: seed.is_multiple_of(2),
    }
}

/// How often the stories surely come by a point.
fn most(point: &str) -> u64 {
    match point {
        "model.delta" => 6,
        "finish.before_commit"
        | "finish.after_commit"
        | "finish.shell_closed"
        | "begin.before_commit"
        | "begin.after_commit"
        | "model.before_call"
        | "model.ended"
        | "model.after_commit"
        | "model.before_commit"
        | "effect.claimed"
        | "effect.before_send"
        | "effect.after_send"
        | "settle.before_commit"
        | "settle.after_commit"
        | "claim.after_commit"
        | "claim.loaded" => 8,
        "tools.before_run"
        | "tools.after_run"
        | "tools.before_commit"
        | "tools.after_commit"
        | "tools.output" => 5,
        "ingest.before_commit"
        | "ingest.after_commit"
        | "poller.before_cursor"
        | "poller.after_cursor"
        | "triage.reserved"
        | "triage.answered"
        | "triage.settled"
        | "shell.before_commit"
        | "shell.after_commit" => 3,
        "tools.between_before_commit"
        | "tools.between_after_commit"
        | "pass.before_commit"
        | "pass.after_commit"
        | "model.failed_before_commit"
        | "model.failed_after_commit"
        | "reserve.before_commit"
        | "reserve.after_commit" => 2,
        _ => 1,
    }
}

/// Prints a case that went wrong and how to play it again.
fn tell(outcome: &Outcome, db: Kind) {
    if outcome.violations.is_empty() {
        return;
    }
    eprintln!(
        "\n{} seed {}: {} violations",
        outcome.point,
        outcome.seed,
        outcome.violations.len()
    );
    for violation in &outcome.violations {
        eprintln!("  {}: {}", violation.rule, violation.what);
    }
    let (point, seed) = (outcome.point, outcome.seed);
    eprintln!("  kept in {}", outcome.directory.display());
    eprintln!(
        "  again: cargo xtask crash --db {} --point {point} --seed {seed}\n",
        db.name()
    );
}

fn summary(
    points: &[&'static str],
    outcomes: &[Outcome],
    (seeds, db): (usize, Kind),
    took: Duration,
) -> Result<bool> {
    let mut table = report::Table::new(&[
        "point",
        "seeds",
        "hit",
        "crashes",
        "violations",
        "longest resume",
    ]);
    let mut by_point: BTreeMap<&str, Vec<&Outcome>> = BTreeMap::new();
    for outcome in outcomes {
        by_point.entry(outcome.point).or_default().push(outcome);
    }
    let mut unhit = Vec::new();
    for point in points {
        let of_point = by_point.get(point).map(Vec::as_slice).unwrap_or_default();
        if !of_point.iter().any(|outcome| outcome.hit) {
            unhit.push(*point);
        }
        table.row(row(point, of_point));
    }
    table.print()?;
    let missed: Vec<String> = outcomes
        .iter()
        .filter(|outcome| !outcome.hit)
        .map(|outcome| format!("{}:{}", outcome.point, outcome.seed))
        .collect();
    if !missed.is_empty() {
        report::say(&format!(
            "not reached with these seeds: {}",
            missed.join(" ")
        ))?;
    }
    if outcomes.is_empty() {
        bail!("nothing was played");
    }
    let crashes: usize = outcomes.iter().map(|outcome| outcome.crashes).sum();
    let violations: usize = outcomes
        .iter()
        .map(|outcome| outcome.violations.len())
        .sum();
    if !unhit.is_empty() {
        report::say(&format!("never hit: {}", unhit.join(", ")))?;
    }
    report::say(&format!(
        "{} points x {seeds} seeds on {}: {crashes} crashes, {violations} violations in {:.0} s",
        points.len(),
        db.name(),
        took.as_secs_f64()
    ))?;
    let storms: Vec<usize> = outcomes
        .iter()
        .filter_map(|outcome| outcome.lost_answers)
        .collect();
    let lost: usize = storms.iter().sum();
    report::say(&format!(
        "{} of them in storms, in which {lost} answers were lost",
        storms.len()
    ))?;
    let is_tested = storms.is_empty() || lost > 0;
    Ok(violations == 0 && unhit.is_empty() && is_tested)
}

/// What came of one point.
fn row(point: &str, outcomes: &[&Outcome]) -> Vec<String> {
    let hits = outcomes.iter().filter(|outcome| outcome.hit).count();
    let crashes: usize = outcomes.iter().map(|outcome| outcome.crashes).sum();
    let violations: usize = outcomes
        .iter()
        .map(|outcome| outcome.violations.len())
        .sum();
    let resume = outcomes.iter().map(|outcome| outcome.longest_resume).max();
    let counts = [outcomes.len(), hits, crashes, violations].map(|count| count.to_string());
    let resume = report::seconds(resume.unwrap_or_default());
    [point.to_owned()]
        .into_iter()
        .chain(counts)
        .chain([resume])
        .collect()
}
