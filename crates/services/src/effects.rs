//! Effects that wait for a human: let out, sent again, written off. Sending is not done here.

use crate::{Context, Error, error::found, events};
use domain::{
    Timestamp,
    access::Right,
    effect::{Effect, EffectStatus},
    id::EffectId,
    page::{Page, PageRequest},
};
use ports::store::{BoxTx, EffectFilter};

/// What a human found out about an effect of which nobody knew whether it arrived.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Resolve {
    /// It did not arrive: send it again.
    Resend,
    /// It arrived.
    MarkSent,
}

/// Effects, newest first.
pub async fn list(
    context: &Context,
    filter: &EffectFilter,
    page: PageRequest,
) -> Result<Page<Effect>, Error> {
    context.authorise(Right::Read)?;
    Ok(context
        .read()
        .await?
        .effects()
        .list(context.tenant, filter, page)
        .await?)
}

/// Lets a held effect out, sends a failed one again, or settles one of which nobody knew whether
/// it arrived; only the last needs `resolve`.
#[tracing::instrument(name = "effects.release", skip_all, fields(tenant.id = %context.tenant, effect.id = %id))]
pub async fn release(
    context: &Context,
    id: EffectId,
    resolve: Option<Resolve>,
) -> Result<Effect, Error> {
    context.authorise(Right::Operate)?;
    let now = context.now();
    let tx = context.write().await?;
    let effect = load(context, &tx, id).await?;
    let changed = match (effect.status, resolve) {
        (EffectStatus::Held | EffectStatus::Failed, None | Some(Resolve::Resend))
        | (EffectStatus::Unknown, Some(Resolve::Resend)) => due(&effect, now),
        (EffectStatus::Unknown, Some(Resolve::MarkSent)) => Effect {
            status: EffectStatus::Sent,
            detail: Some("marked as sent by a person".to_owned()),
            settled_at: Some(now),
            ..effect.clone()
        },
        (EffectStatus::Unknown, None) => {
            return Err(Error::invalid(
                "resolve",
                "nobody knows whether this effect arrived: look at the destination, then say `resend` or `mark_sent`",
            ));
        }
        (EffectStatus::Held | EffectStatus::Failed, Some(Resolve::MarkSent)) => {
            return Err(Error::conflict(
                "effect_not_sent",
                format!("the effect is {}: it surely was not sent", effect.status),
            ));
        }
        (
            EffectStatus::Pending
            | EffectStatus::Sending
            | EffectStatus::Sent
            | EffectStatus::Cancelled,
            _,
        ) => return Err(wrong_status(&effect, "held, failed or unknown", "released")),
    };
    save(context, tx, effect.status, changed, None).await
}

/// Withdraws an effect that has not been sent.
#[tracing::instrument(name = "effects.cancel", skip_all, fields(tenant.id = %context.tenant, effect.id = %id))]
pub async fn cancel(context: &Context, id: EffectId) -> Result<Effect, Error> {
    context.authorise(Right::Operate)?;
    let tx = context.write().await?;
    let effect = load(context, &tx, id).await?;
    match effect.status {
        EffectStatus::Held | EffectStatus::Pending | EffectStatus::Unknown => {}
        EffectStatus::Sending
        | EffectStatus::Sent
        | EffectStatus::Failed
        | EffectStatus::Cancelled => {
            return Err(wrong_status(
                &effect,
                "held, pending or unknown",
                "cancelled",
            ));
        }
    }
    let changed = Effect {
        status: EffectStatus::Cancelled,
        settled_at: Some(context.now()),
        ..effect.clone()
    };
    let why = Some(domain::work::WITHDRAWN);
    save(context, tx, effect.status, changed, why).await
}

async fn load(context: &Context, tx: &BoxTx, id: EffectId) -> Result<Effect, Error> {
    found(tx.effects().find(context.tenant, id).await?, "effect")
}

/// The effect as if it had just been written: due now, with all its attempts and its time to live.
fn due(effect: &Effect, now: Timestamp) -> Effect {
    let time_to_live = effect.expires_at - effect.created_at;
    Effect {
        status: EffectStatus::Pending,
        dead_reason: None,
        detail: None,
        attempts: 0,
        next_attempt_at: now,
        expires_at: effect.expires_at.max(now + time_to_live),
        settled_at: None,
        ..effect.clone()
    }
}

async fn save(
    context: &Context,
    tx: BoxTx,
    from: EffectStatus,
    effect: Effect,
    reason: Option<&str>,
) -> Result<Effect, Error> {
    let now = context.now();
    if !tx.effects().update(&effect, from).await? {
        return Err(Error::conflict(
            "changed_meanwhile",
            "the effect changed at the same moment; look again",
        ));
    }
    let news = vec![events::effect(&effect)];
    tx.events()
        .append(context.tenant, effect.job_id, news, now)
        .await?;
    for item in tx.lanes().items_of(context.tenant, effect.job_id).await? {
        tx.work().settle(context.tenant, item, reason, now).await?;
    }
    tx.commit().await?;
    Ok(effect)
}

fn wrong_status(effect: &Effect, wanted: &str, action: &str) -> Error {
    Error::conflict(
        "effect_status",
        format!(
            "the effect is {}; only one that is {wanted} can be {action}",
            effect.status
        ),
    )
}
