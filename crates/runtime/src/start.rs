//! What a claimed lane does: continue the job at its head, or decide on what waits and begin one. A
//! claim serves at most one job; the lease goes back in the same transaction that ends it.

use crate::{
    decide::{self, Chosen, Scene},
    engine::Engine,
    finish,
    job::{self, Halt, Run},
    steering,
};
use ::agent::{prompt, triage::Ruling};
use domain::{
    budget::Micros,
    id::JobId,
    job::{Job, JobFailure, JobStatus},
    message::Role,
    model::Usage,
    queue::{EntryStatus, Lane},
    work::{DecidedBy, Verdict},
};
use ports::{
    inference::Turn,
    store::{QueuedItem, StoreError, StoreTx},
};
use std::{sync::Arc, time::Duration};

/// How often a lane is tried again when the store fails under it.
const TRIES: u32 = 3;
/// How long to wait before.
const PAUSE: Duration = Duration::from_secs(1);

/// Serves a claimed lane to the end of one job, or until nothing waits.
#[tracing::instrument(name = "lanes.serve", skip_all, fields(tenant.id = %lane.tenant_id, lane.id = %lane.id))]
pub(crate) async fn run(engine: &Arc<Engine>, lane: Lane) {
    for _ in 0..TRIES {
        match serve(engine, lane).await {
            Ok(()) => return,
            Err(StoreError::Stale) => {
                metrics::counter!("nitejar_stale_writes_total").increment(1);
                tracing::warn!(lane.id = %lane.id, "another worker has this lane now; its writes are its own");
                return;
            }
            Err(error) => {
                tracing::error!(lane.id = %lane.id, error = %ports::Causes(&error), "the store failed under a job");
                engine.sleep(PAUSE).await;
                // A database that is away says nothing about the job: it goes on when the database is back.
                while engine.platform.store.ready().await.is_err() && !engine.stop.is_cancelled() {
                    engine.sleep(PAUSE).await;
                }
            }
        }
    }
    give_back(engine, lane).await;
}

/// Ends a job that cannot be continued here and gives the lane back, for as long as that takes.
pub(crate) async fn give_back(engine: &Arc<Engine>, lane: Lane) {
    while !engine.stop.is_cancelled() {
        match fail_head(engine, lane).await {
            Ok(()) | Err(StoreError::Stale) => return,
            Err(error) => {
                tracing::error!(lane.id = %lane.id, error = %ports::Causes(&error), "a lane could not be given back");
                engine.sleep(PAUSE).await;
            }
        }
    }
}

async fn serve(engine: &Arc<Engine>, lane: Lane) -> Result<(), StoreError> {
    let tx = engine.read(lane.tenant_id).await?;
    let head = tx.lanes().head(lane.tenant_id, lane.id).await?;
    let scene = Scene::load(tx.as_ref(), lane).await?;
    engine.places.learn(&scene.conversation);
    let before = JobId::from_uuid(engine.platform.ids.next());
    let (first, history) = match head {
        Some(_) => (None, Vec::new()),
        None => (
            tx.lanes().queued(lane.tenant_id, lane.id, 1).await?.pop(),
            job::recall(tx.as_ref(), lane, before).await?,
        ),
    };
    drop(tx);
    crate::crash::point("claim.loaded");
    match head {
        Some(job) if waits(&job) => release(engine, lane).await,
        Some(job) => job::run(Run::resume(engine, lane, scene, job).await?).await,
        None => match decide::next(engine, lane, &scene, first).await? {
            None => release(engine, lane).await,
            Some(chosen) => begin(engine, (lane, scene, history), chosen).await,
        },
    }
}

/// Whether a worker has nothing to do for a job; one that was asked to stop is stopped.
const fn waits(job: &Job) -> bool {
    matches!(job.status, JobStatus::Waiting) && job.cancel_requested_at.is_none()
}

/// Writes decision, job, first message and the first reservation in one transaction, then runs.
async fn begin(
    engine: &Arc<Engine>,
    (lane, scene, history): (Lane, Scene, Vec<Turn>),
    chosen: Chosen,
) -> Result<(), StoreError> {
    let Chosen { queued, ruling } = chosen;
    let decision = steering::decision(engine, lane, &queued, ruling);
    let mut run = first_attempt(engine, (lane, scene, history), &queued)?;
    let tx = engine.write(lane.tenant_id).await?;
    tx.fenced(lane.tenant_id, lane.id, lane.fence).await?;
    tx.work().insert_decision(&decision).await?;
    take(&run, tx.as_ref(), &queued).await?;
    let prepared = run.open(tx.as_ref(), &queued.item).await?;
    crate::crash::point("begin.before_commit");
    tx.commit().await?;
    crate::crash::point("begin.after_commit");
    run.prepared = Some(prepared);
    job::run(run).await
}

