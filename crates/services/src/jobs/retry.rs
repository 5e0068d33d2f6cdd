//! Another attempt at what a job was for: a new job, never the old one reopened.

use super::{continuation, load};
use crate::{Context, Error, error::found, events, providers};
use domain::{
    Timestamp,
    access::{Area, Right},
    agent::Agent,
    audit::Change,
    budget::Micros,
    effect::{EffectStatus, REPLY_SLOT},
    id::{JobId, MessageId},
    job::{Job, JobStatus},
    message::Message,
    model::{ModelRef, Usage},
    page::PageRequest,
    queue::EntryStatus,
};
use ports::store::{BoxTx, JobFilter};

/// How a job failed that may ask the model no more.
const TURN_LIMIT: &str = "turn_limit";
/// How a job failed that did the same over and over.
const LOOP_SUSPECTED: &str = "loop_suspected";

/// Where the new attempt begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RetryFrom {
    /// With the message that came in.
    Start,
    /// With the transcript up to the last turn that was complete.
    LastTurn,
}

/// How to try again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RetryJob {
    /// Where the new attempt begins.
    pub from: RetryFrom,
    /// Whether a second answer may be sent where a first one was, or may have been.
    pub reply_again: bool,
}

/// Makes a new job for what a finished one was for.
///
/// # Errors
/// `Conflict` while the job is under way, when it was tried again already, while its lane works on
/// something else, when its agent takes no work, when its answer went out and `reply_again` is not
/// set, and when it used up its turns, or repeated itself, and is to go on after the last one.
#[tracing::instrument(name = "jobs.retry", skip_all, fields(tenant.id = %context.tenant, job.id = %id))]
pub async fn retry(context: &Context, id: JobId, request: RetryJob) -> Result<Job, Error> {
    context.authorise(Area::Work, Right::Operate)?;
    let now = context.now();
    let tx = context.write().await?;
    let old = load(context, &tx, id).await?;
    check_free(context, &tx, &old).await?;
    if request.from == RetryFrom::LastTurn {
        check_turns_left(&old)?;
    }
    if !request.reply_again {
        check_unanswered(context, &tx, &old).await?;
    }
    let agent = found(
        tx.agents().find(context.tenant, old.agent_id).await?,
        "agent",
    )?;
    let model = model(context, &tx, &agent).await?;
    let job = next_attempt(context, &tx, &old, model).await?;
    tx.jobs()
        .insert(&job, context.platform.settings.job_budget)
        .await?;
    let mut news = vec![events::job_status(&job)];
    if request.from == RetryFrom::LastTurn {
        let copied = copy_transcript(context, &tx, &old, &job, now).await?;
        news.extend(copied.iter().map(events::message));
    }
    take_entries(context, &tx, &old, &job, now).await?;
    tx.events()
        .append(context.tenant, job.id, news, now)
        .await?;
    tx.lanes()
        .make_ready(context.tenant, job.lane_id, now)
        .await?;
    let change = Change::to("job.retried", "job", id.as_uuid(), None).between(
        None,
        Some(serde_json::json!({ "new_job_id": job.id, "reply_again": request.reply_again })),
    );
    context.audit(tx.as_ref(), change).await?;
    tx.commit().await?;
    Ok(job)
}

async fn check_free(context: &Context, tx: &BoxTx, old: &Job) -> Result<(), Error> {
    if !old.status.is_final() {
        return Err(Error::conflict(
            "job_not_final",
            format!("the job is {}; cancel it first", old.status),
        ));
    }
    check_latest(context, tx, old).await?;
    if let Some(head) = tx.lanes().head(context.tenant, old.lane_id).await? {
        return Err(Error::conflict(
            "lane_busy",
            format!(
                "the agent works on job {} in this conversation; retry when that is over",
                head.id
            ),
        ));
    }
    Ok(())
}

/// A later attempt has taken over the items of an earlier one, which has nothing left to run on.
async fn check_latest(context: &Context, tx: &BoxTx, old: &Job) -> Result<(), Error> {
    let attempts = JobFilter {
        agent_id: Some(old.agent_id),
        work_item_id: Some(old.work_item_id),
        ..JobFilter::default()
    };
    let newest = tx
        .jobs()
        .list(context.tenant, &attempts, PageRequest::first(1))
        .await?;
    match newest.items.first() {
        Some(latest) if latest.id != old.id => Err(Error::conflict(
            "superseded",
            format!(
                "the job was tried again; its latest attempt is number {}, job {}: retry that one",
                latest.attempt, latest.id
            ),
        )),
        Some(_) | None => Ok(()),
    }
}

