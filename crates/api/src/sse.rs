//! Server-sent events: subscribe first, replay rows, drop what came twice, then live. Sequence
//! numbers have no gaps, so a gap in what is live means a row to read, and nothing is ever missed.

mod follower;
mod frame;
mod row;

use crate::{problem::ApiError, state::ApiState};
use axum::{
    http::{HeaderMap, StatusCode},
    response::{
        IntoResponse as _, Response,
        sse::{Event, KeepAlive, Sse},
    },
};
use domain::id::JobId;
use follower::Follower;
use futures_util::{Stream, stream};
use serde::Deserialize;
use services::Context;
use std::{convert::Infallible, time::Duration};
use utoipa::IntoParams;

/// How often a silent stream says that it is alive.
const KEEP_ALIVE: Duration = Duration::from_secs(15);

/// Where to go on, for clients that cannot set headers.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct Position {
    /// As the header `Last-Event-ID`, which wins.
    #[param(minimum = 0)]
    last_event_id: Option<String>,
}

impl Position {
    /// After which event to go on.
    pub(crate) fn or_header(self, headers: &HeaderMap) -> Result<Option<i64>, ApiError> {
        let header = headers.get("last-event-id").map(|value| value.to_str());
        let text = match header {
            Some(text) => Some(text.unwrap_or_default().to_owned()),
            None => self.last_event_id,
        };
        let Some(text) = text else { return Ok(None) };
        match text.trim().parse() {
            Ok(after) if after >= 0 => Ok(Some(after)),
            _ => Err(ApiError::field(
                "Last-Event-ID",
                "must be the id of an event of this stream",
            )),
        }
    }
}

/// The stream of a job.
pub(crate) async fn of_job(
    state: &ApiState,
    context: Context,
    job: JobId,
    after: Option<i64>,
) -> Result<Response, ApiError> {
    let follower = Follower::of_job(state, context, job, after.unwrap_or(0)).await?;
    Ok(match follower {
        Some(follower) => respond(follower),
        // The one answer after which browsers do not connect again. Old events of a finished job are forgotten,
        // so it may be the first answer too.
        None => StatusCode::NO_CONTENT.into_response(),
    })
}

/// The stream of a tenant.
pub(crate) async fn of_tenant(
    state: &ApiState,
    context: Context,
    after: Option<i64>,
) -> Result<Response, ApiError> {
    Ok(respond(Follower::of_tenant(state, context, after).await?))
}

fn respond(follower: Follower) -> Response {
    let keep_alive = KeepAlive::new().interval(KEEP_ALIVE);
    // Some proxies hold answers back until they are whole; a stream never is.
    let unbuffered = [("x-accel-buffering", "no")];
    (
        unbuffered,
        Sse::new(events(follower)).keep_alive(keep_alive),
    )
        .into_response()
}

fn events(follower: Follower) -> impl Stream<Item = Result<Event, Infallible>> {
    stream::unfold(follower, |mut follower| async move {
        loop {
            let item = follower.next().await?;
            if !follower.is_seen(&item).await? {
                continue;
            }
            if let Some(event) = follower.show(&item) {
                return Some((Ok(event), follower));
            }
        }
    })
}
