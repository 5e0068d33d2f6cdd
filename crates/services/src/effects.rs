//! Effects that wait for a human: let out, sent again, written off. Sending is not done here.

use crate::{Context, Error, approvals, error::found, events, people::see_job};
use domain::{
    Timestamp,
    access::{Area, Right},
    approval::Ruling,
    audit::Change,
    effect::{Effect, EffectStatus, REPLY_SLOT},
    id::EffectId,
    page::{Page, PageRequest},
    work::WITHDRAWN,
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
    context.authorise(Area::Effects, Right::Read)?;
    let tx = context.read().await?;
    let filter = EffectFilter {
        hidden: context.hidden(&tx).await?,
        ..filter.clone()
    };
    Ok(tx.effects().list(context.tenant, &filter, page).await?)
}

/// One effect.
pub async fn find(context: &Context, id: EffectId) -> Result<Effect, Error> {
    context.authorise(Area::Effects, Right::Read)?;
    load(context, &context.read().await?, id).await
}

/// Lets a held effect out, sends a failed one again, or settles one of which nobody knew whether
/// it arrived; only the last needs `resolve`.
#[tracing::instrument(name = "effects.release", skip_all, fields(tenant.id = %context.tenant, effect.id = %id))]
pub async fn release(
    context: &Context,
    id: EffectId,
    resolve: Option<Resolve>,
) -> Result<Effect, Error> {
    context.authorise(Area::Effects, Right::Operate)?;
    let now = context.now();
    let tx = context.write().await?;
    let effect = load(context, &tx, id).await?;
    if effect.status == EffectStatus::Held && resolve != Some(Resolve::MarkSent) {
        let asked = tx.approvals().pending_of_effect(context.tenant, id).await?;
        if let Some(asked) = asked {
            drop(tx);
            approvals::decide(context, asked.id, Ruling::Approve, None).await?;
            return load(context, &context.read().await?, id).await;
        }
    }
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
    context.authorise(Area::Effects, Right::Operate)?;
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
        detail: Some(WITHDRAWN.to_owned()),
        settled_at: Some(context.now()),
        ..effect.clone()
    };
    let asked = tx.approvals().pending_of_effect(context.tenant, id).await?;
    let news = approvals::withdraw(&context.platform, tx.as_ref(), asked, WITHDRAWN).await?;
    tx.events()
        .append(context.tenant, effect.job_id, news, context.now())
        .await?;
    let why = Some(WITHDRAWN);
    save(context, tx, effect.status, changed, why).await
}

async fn load(context: &Context, tx: &BoxTx, id: EffectId) -> Result<Effect, Error> {
    let effect = found(tx.effects().find(context.tenant, id).await?, "effect")?;
    let job = tx.jobs().find(context.tenant, effect.job_id).await?;
    see_job(context, tx, &found(job, "effect")?, "effect").await?;
    Ok(effect)
}

/// The effect as if it had just been written: due now, with all its attempts and its time to live.
pub(crate) fn due(effect: &Effect, now: Timestamp) -> Effect {
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
    write(context, &tx, from, &effect, reason).await?;
    let news = vec![events::effect(&effect)];
    tx.events()
        .append(context.tenant, effect.job_id, news, context.now())
        .await?;
    let action = match effect.status {
        EffectStatus::Cancelled => "effect.cancelled",
        EffectStatus::Held
        | EffectStatus::Pending
        | EffectStatus::Sending
        | EffectStatus::Sent
        | EffectStatus::Unknown
        | EffectStatus::Failed => "effect.released",
    };
    let change = Change::to(action, "effect", effect.id.as_uuid(), None).between(
        Some(serde_json::json!({ "status": from })),
        Some(serde_json::json!({ "status": effect.status })),
    );
    context.audit(tx.as_ref(), change).await?;
    tx.commit().await?;
    Ok(effect)
}

/// Writes the effect, and what it means for the work items its job carried; events are the caller's to write.
pub(crate) async fn write(
    context: &Context,
    tx: &BoxTx,
    from: EffectStatus,
    effect: &Effect,
    reason: Option<&str>,
) -> Result<(), Error> {
    if !tx.effects().update(effect, from).await? {
        return Err(Error::conflict(
            "changed_meanwhile",
            "the effect changed at the same moment; look again",
        ));
    }
    if effect.slot == REPLY_SLOT {
        for item in tx.lanes().items_of(context.tenant, effect.job_id).await? {
            tx.work()
                .settle(context.tenant, item, reason, context.now())
                .await?;
        }
    }
    Ok(())
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
