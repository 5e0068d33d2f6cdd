//! Delivers effects: claim, send, settle. Order is kept per conversation by the claim; different
//! conversations are served side by side.

use crate::{
    engine::Engine,
    finish, held,
    patience::{Doubt, within},
};
use chrono::TimeDelta;
use domain::{
    effect::{DeadReason, Effect, EffectStatus, RECEIPT_SLOT, REPLY_SLOT},
    queue::backoff,
};
use futures_util::FutureExt;
use metrics::counter;
use ports::{
    channel::{ChannelError, Delivery},
    live::{Wake, WakeSignal},
    store::StoreError,
};
use std::{
    panic::AssertUnwindSafe,
    sync::{Arc, atomic::Ordering},
    time::Duration,
};
use tokio::sync::OwnedSemaphorePermit;

/// The most effects one claim takes.
const CLAIM: usize = 32;
/// How often sending is begun before it is given up.
const ATTEMPTS: i32 = 12;
/// The longest pause that is granted to a vendor that asks for one.
const LONGEST_ASKED: Duration = Duration::from_hours(1);
/// The first and the longest pause between two attempts.
const FIRST_PAUSE: Duration = Duration::from_secs(1);
const LONGEST_PAUSE: Duration = Duration::from_mins(5);

/// Claims and sends until the last job has ended, and then what that left to send.
pub(crate) async fn run(engine: Arc<Engine>) {
    let (mut last, mut doubt) = (false, Doubt::default());
    while !last {
        tokio::select! {
            biased;
            () = engine.quiet.cancelled() => last = true,
            () = engine.hub.wait(Wake::Effects) => {}
        }
        let claimed = claim(&engine, &doubt).await;
        doubt.note(&claimed, engine.now());
        if let Err(error) = claimed {
            tracing::error!(
                error = %ports::Causes(&error),
                "effects could not be claimed"
            );
        }
    }
}

/// Claims; first gives back what an earlier claim may have taken whose answer was lost.
async fn claim(engine: &Arc<Engine>, doubt: &Doubt) -> Result<(), StoreError> {
    if doubt.is_open(engine.now()) {
        within(engine, held::let_go_of_effects(engine)).await?;
    }
    claim_all(engine).await
}

async fn claim_all(engine: &Arc<Engine>) -> Result<(), StoreError> {
    loop {
        let mut places = Vec::new();
        while places.len() < CLAIM {
            match Arc::clone(&engine.send_slots).try_acquire_owned() {
                Ok(place) => places.push(place),
                Err(_full) => break,
            }
        }
        if engine.drop_sends.is_cancelled() {
            return Ok(());
        }
        if places.is_empty() {
            engine.sends_starved.store(true, Ordering::SeqCst);
            // A place that was freed in between has not seen the mark.
            if engine.send_slots.available_permits() == 0 {
                return Ok(());
            }
            continue;
        }
        let limit = u32::try_from(places.len()).unwrap_or(1);
        let claim = engine
            .leases
            .claim_effects(engine.worker, engine.now(), limit);
        let effects = within(engine, claim).await?;
        let full = effects.len() == places.len();
        for (effect, place) in effects.into_iter().zip(places) {
            engine.effects.hold(effect.id);
            engine.spawn(deliver(Arc::clone(engine), effect, place));
        }
        if !full {
            return Ok(());
        }
    }
}

async fn deliver(engine: Arc<Engine>, mut effect: Effect, place: OwnedSemaphorePermit) {
    crate::crash::point("effect.claimed");
    let sending = Arc::clone(&engine);
    let holding = sending.effects.holding(effect.id);
    let attempted = AssertUnwindSafe(attempt(&engine, &effect)).catch_unwind();
    let attempted = tokio::select! {
        biased;
        attempted = attempted => attempted,
        // The row stays `sending`; whoever frees this process's leases makes it `unknown`, which is the truth.
        () = engine.drop_sends.cancelled() => {
            holding.keep();
            return;
        }
    };
    let outcome = match attempted {
        Ok(Ok(outcome)) => outcome,
        // The panic itself was logged by the hook; whether anything left is not known.
        Err(_panic) => Outcome::Failed(ChannelError::Ambiguous(
            "the server hit an error of its own while sending".to_owned(),
        )),
        Ok(Err(error)) => {
            tracing::error!(effect.id = %effect.id, error = %ports::Causes(&error), "an effect could not be prepared");
            Outcome::Failed(ChannelError::Unavailable(
                "the server's own store failed".to_owned(),
            ))
        }
    };
    crate::crash::point("effect.after_send");
    judge(&engine, &mut effect, outcome);
    counter!("nitejar_effects_total", "status" => effect.status.as_str()).increment(1);
    while let Err(error) = settle(&engine, &effect).await {
        tracing::error!(effect.id = %effect.id, error = %ports::Causes(&error), "a delivery could not be recorded");
        if engine.drop_sends.is_cancelled() {
            break;
        }
        engine.sleep(FIRST_PAUSE).await;
    }
    drop((holding, place));
    // What this one held up in its conversation was woken by the commit; what found no place is not.
    if engine.sends_starved.swap(false, Ordering::SeqCst) {
        engine.hub.wake(Wake::Effects);
    }
}

/// What came of one attempt.
enum Outcome {
    Sent(Option<String>),
    Failed(ChannelError),
    Expired,
    Nowhere(String),
}

