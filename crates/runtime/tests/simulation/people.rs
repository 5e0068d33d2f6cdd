//! What people do with jobs and effects over the API, whoever they happen to meet.

use crate::{
    script::{patient, somebody},
    world::World,
};
use domain::{
    effect::{Effect, EffectAction, EffectStatus},
    id::EffectId,
    job::Job,
    page::{MAX_LIMIT, PageRequest},
};
use ports::store::{EffectFilter, JobFilter};
use services::{
    Context, Error,
    effects::Resolve,
    jobs::{RetryFrom, RetryJob},
    work::CreateWorkItem,
};
use std::{fmt::Debug, sync::Arc};

/// Hands work in.
pub(crate) async fn hand(world: &Arc<World>) {
    let request = CreateWorkItem {
        text: "by hand".to_owned(),
        agent_ids: Vec::new(),
        conversation_id: None,
    };
    ask(world, "hand", async |context| {
        services::work::create(&context, request).await
    })
    .await;
}

/// Stops a job that is not over.
pub(crate) async fn cancel(world: &Arc<World>) {
    let jobs = jobs(world, |job| !job.status.is_final()).await;
    if let Some(job) = world.dice(|dice| dice.pick(&jobs).map(|job| job.id)) {
        ask(world, "cancel", async |context| {
            services::jobs::cancel(&context, job).await
        })
        .await;
    }
}

/// Has a job that is over tried again.
pub(crate) async fn retry(world: &Arc<World>) {
    let jobs = jobs(world, |job| job.status.is_final()).await;
    let Some(job) = world.dice(|dice| dice.pick(&jobs).map(|job| job.id)) else {
        return;
    };
    let request = world.dice(|dice| RetryJob {
        from: if dice.chance(500) {
            RetryFrom::Start
        } else {
            RetryFrom::LastTurn
        },
        reply_again: dice.chance(500),
    });
    ask(world, "retry", async |context| {
        services::jobs::retry(&context, job, request).await
    })
    .await;
}

/// Decides about one effect that nobody else will touch.
pub(crate) async fn resolve(world: &Arc<World>) {
    let waiting = waiting(world).await;
    let Some(effect) = world.dice(|dice| dice.pick(&waiting).cloned()) else {
        return;
    };
    if world.dice(|dice| dice.chance(300)) {
        ask(world, "withdraw", async |context| {
            services::effects::cancel(&context, effect.id).await
        })
        .await;
    } else {
        release(world, &effect).await;
    }
}

/// Decides about every effect that still waits for a human; failed ones are left as they are.
pub(crate) async fn resolve_all(world: &Arc<World>) {
    for effect in waiting(world).await {
        if effect.status != EffectStatus::Failed {
            release(world, &effect).await;
        }
    }
}

async fn release(world: &Arc<World>, effect: &Effect) {
    let resolve = (effect.status == EffectStatus::Unknown).then(|| looked(world, effect));
    let id: EffectId = effect.id;
    ask(
        world,
        &format!("release {id} {resolve:?}"),
        async |context| services::effects::release(&context, id, resolve).await,
    )
    .await;
}

/// A human looks at the chat before saying whether it arrived.
fn looked(world: &World, effect: &Effect) -> Resolve {
    let text = match &effect.action {
        EffectAction::Reply { markdown, .. }
        | EffectAction::Progress { markdown, .. }
        | EffectAction::Question { markdown, .. } => markdown,
        EffectAction::Receipt { message_id } => message_id,
    };
    if world.vendor(|vendor| vendor.seen.iter().any(|seen| seen.text == *text)) {
        Resolve::MarkSent
    } else {
        Resolve::Resend
    }
}

async fn ask<T: Debug>(
    world: &Arc<World>,
    what: &str,
    act: impl AsyncFnOnce(Context) -> Result<T, Error>,
) {
    world.turn().await;
    let Some(process) = somebody(world).filter(|process| process.is_up()) else {
        return;
    };
    let outcome = match patient(world, act(process.context())).await {
        None => "no answer".to_owned(),
        Some(Ok(_)) => "done".to_owned(),
        Some(Err(error)) => error.to_string(),
    };
    world.note("people", format!("{what}: {outcome}"));
}

async fn jobs(world: &Arc<World>, wanted: impl Fn(&Job) -> bool) -> Vec<Job> {
    let (tx, _busy) = world.look().await;
    let page = PageRequest::first(MAX_LIMIT);
    let jobs = tx
        .jobs()
        .list(world.tenant(), &JobFilter::default(), page)
        .await;
    jobs.unwrap().items.into_iter().filter(wanted).collect()
}

async fn waiting(world: &Arc<World>) -> Vec<Effect> {
    let (tx, _busy) = world.look().await;
    let page = PageRequest::first(MAX_LIMIT);
    let effects = tx
        .effects()
        .list(world.tenant(), &EffectFilter::default(), page)
        .await;
    let waits = |effect: &Effect| {
        matches!(
            effect.status,
            EffectStatus::Held | EffectStatus::Unknown | EffectStatus::Failed
        )
    };
    effects.unwrap().items.into_iter().filter(waits).collect()
}
