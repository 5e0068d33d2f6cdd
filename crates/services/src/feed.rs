//! Stored events for readers who watch. Following them live is the reader's own business; what is
//! here is only what the database holds.

use crate::{Context, Error, error::found, people::see_job};
use domain::{
    access::{Area, Right},
    event::JobEvent,
    id::JobId,
};

/// How many rows a reader gets at once.
pub const PAGE: u32 = 200;

/// Checks that the job can be watched, and says whether it is over.
pub async fn watch(context: &Context, job: JobId) -> Result<bool, Error> {
    context.authorise(Area::Work, Right::Read)?;
    let tx = context.read().await?;
    let job = found(tx.jobs().find(context.tenant, job).await?, "job")?;
    see_job(context, &tx, &job, "job").await?;
    Ok(job.status.is_final())
}

/// Whether the events of a job are for the reader. Everything is for who sees everything; of a job that is forgotten
/// nobody knows any more whose it was.
pub async fn is_seen(context: &Context, job: JobId) -> Result<bool, Error> {
    let tx = context.read().await?;
    if context.hidden(&tx).await?.is_empty() {
        return Ok(true);
    }
    let Some(job) = tx.jobs().find(context.tenant, job).await? else {
        return Ok(false);
    };
    match see_job(context, &tx, &job, "job").await {
        Ok(()) => Ok(true),
        Err(Error::NotFound { .. }) => Ok(false),
        Err(error) => Err(error),
    }
}

/// Where the tenant's feed ends now.
pub async fn end(context: &Context) -> Result<i64, Error> {
    context.authorise(Area::Work, Right::Read)?;
    Ok(context
        .read()
        .await?
        .events()
        .last_feed_seq(context.tenant)
        .await?)
}

/// At most [`PAGE`] events after a sequence number, in order: of a job, by its own sequence, or of
/// the whole tenant, by the feed's.
pub async fn after(
    context: &Context,
    job: Option<JobId>,
    seq: i64,
) -> Result<Vec<JobEvent>, Error> {
    context.authorise(Area::Work, Right::Read)?;
    let tx = context.read().await?;
    let events = tx.events();
    Ok(match job {
        Some(job) => events.after(context.tenant, job, seq, PAGE).await?,
        None => events.feed_after(context.tenant, seq, PAGE).await?,
    })
}
