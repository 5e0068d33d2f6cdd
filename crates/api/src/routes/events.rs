//! Streams of what happens.

use crate::{
    extract::{Caller, Id, Params},
    problem::ApiError,
    sse::{self, Position},
    state::ApiState,
};
use axum::{extract::State, response::Response};
use domain::id::JobId;
use utoipa_axum::{router::OpenApiRouter, routes};

pub(crate) fn router() -> OpenApiRouter<ApiState> {
    OpenApiRouter::new()
        .routes(routes!(watch_job))
        .routes(routes!(watch_events))
}

/// Watch a job.
///
/// Server-sent events. Stored ones (`job.status`, `message`, `tool.started`, `tool.finished`,
/// `effect`, `usage`) carry `id:`, the job's sequence number, and are replayed after
/// `Last-Event-ID`. `message.delta` and `tool.output` carry no id but an `offset` in bytes into the
/// open text; on reconnect the text so far comes first. The stream ends when the job is over.
#[utoipa::path(get, path = "/jobs/{id}/events", tag = "jobs",
    params(("id" = Uuid, Path, description = "The job."), Position,
        ("Last-Event-ID" = Option<i64>, Header, description = "Replay stored events after this one.")),
    responses((status = 200, description = "The events.", content_type = "text/event-stream", body = String),
        (status = 204, description = "The job is over and everything was seen: do not connect again."), ApiError))]
async fn watch_job(
    Caller(context): Caller,
    State(state): State<ApiState>,
    Id(id): Id<JobId>,
    Params(position): Params<Position>,
    headers: axum::http::HeaderMap,
) -> Result<Response, ApiError> {
    let after = position.or_header(&headers)?;
    sse::of_job(&state, context, id, after).await
}

/// Watch everything.
///
/// Server-sent events of every job of the tenant, as for one job; `id:` is the tenant-wide
/// `feed_seq`. Without `Last-Event-ID` the stream starts now.
#[utoipa::path(get, path = "/events", tag = "events",
    params(Position, ("Last-Event-ID" = Option<i64>, Header, description = "Replay stored events after this one.")),
    responses((status = 200, description = "The events.", content_type = "text/event-stream", body = String), ApiError))]
async fn watch_events(
    Caller(context): Caller,
    State(state): State<ApiState>,
    Params(position): Params<Position>,
    headers: axum::http::HeaderMap,
) -> Result<Response, ApiError> {
    let after = position.or_header(&headers)?;
    sse::of_tenant(&state, context, after).await
}
