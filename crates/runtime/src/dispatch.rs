//! Claims lanes that are ready, as many as there are free places, and runs each.

use crate::{
    engine::Engine,
    held,
    patience::{Doubt, within},
    start,
};
use domain::queue::Lane;
use futures_util::FutureExt;
use ports::{
    live::{Wake, WakeSignal},
    store::StoreError,
};
use std::{
    panic::AssertUnwindSafe,
    sync::{Arc, atomic::Ordering},
};
use tokio::sync::OwnedSemaphorePermit;

/// The most lanes one claim takes.
const CLAIM: usize = 16;

/// Claims and runs until a stop is asked for.
pub(crate) async fn run(engine: Arc<Engine>) {
    let mut doubt = Doubt::default();
    loop {
        tokio::select! {
            biased;
            () = engine.stop.cancelled() => return,
            () = engine.hub.wait(Wake::Lanes) => {}
        }
        let claimed = claim(&engine, &doubt).await;
        doubt.note(&claimed, engine.now());
        if let Err(error) = claimed {
            tracing::error!(
                error = %ports::Causes(&error),
                "lanes could not be claimed"
            );
        }
    }
}

/// Claims; first gives back what an earlier claim may have taken whose answer was lost.
async fn claim(engine: &Arc<Engine>, doubt: &Doubt) -> Result<(), StoreError> {
    if doubt.is_open(engine.now()) {
        within(engine, held::let_go_of_lanes(engine)).await?;
    }
    claim_all(engine).await
}

/// Claims until nothing is ready or every place is taken; then the next place that becomes free wakes us.
async fn claim_all(engine: &Arc<Engine>) -> Result<(), StoreError> {
    loop {
        let mut places = Vec::new();
        while places.len() < CLAIM {
            match Arc::clone(&engine.job_slots).try_acquire_owned() {
                Ok(place) => places.push(place),
                Err(_full) => break,
            }
        }
        if places.is_empty() {
            engine.jobs_starved.store(true, Ordering::SeqCst);
            // A place that was freed in between has not seen the mark.
            if engine.job_slots.available_permits() == 0 {
                return Ok(());
            }
            continue;
        }
        if engine.stop.is_cancelled() {
            return Ok(());
        }
        let limit = u32::try_from(places.len()).unwrap_or(1);
        let claim = engine
            .leases
            .claim_lanes(engine.worker, engine.now(), limit);
        let lanes = within(engine, claim).await?;
        let full = lanes.len() == places.len();
        for (lane, place) in lanes.into_iter().zip(places) {
            crate::crash::point("claim.after_commit");
            engine.lanes.hold(lane.id);
            engine.spawn_job(run_lane(Arc::clone(engine), lane, place));
        }
        if !full {
            return Ok(());
        }
    }
}

async fn run_lane(engine: Arc<Engine>, lane: Lane, place: OwnedSemaphorePermit) {
    let running = Arc::clone(&engine);
    let _holding = running.lanes.holding(lane.id);
    let outcome = AssertUnwindSafe(Box::pin(start::run(&engine, lane)))
        .catch_unwind()
        .await;
    if outcome.is_err() {
        // The panic itself was logged by the hook. The lane must not stay with us.
        tracing::error!(lane.id = %lane.id, "a job panicked");
        start::give_back(&engine, lane).await;
    }
    drop(place);
    if engine.jobs_starved.swap(false, Ordering::SeqCst) {
        engine.hub.wake(Wake::Lanes);
    }
}
