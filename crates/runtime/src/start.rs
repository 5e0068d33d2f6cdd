//! What a claimed lane does: continue the job at its head, or decide on what waits and begin one. A
//! claim serves at most one job; the lease goes back in the same transaction that ends it.

use crate::{
    decide::{self, Chosen, Scene},
    engine::Engine,
    finish,
    job::{self, Halt, Run},
    steering,
};
use ::agent::triage::Ruling;
use domain::{
    budget::Micros,
    id::JobId,
    job::{Job, JobFailure, JobStatus},
    model::Usage,
    queue::{EntryStatus, Lane},
    work::{DecidedBy, Verdict},
};
use ports::{inference::Turn, store::StoreError};
use std::{sync::Arc, time::Duration};

/// How often a lane is tried again when the store fails under it.
const TRIES: u32 = 3;
/// How long to wait before.
const PAUSE: Duration = Duration::from_secs(1);

/// Serves a claimed lane to the end of one job, or until nothing waits.
pub(crate) async fn run(engine: &Arc<Engine>, lane: Lane) {
    for _ in 0..TRIES {
        match serve(engine, lane).await {
            Ok(()) => return,
            Err(StoreError::Stale) => {
                tracing::warn!(lane.id = %lane.id, "another worker has this lane now; its writes are its own");
                return;
            }
            Err(error) => {
                tracing::error!(lane.id = %lane.id, error = &error as &dyn std::error::Error, "the store failed under a job");
                engine.sleep(PAUSE).await;
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
                tracing::error!(lane.id = %lane.id, error = &error as &dyn std::error::Error, "a lane could not be given back");
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
    match head {
        Some(job) if job.status == JobStatus::Waiting => release(engine, lane).await,
        Some(job) => job::run(Run::resume(engine, lane, scene, job).await?).await,
        None => match decide::next(engine, lane, &scene, first).await? {
            None => release(engine, lane).await,
            Some(chosen) => begin(engine, (lane, scene, history), chosen).await,
        },
    }
}

/// Writes decision, job, first message and the first reservation in one transaction, then runs.
async fn begin(
    engine: &Arc<Engine>,
    (lane, scene, history): (Lane, Scene, Vec<Turn>),
    chosen: Chosen,
) -> Result<(), StoreError> {
    let now = engine.now();
    let Chosen { queued, ruling } = chosen;
    let decision = steering::decision(engine, lane, &queued, ruling);
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
    let mut run = Run::new(engine, (lane, scene), job, history, answers);
    let tx = engine.write(lane.tenant_id).await?;
    tx.fenced(lane.tenant_id, lane.id, lane.fence).await?;
    tx.work().insert_decision(&decision).await?;
    tx.jobs()
        .insert(&run.job, engine.platform.settings.job_budget)
        .await?;
    tx.lanes()
        .set_entry(
            lane.tenant_id,
            queued.entry.id,
            EntryStatus::Running,
            Some(run.job.id),
        )
        .await?;
    let prepared = run.open(tx.as_ref(), &queued.item).await?;
    tx.commit().await?;
    run.prepared = Some(prepared);
    job::run(run).await
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
    let Some(job) = head else {
        return give_up_first(engine, lane).await;
    };
    let mut run = Run::resume(engine, lane, scene, job).await?;
    let failure = JobFailure {
        code: "internal_error".to_owned(),
        message: "The server hit an error of its own; its log says which. Retry the job once that is mended.".to_owned(),
    };
    finish::halt(&mut run, Halt::Failed(failure)).await
}

/// What cannot even be decided on must not be tried for ever: the first item is passed with the reason.
async fn give_up_first(engine: &Engine, lane: Lane) -> Result<(), StoreError> {
    let ruling = Ruling {
        verdict: Verdict::Pass,
        by: DecidedBy::Fallback,
        reason: "the server hit an error of its own; its log says which".to_owned(),
    };
    let tx = engine.write(lane.tenant_id).await?;
    tx.fenced(lane.tenant_id, lane.id, lane.fence).await?;
    if let Some(queued) = tx.lanes().queued(lane.tenant_id, lane.id, 1).await?.pop() {
        steering::pass(engine, tx.as_ref(), lane, &queued, ruling).await?;
    }
    tx.lanes()
        .release(lane.tenant_id, lane.id, lane.fence, engine.now())
        .await?;
    tx.commit().await
}

/// A status change the state machine does not have is a row that should not exist.
pub(crate) fn illegal(error: domain::job::IllegalTransition) -> StoreError {
    StoreError::Corrupt {
        entity: "job",
        column: "status",
        source: Box::new(error),
    }
}
