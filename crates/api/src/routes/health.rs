//! Whether the process lives, is ready, and what it counts.

use crate::{
    extract::Caller,
    problem::ApiError,
    state::{ApiState, Phase},
};
use axum::{
    Json,
    extract::State,
    http::header::CONTENT_TYPE,
    response::{IntoResponse, Response},
};
use domain::access::Right;
use serde::Serialize;
use services::{Error, status};
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};

/// Answered to strangers: says nothing but yes.
pub(crate) fn router() -> OpenApiRouter<ApiState> {
    OpenApiRouter::new()
        .routes(routes!(check_liveness))
        .routes(routes!(check_readiness))
        .routes(routes!(check_startup))
}

/// Counts of what happens here are not for strangers.
pub(crate) fn metrics_router() -> OpenApiRouter<ApiState> {
    OpenApiRouter::new().routes(routes!(render_metrics))
}

/// Yes.
#[derive(Serialize, ToSchema)]
struct Healthy {
    #[schema(example = "ok")]
    status: &'static str,
}

const OK: Json<Healthy> = Json(Healthy { status: "ok" });

/// Check that the process lives.
#[utoipa::path(get, path = "/healthz", tag = "health", security(()),
    responses((status = 200, description = "It does.", body = Healthy), ApiError))]
async fn check_liveness() -> Json<Healthy> {
    OK
}

/// Check that work can be taken in.
///
/// The store answers, its schema fits, and the process is not about to end.
#[utoipa::path(get, path = "/readyz", tag = "health", security(()),
    responses((status = 200, description = "It can.", body = Healthy), ApiError))]
async fn check_readiness(State(state): State<ApiState>) -> Result<Json<Healthy>, ApiError> {
    serving(&state)?;
    status::ready(&state.platform).await?;
    Ok(OK)
}

/// Check that the process has started.
#[utoipa::path(get, path = "/startupz", tag = "health", security(()),
    responses((status = 200, description = "It has.", body = Healthy), ApiError))]
async fn check_startup(State(state): State<ApiState>) -> Result<Json<Healthy>, ApiError> {
    match *state.phase.borrow() {
        Phase::Starting => Err(not_now("the server is starting")),
        Phase::Serving | Phase::Stopping => Ok(OK),
    }
}

/// Render metrics.
///
/// In Prometheus' text format.
#[utoipa::path(get, path = "/metrics", tag = "health",
    responses((status = 200, description = "The metrics.", content_type = "text/plain", body = String), ApiError))]
async fn render_metrics(
    Caller(context): Caller,
    State(state): State<ApiState>,
) -> Result<Response, ApiError> {
    context.authorise(Right::Read)?;
    let format = "text/plain; version=0.0.4; charset=utf-8";
    Ok(([(CONTENT_TYPE, format)], (state.metrics)()).into_response())
}

fn serving(state: &ApiState) -> Result<(), ApiError> {
    match *state.phase.borrow() {
        Phase::Serving => Ok(()),
        Phase::Starting => Err(not_now("the server is starting")),
        Phase::Stopping => Err(not_now("the server is stopping")),
    }
}

fn not_now(message: &str) -> ApiError {
    ApiError::from(Error::Unavailable {
        message: message.to_owned(),
        retry_after: None,
    })
}
