//! How a job ends. Final status, answer and the outcome of every work item it carried are one
//! transaction, and the lane is free again with it.

use crate::{
    answer::{self, Preparation},
    job::{Halt, Run},
    parking, start, tool_calls,
};
use chrono::TimeDelta;
use domain::{
    agent::ReplyPolicy,
    approval,
    channel::ChatKind,
    effect::{EffectAction, EffectStatus, REPLY_SLOT},
    job::{Job, JobStatus},
    work::STOPPED,
};
use metrics::counter;
use ports::store::{StoreError, StoreTx};
use services::notices;

/// Why a question of a job that is over needs no answer.
const OVER: &str = "the job is over";

/// How long an effect is of use: an answer for a day, a mark or a progress line for minutes.
pub(crate) fn lifetime(action: &EffectAction) -> TimeDelta {
    match action {
        EffectAction::Reply { .. } => TimeDelta::days(1),
        EffectAction::Receipt { .. } => TimeDelta::minutes(2),
        EffectAction::Progress { .. } => TimeDelta::minutes(5),
        EffectAction::Question { .. } => approval::OPEN_FOR,
    }
}

/// Ends a job whose answer is committed already.
pub(crate) async fn complete(run: &mut Run, answer: &str) -> Result<(), Halt> {
    let tx = run.engine.write(run.lane.tenant_id).await?;
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
    end(run, tx, answer.to_owned(), status).await
}

/// Ends a job that stops before its answer; people are told why, in their channel.
pub(crate) async fn halt(run: &mut Run, halt: Halt) -> Result<(), StoreError> {
    let now = run.engine.now();
    let notice = match halt {
        Halt::Store(error) => return Err(error),
        Halt::Abandoned => return Ok(()),
        Halt::Cancelled => {
            run.job.cancel(now).map_err(start::illegal)?;
            notices::stopped(&run.engine.platform.settings, run.job.id)
        }
        Halt::Failed(failure) => {
            let settings = &run.engine.platform.settings;
            let notice = notices::failed(settings, run.job.id, &failure);
            run.job.fail(failure, now).map_err(start::illegal)?;
            notice
        }
    };
    run.events.clear();
    let tx = run.engine.write(run.lane.tenant_id).await?;
    tx.fenced(run.lane.tenant_id, run.lane.id, run.lane.fence)
        .await?;
    if let Some(Preparation::Ready(prepared)) = run.prepared.take() {
        let mut call = prepared.call;
        call.outcome = Some("not started".to_owned());
        answer::settle_failed(run, tx.as_ref(), call).await?;
    }
    tool_calls::abort(run, tx.as_ref()).await?;
    let asked = tx
        .approvals()
        .pending_of_job(run.job.tenant_id, run.job.id)
        .await?;
    let platform = &run.engine.platform;
    let news = services::approvals::withdraw(platform, tx.as_ref(), asked, OVER).await?;
    run.events.extend(news);
    end(run, tx.as_ref(), notice, EffectStatus::Pending).await?;
    crate::crash::point("halt.before_commit");
    run.flush(tx.as_ref()).await?;
    tx.commit().await?;
    crate::crash::point("halt.after_commit");
    Ok(())
}

async fn end(
    run: &mut Run,
    tx: &dyn StoreTx,
    markdown: String,
    status: EffectStatus,
) -> Result<(), StoreError> {
    let tenant = run.job.tenant_id;
    tx.jobs().update(&run.job).await?;
    run.events.push(services::events::job_status(&run.job));
    counter!("nitejar_jobs_total", "status" => run.job.status.as_str()).increment(1);
    if run.has_channel() {
        run.presence.farewell(run, tx).await?;
        let reply_to = run
            .answers
            .clone()
            .filter(|_| run.scene.conversation.chat == ChatKind::Group);
        let mut reply = run.effect(REPLY_SLOT, EffectAction::Reply { markdown, reply_to });
        reply.status = status;
        tx.effects().insert(&reply).await?;
        run.events.push(services::events::effect(&reply));
        if status == EffectStatus::Held {
            parking::hold(run, tx, &reply).await?;
        }
    }
    let items = tx.lanes().finish_entries(tenant, run.job.id).await?;
    // Where an answer is on its way, its delivery says how the items end; until then they stay open.
    if !run.has_channel() {
        let reason = reason(&run.job);
        for item in items {
            tx.work()
                .settle(tenant, item, reason.as_deref(), run.engine.now())
                .await?;
        }
    }
    crate::crash::point("finish.before_commit");
    run.hands.close_in(tx).await?;
    tx.lanes()
        .release(tenant, run.lane.id, run.lane.fence, run.engine.now())
        .await
}

/// Why a final job gave no answer, in words for a person.
pub(crate) fn reason(job: &Job) -> Option<String> {
    match job.status {
        JobStatus::Failed => job.failure.as_ref().map(|failure| failure.message.clone()),
        JobStatus::Cancelled => Some(STOPPED.to_owned()),
        JobStatus::Completed | JobStatus::Queued | JobStatus::Running | JobStatus::Waiting => None,
    }
}
