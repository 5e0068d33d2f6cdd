//! What the end of an approval leads to: a draft goes out or is called off, a tool call has its result and its job
//! goes on. Always in the transaction that ends it.

use super::asking::{close, digest_of, told};
use crate::{Context, Error, Platform, effects, error::found, events};
use domain::{
    access::Actor,
    approval::{Approval, ApprovalKind, ApprovalStatus},
    effect::{Effect, EffectStatus},
    event::NewEvent,
    id::ApprovalId,
    job::{Job, JobStatus},
    message::ToolCallStatus,
};
use ports::store::{BoxTx, StoreError, StoreTx};
use serde_json::json;

/// Writes the end of an approval and what follows from it.
pub(super) async fn carry_out(
    context: &Context,
    tx: &BoxTx,
    approval: &Approval,
    job: &mut Job,
) -> Result<(), Error> {
    if !tx.approvals().settle(approval).await? {
        return Err(meanwhile());
    }
    let mut news = vec![events::approval(approval)];
    match approval.kind {
        ApprovalKind::Reply => news.extend(settle_draft(context, tx, approval).await?),
        ApprovalKind::Action => news.extend(answer(context, tx, approval, job).await?),
    }
    let closed = close(&context.platform, tx.as_ref(), approval).await?;
    news.extend(closed.iter().map(events::effect));
    tx.events()
        .append(context.tenant, approval.job_id, news, context.now())
        .await?;
    Ok(())
}

/// Ends approvals whose cause is gone; the events are the caller's to write.
pub async fn withdraw(
    platform: &Platform,
    tx: &dyn StoreTx,
    approvals: impl IntoIterator<Item = Approval> + Send,
    why: &str,
) -> Result<Vec<NewEvent>, StoreError> {
    let approvals: Vec<Approval> = approvals.into_iter().collect();
    let mut news = Vec::new();
    for mut approval in approvals {
        if !approval.withdraw(why, platform.clock.now())
            || !tx.approvals().settle(&approval).await?
        {
            continue;
        }
        news.push(events::approval(&approval));
        let closed = close(platform, tx, &approval).await?;
        news.extend(closed.iter().map(events::effect));
    }
    Ok(news)
}

/// Asks again when what is held is not what people were asked about; what they answer now would not be meant for
/// it.
pub(super) async fn asked_anew(
    context: &Context,
    tx: &BoxTx,
    approval: &Approval,
) -> Result<Option<Error>, Error> {
    let Some(effect) = approval.effect_id else {
        return Ok(None);
    };
    let effect = found(tx.effects().find(context.tenant, effect).await?, "effect")?;
    let digest = digest_of(&context.platform, approval.agent_id, &effect);
    if digest == approval.digest {
        return Ok(None);
    }
    let now = context.now();
    let mut old = approval.clone();
    old.withdraw("what it asked for has changed", now);
    if !tx.approvals().settle(&old).await? {
        return Err(meanwhile());
    }
    let fresh = Approval {
        id: ApprovalId::from_uuid(context.platform.ids.next()),
        action: shown(context, &effect),
        digest,
        requested_at: now,
        expires_at: now + (approval.expires_at - approval.requested_at),
        ..approval.clone()
    };
    tx.approvals().insert(&fresh).await?;
    let news = vec![events::approval(&old), events::approval(&fresh)];
    tx.events()
        .append(context.tenant, approval.job_id, news, now)
        .await?;
    super::note_end(&context.acting(Actor::System), tx, &old).await?;
    Ok(Some(Error::conflict(
        "approval_changed",
        format!(
            "what was asked for has changed since; decide on approval {}",
            fresh.id
        ),
    )))
}

/// An effect as people are shown it.
fn shown(context: &Context, effect: &Effect) -> serde_json::Value {
    let mut action = serde_json::to_value(&effect.action).unwrap_or_default();
    context.platform.channels.redact_json(&mut action);
    action
}

/// Lets the draft out, or calls it off.
async fn settle_draft(
    context: &Context,
    tx: &BoxTx,
    approval: &Approval,
) -> Result<Option<NewEvent>, Error> {
    let Some(id) = approval.effect_id else {
        return Ok(None);
    };
    let effect = found(tx.effects().find(context.tenant, id).await?, "effect")?;
    if effect.status != EffectStatus::Held {
        return Err(meanwhile());
    }
    let now = context.now();
    let (changed, reason) = if approval.status == ApprovalStatus::Approved {
        (effects::due(&effect, now), None)
    } else {
        let reason = told(approval);
        let called_off = Effect {
            status: EffectStatus::Cancelled,
            detail: Some(reason.clone()),
            settled_at: Some(now),
            ..effect.clone()
        };
        (called_off, Some(reason))
    };
    effects::write(context, tx, effect.status, &changed, reason.as_deref()).await?;
    Ok(Some(events::effect(&changed)))
}

/// Writes the result of the call that waits and lets its job go on.
async fn answer(
    context: &Context,
    tx: &BoxTx,
    approval: &Approval,
    job: &mut Job,
) -> Result<Vec<NewEvent>, Error> {
    let tenant = context.tenant;
    if job.status != JobStatus::Waiting || job.cancel_requested_at.is_some() {
        return Err(Error::conflict(
            "approval_decided",
            "the job is being stopped; it waits for no decision any more",
        ));
    }
    let calls = tx.transcript().tool_calls(tenant, job.id).await?;
    let waiting = |call: &&domain::message::ToolCall| Some(call.id) == approval.tool_call_id;
    let mut call = found(calls.iter().find(waiting).cloned(), "tool call")?;
    call.status = if approval.status == ApprovalStatus::Approved {
        ToolCallStatus::Succeeded
    } else {
        ToolCallStatus::Failed
    };
    call.result = Some(result(approval));
    call.detail = Some(json!({"approval_id": approval.id, "status": approval.status}));
    call.finished_at = Some(context.now());
    tx.transcript().finish_tool_call(&call).await?;
    job.wake()
        .map_err(|error| Error::Internal(Box::new(error)))?;
    tx.jobs().update(job).await?;
    tx.lanes()
        .make_ready(tenant, job.lane_id, context.now())
        .await?;
    Ok(vec![events::tool_finished(&call), events::job_status(job)])
}

/// What the model reads.
fn result(approval: &Approval) -> String {
    let then = if approval.status == ApprovalStatus::Approved {
        "Do exactly what was approved, with the arguments you named; anything else needs a new approval."
    } else {
        "Do not do it, nor anything that has the same effect."
    };
    format!("{} {then}", told(approval))
}

fn meanwhile() -> Error {
    Error::conflict(
        "changed_meanwhile",
        "this changed at the same moment; look again",
    )
}
