//! Jobs, their transcripts and receipts.

use crate::{
    dto::{
        PageView,
        job::{JobDetailView, JobQuery, JobView, RetryJob},
        message::{MessageView, ModelCallView, ToolCallView},
    },
    extract::{Body, Caller, Id, Paging, Params},
    problem::ApiError,
    state::ApiState,
};
use axum::{Json, http::StatusCode};
use domain::id::JobId;
use services::jobs;
use utoipa_axum::{router::OpenApiRouter, routes};

pub(crate) fn router() -> OpenApiRouter<ApiState> {
    OpenApiRouter::new()
        .routes(routes!(list_jobs))
        .routes(routes!(find_job))
        .routes(routes!(list_job_messages))
        .routes(routes!(list_job_tool_calls))
        .routes(routes!(list_job_model_calls))
        .routes(routes!(cancel_job))
        .routes(routes!(retry_job))
}

/// List jobs.
///
/// Newest first.
#[utoipa::path(get, path = "/jobs", tag = "jobs", params(JobQuery, Paging),
    responses((status = 200, description = "A page of jobs.", body = PageView<JobView>), ApiError))]
async fn list_jobs(
    Caller(context): Caller,
    Params(filter): Params<JobQuery>,
    Params(page): Params<Paging>,
) -> Result<Json<PageView<JobView>>, ApiError> {
    let jobs = jobs::list(&context, &filter.into(), page.by_id()?).await?;
    Ok(Json(jobs.into()))
}

/// Show a job.
///
/// With tokens, cost and its changes to the outside world.
#[utoipa::path(get, path = "/jobs/{id}", tag = "jobs", params(("id" = Uuid, Path, description = "The job.")),
    responses((status = 200, description = "The job.", body = JobDetailView), ApiError))]
async fn find_job(
    Caller(context): Caller,
    Id(id): Id<JobId>,
) -> Result<Json<JobDetailView>, ApiError> {
    Ok(Json(jobs::find(&context, id).await?.into()))
}

/// List a job's transcript.
///
/// Oldest first, by sequence number.
#[utoipa::path(get, path = "/jobs/{id}/messages", tag = "jobs",
    params(("id" = Uuid, Path, description = "The job."), Paging),
    responses((status = 200, description = "A page of messages.", body = PageView<MessageView>), ApiError))]
async fn list_job_messages(
    Caller(context): Caller,
    Id(id): Id<JobId>,
    Params(page): Params<Paging>,
) -> Result<Json<PageView<MessageView>>, ApiError> {
    let (after, limit) = page.by_sequence()?;
    let (messages, more) = jobs::messages(&context, id, after, limit).await?;
    let next = messages
        .last()
        .filter(|_| more)
        .map(|last| last.seq.to_string());
    let items = messages.into_iter().map(Into::into).collect();
    Ok(Json(PageView::new(items, next)))
}

/// List a job's tool calls.
///
/// All of them, in order.
#[utoipa::path(get, path = "/jobs/{id}/tool-calls", tag = "jobs",
    params(("id" = Uuid, Path, description = "The job.")),
    responses((status = 200, description = "The tool calls.", body = PageView<ToolCallView>), ApiError))]
async fn list_job_tool_calls(
    Caller(context): Caller,
    Id(id): Id<JobId>,
) -> Result<Json<PageView<ToolCallView>>, ApiError> {
    Ok(Json(PageView::whole(jobs::tool_calls(&context, id).await?)))
}

/// List a job's model calls.
///
/// All of them with tokens and cost, oldest first.
#[utoipa::path(get, path = "/jobs/{id}/model-calls", tag = "jobs",
    params(("id" = Uuid, Path, description = "The job.")),
    responses((status = 200, description = "The model calls.", body = PageView<ModelCallView>), ApiError))]
async fn list_job_model_calls(
    Caller(context): Caller,
    Id(id): Id<JobId>,
) -> Result<Json<PageView<ModelCallView>>, ApiError> {
    Ok(Json(PageView::whole(
        jobs::model_calls(&context, id).await?,
    )))
}

/// Cancel a job.
///
/// At once while nobody works on it, else at its next step.
#[utoipa::path(post, path = "/jobs/{id}/cancel", tag = "jobs", params(("id" = Uuid, Path, description = "The job.")),
    responses((status = 200, description = "The job.", body = JobView), ApiError))]
async fn cancel_job(Caller(context): Caller, Id(id): Id<JobId>) -> Result<Json<JobView>, ApiError> {
    Ok(Json(jobs::cancel(&context, id).await?.into()))
}

/// Retry a job.
///
/// Makes a new job; the finished one stays as it is.
#[utoipa::path(post, path = "/jobs/{id}/retry", tag = "jobs", params(("id" = Uuid, Path, description = "The job.")),
    request_body = RetryJob,
    responses((status = 201, description = "The new job.", body = JobView), ApiError))]
async fn retry_job(
    Caller(context): Caller,
    Id(id): Id<JobId>,
    Body(body): Body<RetryJob>,
) -> Result<(StatusCode, Json<JobView>), ApiError> {
    let job = jobs::retry(&context, id, body.into()).await?;
    Ok((StatusCode::CREATED, Json(job.into())))
}
