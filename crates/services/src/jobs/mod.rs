//! Jobs: looked into, stopped, tried again. Running them is not done here.

pub mod continuation;
mod retry;

pub use retry::{RetryFrom, RetryJob, retry};

use crate::{Context, Error, error::found, events, notices, people::see_job};
use domain::{
    access::{Area, Right},
    audit::Change,
    effect::Effect,
    id::JobId,
    job::{Job, JobStatus},
    message::{Message, ToolCall},
    model::ModelCall,
    page::{Page, PageRequest},
    work::STOPPED,
};
use ports::store::{BoxTx, JobFilter};

/// A job with what it led to.
#[derive(Clone, Debug, PartialEq)]
pub struct JobDetail {
    /// The job.
    pub job: Job,
    /// How many tools it used.
    pub tool_calls: usize,
    /// How often it asked a model.
    pub model_calls: usize,
    /// Its changes to the outside world, oldest first.
    pub effects: Vec<Effect>,
}

/// Jobs, newest first.
pub async fn list(
    context: &Context,
    filter: &JobFilter,
    page: PageRequest,
) -> Result<Page<Job>, Error> {
    context.authorise(Area::Work, Right::Read)?;
    let tx = context.read().await?;
    let filter = JobFilter {
        hidden: context.hidden(&tx).await?,
        ..filter.clone()
    };
    Ok(tx.jobs().list(context.tenant, &filter, page).await?)
}

/// One job.
pub async fn find(context: &Context, id: JobId) -> Result<JobDetail, Error> {
    context.authorise(Area::Work, Right::Read)?;
    let tx = context.read().await?;
    Ok(JobDetail {
        job: load(context, &tx, id).await?,
        tool_calls: tx.transcript().tool_calls(context.tenant, id).await?.len(),
        model_calls: tx.ledger().calls(context.tenant, id).await?.len(),
        effects: tx.effects().of_job(context.tenant, id).await?,
    })
}

/// At most `limit` messages of its transcript after a sequence number, in order, and whether more
/// follow.
pub async fn messages(
    context: &Context,
    id: JobId,
    after: i64,
    limit: u32,
) -> Result<(Vec<Message>, bool), Error> {
    context.authorise(Area::Work, Right::Read)?;
    let tx = context.read().await?;
    load(context, &tx, id).await?;
    let mut messages = tx
        .transcript()
        .list(context.tenant, id, after, limit.saturating_add(1))
        .await?;
    let limit = usize::try_from(limit).unwrap_or(usize::MAX);
    let more = messages.len() > limit;
    messages.truncate(limit);
    Ok((messages, more))
}

/// Its tool calls, in order.
pub async fn tool_calls(context: &Context, id: JobId) -> Result<Vec<ToolCall>, Error> {
    context.authorise(Area::Work, Right::Read)?;
    let tx = context.read().await?;
    load(context, &tx, id).await?;
    Ok(tx.transcript().tool_calls(context.tenant, id).await?)
}

/// Its model calls with tokens and cost, oldest first.
pub async fn model_calls(context: &Context, id: JobId) -> Result<Vec<ModelCall>, Error> {
    context.authorise(Area::Work, Right::Read)?;
    let tx = context.read().await?;
    load(context, &tx, id).await?;
    Ok(tx.ledger().calls(context.tenant, id).await?)
}

/// Stops a job: at once while nobody works on it, else at the worker's next step.
///
/// # Errors
/// `Conflict` when it is over already.
#[tracing::instrument(name = "jobs.cancel", skip_all, fields(tenant.id = %context.tenant, job.id = %id))]
pub async fn cancel(context: &Context, id: JobId) -> Result<Job, Error> {
    context.authorise(Area::Work, Right::Operate)?;
    let now = context.now();
    let tx = context.write().await?;
    let lane = load(context, &tx, id).await?.lane_id;
    // From here on nobody claims the lane, so what the job is now it stays until the commit.
    let lane = tx.lanes().lock(context.tenant, lane).await?;
    let mut job = load(context, &tx, id).await?;
    if job.status.is_final() {
        return Err(Error::conflict(
            "job_final",
            format!("the job is {} already", job.status),
        ));
    }
    let before = job.status;
    // A held lane may be about to start a queued job: its worker is the one to stop it. One that waits has a tool
    // call open, which only a worker can close.
    if matches!(job.status, JobStatus::Running | JobStatus::Waiting)
        || lane.is_some_and(|lane| lane.lease.is_some())
    {
        tx.jobs().request_cancel(context.tenant, id, now).await?;
        job.cancel_requested_at.get_or_insert(now);
        if job.status == JobStatus::Waiting {
            tx.lanes()
                .make_ready(context.tenant, job.lane_id, now)
                .await?;
        }
    } else {
        job.cancel(now)
            .map_err(|error| Error::Internal(Box::new(error)))?;
        tx.jobs().update(&job).await?;
        let mut news = vec![events::job_status(&job)];
        if let Some(notice) = notices::of_stopped(context, &tx, &job, now).await? {
            tx.effects().insert(&notice).await?;
            news.push(events::effect(&notice));
        }
        for item in tx.lanes().finish_entries(context.tenant, id).await? {
            tx.work()
                .settle(context.tenant, item, Some(STOPPED), now)
                .await?;
        }
        tx.events().append(context.tenant, id, news, now).await?;
        tx.lanes()
            .make_ready(context.tenant, job.lane_id, now)
            .await?;
    }
    let change = Change::to("job.cancelled", "job", id.as_uuid(), None).between(
        Some(serde_json::json!({ "status": before })),
        Some(serde_json::json!({ "status": job.status })),
    );
    context.audit(tx.as_ref(), change).await?;
    tx.commit().await?;
    Ok(job)
}

async fn load(context: &Context, tx: &BoxTx, id: JobId) -> Result<Job, Error> {
    let job = found(tx.jobs().find(context.tenant, id).await?, "job")?;
    see_job(context, tx, &job, "job").await?;
    Ok(job)
}
