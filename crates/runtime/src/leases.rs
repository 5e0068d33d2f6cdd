//! One heartbeat row per process, and the sweep that frees what dead processes held. Work itself is
//! woken by events; the sweep only catches what a lost wake-up left behind.

use crate::engine::Engine;
use chrono::TimeDelta;
use domain::{
    Timestamp,
    queue::{HEARTBEAT_EVERY, HEARTBEAT_EXPIRY, SWEEP_EVERY},
};
use ports::{
    live::{Wake, WakeSignal},
    store::Worker,
};
use std::{
    sync::{Arc, atomic::Ordering},
    time::Duration,
};

/// Beats and sweeps until the runtime has let go of everything. A beat always comes before a sweep, so
/// that a process that slept, or whose clock jumped, does not sweep itself.
pub(crate) async fn pulse(engine: Arc<Engine>) {
    let mut since_beat = HEARTBEAT_EVERY;
    loop {
        let before = engine.now();
        tokio::select! {
            biased;
            () = engine.gone.cancelled() => return,
            () = engine.sleep(SWEEP_EVERY) => {}
        }
        since_beat += SWEEP_EVERY;
        let jumped =
            engine.now() - before > TimeDelta::from_std(HEARTBEAT_EVERY).unwrap_or_default();
        if since_beat >= HEARTBEAT_EVERY || jumped {
            beat(&engine).await;
            since_beat = Duration::ZERO;
        }
        sweep(&engine).await;
        stop_requested(&engine).await;
        // For whatever became due by time alone.
        engine.hub.wake(Wake::Lanes);
        engine.hub.wake(Wake::Effects);
    }
}

async fn beat(engine: &Engine) {
    match engine.leases.heartbeat(engine.worker, engine.now()).await {
        Ok(true) => {}
        Ok(false) => announce_again(engine).await,
        Err(error) => {
            tracing::error!(
                error = %ports::Causes(&error),
                "the heartbeat could not be written"
            );
        }
    }
}

async fn sweep(engine: &Engine) {
    let now = engine.now();
    match engine.leases.sweep(expired(now), now).await {
        Ok(swept) if swept.lanes + swept.effects > 0 => {
            tracing::warn!(
                lanes = swept.lanes,
                effects = swept.effects,
                "freed what a dead process held"
            );
        }
        Ok(_) => {}
        Err(error) => tracing::error!(error = %ports::Causes(&error), "the sweep failed"),
    }
}

/// Stops the jobs of this process that somebody asked to stop on another one, should the news of it be lost.
async fn stop_requested(engine: &Engine) {
    if engine.job_slots.available_permits() == engine.settings.jobs {
        return;
    }
    match engine.leases.stop_requests(engine.worker).await {
        Ok(jobs) => jobs.into_iter().for_each(|job| engine.hub.stop(job)),
        Err(error) => {
            tracing::error!(
                error = %ports::Causes(&error),
                "requests to stop jobs could not be read"
            );
        }
    }
}

/// A heartbeat before this instant means that its process is gone.
pub(crate) fn expired(now: Timestamp) -> Timestamp {
    now - TimeDelta::from_std(HEARTBEAT_EXPIRY).unwrap_or_default()
}

/// We were thought dead: our leases are gone, and every write of the jobs we run will be refused.
async fn announce_again(engine: &Engine) {
    tracing::error!(
        "this process was thought dead and has lost its leases; its jobs continue where they are claimed"
    );
    engine.losses.fetch_add(1, Ordering::SeqCst);
    let worker = Worker {
        id: engine.worker,
        instance: engine.settings.instance.clone(),
        started_at: engine.now(),
    };
    if let Err(error) = engine.leases.register(&worker).await {
        tracing::error!(
            error = %ports::Causes(&error),
            "could not announce this process again"
        );
    }
}