/// Turns and repetitions are counted over the whole transcript, so a copy of one that has too many ends
/// at once.
fn check_turns_left(old: &Job) -> Result<(), Error> {
    match &old.failure {
        Some(failure) if failure.code == LOOP_SUSPECTED => Err(Error::conflict(
            LOOP_SUSPECTED,
            "the job repeated itself at the end and would go on there; retry it from the start",
        )),
        Some(failure) if failure.code == TURN_LIMIT => Err(Error::conflict(
            TURN_LIMIT,
            "the job used all of its turns, so there is none to go on with; retry it from the start",
        )),
        Some(_) | None => Ok(()),
    }
}

async fn check_unanswered(context: &Context, tx: &BoxTx, old: &Job) -> Result<(), Error> {
    let effects = tx.effects().of_job(context.tenant, old.id).await?;
    let Some(reply) = effects.iter().find(|effect| effect.slot == REPLY_SLOT) else {
        return Ok(());
    };
    let how = match reply.status {
        EffectStatus::Sent => "was sent",
        EffectStatus::Pending | EffectStatus::Held | EffectStatus::Sending => "is about to be sent",
        EffectStatus::Unknown => "may have been sent",
        EffectStatus::Failed | EffectStatus::Cancelled => return Ok(()),
    };
    Err(Error::conflict(
        "already_answered",
        format!("the job's reply {how}; set reply_again to answer a second time"),
    ))
}

/// The model the agent has now: a failed attempt is often retried because the model was changed.
async fn model(context: &Context, tx: &BoxTx, agent: &Agent) -> Result<ModelRef, Error> {
    if !agent.enabled || agent.archived_at.is_some() {
        return Err(Error::conflict(
            "agent_disabled",
            format!("{} takes no work; switch it on first", agent.name),
        ));
    }
    let platform = &context.platform;
    let model = agent
        .model
        .clone()
        .unwrap_or_else(|| platform.models.default_model());
    providers::resolve(platform, tx.as_ref(), context.tenant, &model)
        .await?
        .map_err(|error| Error::conflict("model_unavailable", error.to_string()))?;
    Ok(model)
}

async fn next_attempt(
    context: &Context,
    tx: &BoxTx,
    old: &Job,
    model: ModelRef,
) -> Result<Job, Error> {
    let id = JobId::from_uuid(context.platform.ids.next());
    let last = tx
        .jobs()
        .last_attempt(context.tenant, old.work_item_id, old.agent_id)
        .await?;
    Ok(Job {
        id,
        tenant_id: old.tenant_id,
        work_item_id: old.work_item_id,
        agent_id: old.agent_id,
        lane_id: old.lane_id,
        conversation_id: old.conversation_id,
        attempt: last + 1,
        status: JobStatus::Queued,
        model,
        parent_id: old.parent_id,
        root_id: old.parent_id.map_or(id, |_| old.root_id),
        retry_of: Some(old.id),
        cancel_requested_at: None,
        failure: None,
        usage: Usage::default(),
        cost: Micros::ZERO,
        created_at: context.now(),
        started_at: None,
        finished_at: None,
    })
}

/// The new job runs the item of the old one and answers for every item that one had absorbed.
async fn take_entries(
    context: &Context,
    tx: &BoxTx,
    old: &Job,
    job: &Job,
    now: Timestamp,
) -> Result<(), Error> {
    for item in tx.lanes().items_of(context.tenant, old.id).await? {
        let entry = tx.lanes().entry(context.tenant, old.lane_id, item).await?;
        let status = if item == job.work_item_id {
            EntryStatus::Running
        } else {
            EntryStatus::Absorbed
        };
        let entry = found(entry, "lane entry")?;
        tx.lanes()
            .set_entry(context.tenant, entry.id, status, Some(job.id))
            .await?;
        tx.work().settle(context.tenant, item, None, now).await?;
    }
    Ok(())
}

async fn copy_transcript(
    context: &Context,
    tx: &BoxTx,
    old: &Job,
    job: &Job,
    now: Timestamp,
) -> Result<Vec<Message>, Error> {
    let mut messages = tx.transcript().of_jobs(context.tenant, &[old.id]).await?;
    let same_provider = job.model.provider() == old.model.provider();
    continuation::keep(&mut messages, same_provider);
    for (seq, message) in (1..).zip(&mut messages) {
        message.id = MessageId::from_uuid(context.platform.ids.next());
        message.job_id = job.id;
        message.seq = seq;
        message.created_at = now;
    }
    tx.transcript().append(&messages).await?;
    Ok(messages)
}
