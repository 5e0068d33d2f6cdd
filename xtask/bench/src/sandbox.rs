//! What a command in a sandbox costs, beside what the same costs without one. The sandboxes are the
//! library's, with the release binary inside them, so that neither a server nor a network is in the
//! figures.

use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use domain::id::{AgentId, TenantId};
use domain::sprite::SpriteKey;
use futures_util::StreamExt;
use ports::sandbox::{Exit, ProcessEvent, Processes, Sandbox, SandboxHost};
use sprites_local::{LocalHost, LocalSettings};
use test_kit::sandbox::support::{Kept, SHELL, program, request};
use uuid::Uuid;

use crate::report::{Report, Target, percentiles};

/// The hidden first argument that makes the binary a supervisor.
const SUPERVISOR: &str = "__supervisor";
const TRUE: &str = "/usr/bin/true";
const WARM: usize = 1000;
const COLD: u128 = 40;

/// Measures warm and cold commands, and plain processes beside them.
pub(crate) async fn measure(
    report: &mut Report,
    binary: &Path,
    out: &Path,
    scale: usize,
) -> Result<()> {
    let directory = tempfile::tempdir_in(out)?;
    let supervisor = vec![binary.canonicalize()?.into(), SUPERVISOR.into()];
    let settings = LocalSettings::new(directory.path().join("sprites"), supervisor);
    let count = WARM / scale;
    plain(report, count)?;

    let host = LocalHost::start(settings.clone()).await?;
    let sprite = host.sprite(key(0));
    let warm = repeat(count, async || command(&*sprite).await).await?;
    let [p50, p99] = percentiles(warm)?;
    report.add(
        "warm command in a kept shell, p50",
        p50,
        "ms",
        Target::AtMost(2.0),
    );
    report.add("warm command in a kept shell, p99", p99, "ms", Target::None);
    let [p50, _] = percentiles(repeat(count, async || process(&*sprite).await).await?)?;
    report.add(
        "process of its own in a warm sprite, p50",
        p50,
        "ms",
        Target::None,
    );
    let sprites = 1..=COLD / u128::try_from(scale)?;
    for number in sprites.clone() {
        command(&*host.sprite(key(number))).await?;
    }
    host.shutdown().await;

    // Nothing of them runs; what they have is on the disk.
    let host = LocalHost::start(settings).await?;
    let mut cold = Vec::new();
    for number in sprites {
        let started = Instant::now();
        command(&*host.sprite(key(number))).await?;
        cold.push(started.elapsed());
    }
    host.shutdown().await;
    let [p50, p99] = percentiles(cold)?;
    report.add(
        "cold sprite's first command, p50",
        p50,
        "ms",
        Target::AtMost(20.0),
    );
    report.add("cold sprite's first command, p99", p99, "ms", Target::None);
    Ok(())
}

/// The same without a sandbox.
fn plain(report: &mut Report, count: usize) -> Result<()> {
    for (name, words) in [
        ("plain process `true`, p50", [TRUE].as_slice()),
        (
            "plain process `bash -c true`, p50",
            &["/bin/bash", "-c", TRUE],
        ),
    ] {
        let (program, arguments) = words.split_first().context("no program")?;
        let mut latencies = Vec::with_capacity(count);
        for _ in 0..count {
            let started = Instant::now();
            let status = Command::new(program)
                .args(arguments)
                .stdin(Stdio::null())
                .status()?;
            latencies.push(started.elapsed());
            ensure!(status.success(), "{program} failed");
        }
        let [p50, _] = percentiles(latencies)?;
        report.add(name, p50, "ms", Target::None);
    }
    Ok(())
}

async fn repeat(count: usize, work: impl AsyncFn() -> Result<()>) -> Result<Vec<Duration>> {
    work().await?;
    let mut latencies = Vec::with_capacity(count);
    for _ in 0..count {
        let started = Instant::now();
        work().await?;
        latencies.push(started.elapsed());
    }
    Ok(latencies)
}

/// A program in the shell that is kept.
async fn command(sandbox: &(impl Sandbox + ?Sized)) -> Result<()> {
    let outcome = sandbox.exec(request(SHELL, TRUE), &Kept::default()).await?;
    ensure!(outcome.exit == Exit::Code(0), "{TRUE} failed: {outcome:?}");
    Ok(())
}

/// A program without a shell, to its end.
async fn process(processes: &(impl Processes + ?Sized)) -> Result<()> {
    let mut started = processes.start(program(&[TRUE])).await?;
    while let Some(event) = started.output.next().await {
        if let ProcessEvent::Ended(exit) = event? {
            ensure!(exit == Exit::Code(0), "{TRUE} failed: {exit:?}");
            return Ok(());
        }
    }
    anyhow::bail!("{TRUE} has no end")
}

fn key(number: u128) -> SpriteKey {
    SpriteKey {
        tenant_id: TenantId::from_uuid(Uuid::from_u128(1)),
        agent_id: AgentId::from_uuid(Uuid::from_u128(number)),
    }
}
