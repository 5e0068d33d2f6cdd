//! The life of a run without model and tools, on the store alone: taken in, claimed, decided, begun, ended. It
//! shows what the rows cost, whatever is done between them.

use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use domain::budget::Limit;
use domain::id::{DecisionId, JobId};
use domain::queue::{EntryStatus, Lane};
use domain::work::{DecidedBy, Decision, Verdict};
use futures_util::future::try_join_all;
use ports::ingest::IngestQueue;
use ports::store::{Durability, Store};
use runtime::Gatherer;
use test_kit::builders;
use test_kit::store::Harness;
use tokio_util::task::TaskTracker;

use crate::report::{Report, Target, percentiles};

const RUNS: usize = 5_000;
const CLIENTS: usize = 32;

/// Measures on an empty store; every client has a conversation of its own.
pub(crate) async fn measure(report: &mut Report, harness: Harness, scale: usize) -> Result<()> {
    let harness = &harness;
    let worker = harness.worker("bench").await;
    let store: Arc<dyn Store> = Arc::clone(&harness.store) as _;
    let gatherer = Gatherer::start(store, &TaskTracker::new());
    let each = RUNS / scale / CLIENTS;
    let started = Instant::now();
    let clients = (0..CLIENTS).map(|client| {
        let gatherer = &gatherer;
        async move {
            let mut times = Vec::with_capacity(each);
            for run in 0..each {
                let begun = Instant::now();
                take_in(harness, gatherer, client, run).await?;
                let lanes = harness.store.claim_lanes(worker, harness.now(), 1).await?;
                // Another client may have claimed it: then that one ends it, and this one ends another's.
                for lane in lanes {
                    run_through(harness, lane).await?;
                }
                times.push(begun.elapsed());
            }
            anyhow::Ok(times)
        }
    });
    let times: Vec<Duration> = try_join_all(clients).await?.into_iter().flatten().collect();
    // A lane that was held while its next run came in is left over.
    loop {
        let left = harness.store.claim_lanes(worker, harness.now(), 1).await?;
        let Some(lane) = left.into_iter().next() else {
            break;
        };
        run_through(harness, lane).await?;
    }
    let wall = started.elapsed().as_secs_f64();
    let rate = f64::from(u32::try_from(times.len())?) / wall;
    report.add(
        "run lifecycle, rows alone",
        rate,
        "/s",
        Target::AtLeast(2000.0),
    );
    let [_, p99] = percentiles(times)?;
    report.add("run lifecycle p99", p99, "ms", Target::AtMost(50.0));
    Ok(())
}

async fn take_in(harness: &Harness, gatherer: &Gatherer, client: usize, run: usize) -> Result<()> {
    let (event, channel) = (format!("{client}-{run}"), client.to_string());
    let message = builders::inbound(&event, &channel, "Hello", harness.now());
    let accepted = gatherer
        .accept(vec![builders::accept(&harness.integration, message)])
        .await?;
    ensure!(
        accepted.iter().all(|one| !one.duplicate),
        "the store was not empty"
    );
    Ok(())
}

/// Begins a job and ends it, in the two transactions that the runtime would use.
async fn run_through(harness: &Harness, lane: Lane) -> Result<()> {
    let (tenant, now) = (lane.tenant_id, harness.now());
    let tx = harness.store.write(tenant, Durability::Relaxed).await?;
    tx.fenced(tenant, lane.id, lane.fence).await?;
    let queued = tx.lanes().queued(tenant, lane.id, 1).await?.pop();
    let queued = queued.context("a lane without work was ready")?;
    let mut job = builders::job(&*harness.ids, &lane, queued.item.id, now);
    job.start(now)?;
    tx.work()
        .insert_decision(&Decision {
            id: DecisionId::from_uuid(job.id.as_uuid()),
            tenant_id: tenant,
            work_item_id: queued.item.id,
            agent_id: lane.agent_id,
            verdict: Verdict::Act,
            decided_by: DecidedBy::Direct,
            reason: "bench".to_owned(),
            created_at: now,
        })
        .await?;
    tx.jobs().insert(&job, Limit::Unlimited).await?;
    let (entry, running) = (queued.entry.id, EntryStatus::Running);
    tx.lanes()
        .set_entry(tenant, entry, running, Some(job.id))
        .await?;
    append(&*tx, &job).await?;
    tx.commit().await?;

    job.complete(now)?;
    let tx = harness.store.write(tenant, Durability::Relaxed).await?;
    tx.fenced(tenant, lane.id, lane.fence).await?;
    tx.jobs().update(&job).await?;
    for item in tx.lanes().finish_entries(tenant, job.id).await? {
        tx.work().settle(tenant, item, None, now).await?;
    }
    append(&*tx, &job).await?;
    tx.lanes().release(tenant, lane.id, lane.fence, now).await?;
    Ok(tx.commit().await?)
}

async fn append(tx: &dyn ports::store::StoreTx, job: &domain::job::Job) -> Result<()> {
    let events = vec![services::events::job_status(job)];
    let id: JobId = job.id;
    Ok(tx
        .events()
        .append(job.tenant_id, id, events, job.created_at)
        .await?)
}
