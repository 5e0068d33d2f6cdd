//! One heartbeat row per process, and the sweep that frees what dead processes held. Work itself is
//! woken by events; the sweep only catches what a lost wake-up left behind.

use crate::{engine::Engine, patience::within};
use chrono::TimeDelta;
use domain::{
    Timestamp,
    queue::{HEARTBEAT_EVERY, HEARTBEAT_EXPIRY, SWEEP_EVERY},
};
use ports::{
    live::{Wake, WakeSignal},
    store::{StoreError, Worker},
};
use std::sync::{Arc, atomic::Ordering};

/// Beats and sweeps until the runtime has let go of everything. A beat always comes before a sweep, so
/// that a process that slept, or whose clock jumped, does not sweep itself.
pub(crate) async fn pulse(engine: Arc<Engine>) {
    let mut last = None;
    loop {
        tokio::select! {
            biased;
            () = engine.gone.cancelled() => return,
            () = engine.sleep(SWEEP_EVERY) => {}
        }
        let now = engine.now();
        if is_due(last, now) {
            match within(&engine, beat(&engine)).await {
                Ok(()) => last = Some(now),
                Err(error) => {
                    tracing::error!(
                        error = %ports::Causes(&error),
                        "the heartbeat could not be written"
                    );
                    last = None;
                }
            }
        }
        if last.is_some()
            && let Err(error) = within(&engine, look(&engine)).await
        {
            tracing::error!(
                error = %ports::Causes(&error),
                "what dead processes held, and which jobs are asked to stop, could not be looked for"
            );
        }
        // For whatever became due by time alone.
        engine.hub.wake(Wake::Lanes);
        engine.hub.wake(Wake::Effects);
    }
}

/// Whether to beat now, when the last beat that was written is from `last`. Rounds are never quite even.
fn is_due(last: Option<Timestamp>, now: Timestamp) -> bool {
    let rest = HEARTBEAT_EVERY.saturating_sub(SWEEP_EVERY / 2);
    last.is_none_or(|last| (now - last).to_std().is_ok_and(|since| since >= rest) || now < last)
}

async fn beat(engine: &Engine) -> Result<(), StoreError> {
    if engine.leases.heartbeat(engine.worker, engine.now()).await? {
        return Ok(());
    }
    announce_again(engine).await
}

async fn look(engine: &Engine) -> Result<(), StoreError> {
    let now = engine.now();
    let swept = engine.leases.sweep(expired(now), now).await?;
    if swept.lanes + swept.effects > 0 {
        tracing::warn!(
            lanes = swept.lanes,
            effects = swept.effects,
            "freed what a dead process held"
        );
    }
    stop_requested(engine).await
}

/// Stops the jobs of this process that somebody asked to stop on another one, should the news of it be lost.
async fn stop_requested(engine: &Engine) -> Result<(), StoreError> {
    if engine.job_slots.available_permits() == engine.settings.jobs {
        return Ok(());
    }
    let asked = engine.leases.stop_requests(engine.worker).await?;
    for job in asked {
        engine.hub.stop(job);
    }
    Ok(())
}

/// A heartbeat before this instant means that its process is gone.
pub(crate) fn expired(now: Timestamp) -> Timestamp {
    now - TimeDelta::from_std(HEARTBEAT_EXPIRY).unwrap_or_default()
}

/// We were thought dead: our leases are gone, and every write of the jobs we run will be refused.
async fn announce_again(engine: &Engine) -> Result<(), StoreError> {
    tracing::error!(
        "this process was thought dead and has lost its leases; its jobs continue where they are claimed"
    );
    engine.losses.fetch_add(1, Ordering::SeqCst);
    let worker = Worker {
        id: engine.worker,
        instance: engine.settings.instance.clone(),
        started_at: engine.now(),
    };
    engine.leases.register(&worker).await.map(drop)
}