/// A job for an item, running already; nothing is written.
fn first_attempt(
    engine: &Arc<Engine>,
    (lane, scene, history): (Lane, Scene, Vec<Turn>),
    queued: &QueuedItem,
) -> Result<Run, StoreError> {
    let now = engine.now();
    let id = JobId::from_uuid(engine.platform.ids.next());
    let mut job = Job {
        id,
        tenant_id: lane.tenant_id,
        work_item_id: queued.item.id,
        agent_id: lane.agent_id,
        lane_id: lane.id,
        conversation_id: lane.conversation_id,
        attempt: 1,
        status: JobStatus::Queued,
        model: scene.model(engine),
        parent_id: None,
        root_id: id,
        retry_of: None,
        cancel_requested_at: None,
        failure: None,
        usage: Usage::default(),
        cost: Micros::ZERO,
        created_at: now,
        started_at: None,
        finished_at: None,
    };
    // A job that was just made is queued, so starting it is always legal.
    job.start(now).map_err(illegal)?;
    let answers = queued.item.message.message_id.clone();
    Ok(Run::new(engine, (lane, scene), job, history, answers))
}

/// Writes the job and that it runs the item.
async fn take(run: &Run, tx: &dyn StoreTx, queued: &QueuedItem) -> Result<(), StoreError> {
    let budget = run.engine.platform.settings.job_budget;
    tx.jobs().insert(&run.job, budget).await?;
    let (tenant, running) = (run.job.tenant_id, EntryStatus::Running);
    tx.lanes()
        .set_entry(tenant, queued.entry.id, running, Some(run.job.id))
        .await
}

async fn release(engine: &Engine, lane: Lane) -> Result<(), StoreError> {
    let tx = engine.write(lane.tenant_id).await?;
    tx.lanes()
        .release(lane.tenant_id, lane.id, lane.fence, engine.now())
        .await?;
    tx.commit().await
}

async fn fail_head(engine: &Arc<Engine>, lane: Lane) -> Result<(), StoreError> {
    let tx = engine.read(lane.tenant_id).await?;
    let head = tx.lanes().head(lane.tenant_id, lane.id).await?;
    let scene = Scene::load(tx.as_ref(), lane).await?;
    drop(tx);
    let mut run = match head {
        Some(job) if waits(&job) => return release(engine, lane).await,
        Some(job) => Run::resume(engine, lane, scene, job).await?,
        None => match take_first(engine, lane, scene).await? {
            Some(run) => run,
            None => return release(engine, lane).await,
        },
    };
    let failure = JobFailure {
        code: "internal_error".to_owned(),
        message: "The server hit an error of its own; its log says which. Retry the job once that is mended.".to_owned(),
    };
    finish::halt(&mut run, Halt::Failed(failure)).await
}

/// What cannot even be decided on must neither be tried for ever nor vanish: the first item gets a job,
/// so that its failure can be told and retried.
async fn take_first(
    engine: &Arc<Engine>,
    lane: Lane,
    scene: Scene,
) -> Result<Option<Run>, StoreError> {
    let tx = engine.read(lane.tenant_id).await?;
    let first = tx.lanes().queued(lane.tenant_id, lane.id, 1).await?.pop();
    drop(tx);
    if let Some(queued) = first {
        decide::settle_leftovers(engine, lane, &queued.item).await?;
    }
    let tx = engine.write(lane.tenant_id).await?;
    tx.fenced(lane.tenant_id, lane.id, lane.fence).await?;
    let first = tx.lanes().queued(lane.tenant_id, lane.id, 1).await?.pop();
    let Some(queued) = first else {
        return Ok(None);
    };
    let item = queued.item.id;
    let decisions = tx.work().decisions(lane.tenant_id, item).await?;
    if decisions.iter().all(|d| d.agent_id != lane.agent_id) {
        let ruling = Ruling {
            verdict: Verdict::Act,
            by: DecidedBy::Fallback,
            reason: "the server hit an error of its own before it could decide".to_owned(),
        };
        let decision = steering::decision(engine, lane, &queued, ruling);
        tx.work().insert_decision(&decision).await?;
    }
    let mut run = first_attempt(engine, (lane, scene, Vec::new()), &queued)?;
    take(&run, tx.as_ref(), &queued).await?;
    run.append(
        tx.as_ref(),
        Role::User,
        prompt::spoken(&queued.item, run.trust(), false),
    )
    .await?;
    run.flush(tx.as_ref()).await?;
    tx.commit().await?;
    Ok(Some(run))
}

/// A status change the state machine does not have is a row that should not exist.
pub(crate) fn illegal(error: domain::job::IllegalTransition) -> StoreError {
    StoreError::Corrupt {
        entity: "job",
        column: "status",
        source: Box::new(error),
    }
}
