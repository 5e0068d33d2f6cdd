//! How a job ends. Final status, answer and the outcome of every work item it carried are one
//! transaction, and the lane is free again with it.

use crate::{
    answer::{self, Preparation},
    job::{Halt, Run},
    start, tool_calls,
};
use chrono::TimeDelta;
use domain::{
    agent::ReplyPolicy,
    channel::ChatKind,
    effect::{EffectAction, EffectStatus, REPLY_SLOT},
    job::JobFailure,
};
use metrics::counter;
use ports::store::{StoreError, StoreTx};

/// How long an effect is of use: an answer for a day, a mark or a progress line for minutes.
pub(crate) fn lifetime(action: &EffectAction) -> TimeDelta {
    match action {
        EffectAction::Reply { .. } => TimeDelta::days(1),
        EffectAction::Receipt { .. } => TimeDelta::minutes(2),
        EffectAction::Progress { .. } => TimeDelta::minutes(5),
    }
}

/// Ends a job whose answer is committed already.
pub(crate) async fn complete(run: &mut Run, answer: &str) -> Result<(), Halt> {
    let tx = run.engine.write().await?;
    tx.fenced(run.lane.tenant_id, run.lane.id, run.lane.fence)
        .await?;
    complete_in(run, tx.as_ref(), answer).await?;
    run.flush(tx.as_ref()).await?;
    Ok(tx.commit().await?)
}

/// Ends a job with its answer, inside the transaction that keeps the answer.
pub(crate) async fn complete_in(
    run: &mut Run,
    tx: &dyn StoreTx,
    answer: &str,
) -> Result<(), StoreError> {
    run.job.complete(run.engine.now()).map_err(start::illegal)?;
    let status = match run.scene.agent.reply_policy {
        ReplyPolicy::Auto => EffectStatus::Pending,
        ReplyPolicy::Approve => EffectStatus::Held,
    };
    end(run, tx, answer.to_owned(), status, None).await
}

/// Ends a job that stops before its answer; people are told why, in their channel.
pub(crate) async fn halt(run: &mut Run, halt: Halt) -> Result<(), StoreError> {
    let now = run.engine.now();
    let (notice, reason) = match halt {
        Halt::Store(error) => return Err(error),
        Halt::Abandoned => return Ok(()),
        Halt::Cancelled => {
            run.job.cancel(now).map_err(start::illegal)?;
            (
                "This job was stopped before it was finished.".to_owned(),
                "stopped by a person".to_owned(),
            )
        }
        Halt::Failed(failure) => {
            run.job.fail(failure.clone(), now).map_err(start::illegal)?;
            (notice(run, &failure), failure.message)
        }
    };
    run.events.clear();
    let tx = run.engine.write().await?;
    tx.fenced(run.lane.tenant_id, run.lane.id, run.lane.fence)
        .await?;
    if let Some(Preparation::Ready(prepared)) = run.prepared.take() {
        let mut call = prepared.call;
        call.outcome = Some("not started".to_owned());
        answer::settle_failed(run, tx.as_ref(), call).await?;
    }
    tool_calls::abort(run, tx.as_ref()).await?;
    end(
        run,
        tx.as_ref(),
        notice,
        EffectStatus::Pending,
        Some(&reason),
    )
    .await?;
    run.flush(tx.as_ref()).await?;
    tx.commit().await
}

async fn end(
    run: &mut Run,
    tx: &dyn StoreTx,
    markdown: String,
    status: EffectStatus,
    reason: Option<&str>,
) -> Result<(), StoreError> {
    let tenant = run.job.tenant_id;
    tx.jobs().update(&run.job).await?;
    run.events.push(services::events::job_status(&run.job));
    counter!("nitejar_jobs_total", "status" => run.job.status.as_str()).increment(1);
    if run.has_channel() {
        if let Some(edit) = run.presence.farewell(run, tx).await? {
            tx.effects().insert(&edit).await?;
        }
        let reply_to = run
            .answers
            .clone()
            .filter(|_| run.scene.conversation.chat == ChatKind::Group);
        let mut reply = run.effect(REPLY_SLOT, EffectAction::Reply { markdown, reply_to });
        reply.status = status;
        tx.effects().insert(&reply).await?;
        run.events.push(services::events::effect(&reply));
    }
    let items = tx.lanes().finish_entries(tenant, run.job.id).await?;
    // Where an answer is on its way, its delivery says how the items end; until then they stay open.
    if !run.has_channel() {
        for item in items {
            tx.work()
                .settle(tenant, item, reason, run.engine.now())
                .await?;
        }
    }
    run.hands.close_in(tx).await?;
    tx.lanes()
        .release(tenant, run.lane.id, run.lane.fence, run.engine.now())
        .await
}

/// What people read when a job failed: what, why, the way out, and where to look.
fn notice(run: &Run, failure: &JobFailure) -> String {
    let mut text = format!("I could not finish this. {}", failure.message);
    if let Some(url) = &run.engine.platform.settings.public_url {
        text.push_str("\n\n");
        text.push_str(url.trim_end_matches('/'));
        text.push_str("/jobs/");
        text.push_str(&run.job.id.to_string());
    }
    text
}