#[tracing::instrument(name = "effects.send", skip_all, fields(
    job.id = %effect.job_id, effect.id = %effect.id, integration.id = %effect.integration_id, attempt = effect.attempts))]
async fn attempt(engine: &Engine, effect: &Effect) -> Result<Outcome, StoreError> {
    if effect.expires_at <= engine.now() {
        return Ok(Outcome::Expired);
    }
    let platform = &engine.platform;
    let integration = match platform
        .channels
        .integration(platform.system.as_ref(), effect.integration_id)
        .await
    {
        Ok(integration) => integration,
        Err(error) => {
            return Ok(Outcome::Failed(ChannelError::Unavailable(
                error.to_string(),
            )));
        }
    };
    let place = engine
        .places
        .find(engine, effect.tenant_id, effect.conversation_id)
        .await?;
    let (Some(integration), Some(place)) = (integration, place) else {
        return Ok(Outcome::Nowhere("the integration was deleted".to_owned()));
    };
    if !integration.enabled {
        return Ok(Outcome::Nowhere(
            "the integration is switched off".to_owned(),
        ));
    }
    let channel = match platform.channels.connect(&integration) {
        Ok(channel) => channel,
        Err(error) => return Ok(Outcome::Nowhere(error.to_string())),
    };
    let delivery = Delivery {
        place,
        action: effect.action.clone(),
    };
    crate::crash::point("effect.before_send");
    Ok(match channel.send(&delivery).await {
        Ok(reference) => Outcome::Sent(reference),
        Err(error) => Outcome::Failed(error),
    })
}

/// What the outcome means for the row.
fn judge(engine: &Engine, effect: &mut Effect, outcome: Outcome) {
    let pause = backoff(
        u32::try_from(effect.attempts).unwrap_or(1),
        FIRST_PAUSE,
        LONGEST_PAUSE,
        engine.jitter(),
    );
    match outcome {
        Outcome::Sent(reference) => {
            effect.status = EffectStatus::Sent;
            effect.provider_reference = reference;
            effect.detail = None;
        }
        Outcome::Expired => bury(
            effect,
            DeadReason::Expired,
            "it was too old to be of use".to_owned(),
        ),
        Outcome::Nowhere(why) => {
            let why = engine.redactor.redact(&why).into_owned();
            bury(effect, DeadReason::Blocked, why);
        }
        Outcome::Failed(error) => {
            let detail = engine.redactor.redact(&error.to_string()).into_owned();
            match error {
                ChannelError::RateLimited { retry_after, .. } => {
                    again(engine, effect, retry_after, detail);
                }
                ChannelError::Unavailable(_) | ChannelError::Taken(_) => {
                    again(engine, effect, pause, detail);
                }
                ChannelError::Ambiguous(_) if effect.action.is_idempotent() => {
                    again(engine, effect, pause, detail);
                }
                ChannelError::Ambiguous(_) => {
                    effect.status = EffectStatus::Unknown;
                    effect.detail = Some(detail);
                }
                ChannelError::Refused(_) => bury(effect, DeadReason::Blocked, detail),
            }
        }
    }
    if effect.status.is_final() {
        effect.settled_at = Some(engine.now());
    }
}

fn again(engine: &Engine, effect: &mut Effect, pause: Duration, detail: String) {
    let pause = pause.min(LONGEST_ASKED);
    if effect.attempts >= ATTEMPTS {
        bury(effect, DeadReason::Attempts, detail);
        return;
    }
    effect.status = EffectStatus::Pending;
    effect.detail = Some(detail);
    effect.next_attempt_at = engine.now() + TimeDelta::from_std(pause).unwrap_or(TimeDelta::MAX);
}

fn bury(effect: &mut Effect, reason: DeadReason, detail: String) {
    effect.status = EffectStatus::Failed;
    effect.dead_reason = Some(reason);
    effect.detail = Some(detail);
}

/// Writes the row, and what it means for the work items the job carried.
async fn settle(engine: &Engine, effect: &Effect) -> Result<(), StoreError> {
    let now = engine.now();
    let tx = engine.write(effect.tenant_id).await?;
    let mut written = tx.effects().settle(effect, engine.worker).await?;
    if !written && effect.status == EffectStatus::Sent {
        // This process was thought dead meanwhile and the outcome unknown; now it is known.
        written = tx.effects().update(effect, EffectStatus::Unknown).await?;
    }
    if !written {
        return Ok(());
    }
    // The mark on a person's message is no part of the job's story; the effect's own row tells of it.
    if effect.slot != RECEIPT_SLOT {
        let events = vec![services::events::effect(effect)];
        tx.events()
            .append(effect.tenant_id, effect.job_id, events, now)
            .await?;
    }
    if effect.slot == REPLY_SLOT {
        let job = tx.jobs().find(effect.tenant_id, effect.job_id).await?;
        let reason = job
            .as_ref()
            .and_then(finish::reason)
            .or(effect.detail.clone());
        for item in tx.lanes().items_of(effect.tenant_id, effect.job_id).await? {
            tx.work()
                .settle(effect.tenant_id, item, reason.as_deref(), now)
                .await?;
        }
    }
    crate::crash::point("settle.before_commit");
    tx.commit().await?;
    crate::crash::point("settle.after_commit");
    Ok(())
}
