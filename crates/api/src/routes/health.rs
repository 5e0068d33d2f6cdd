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
use domain::access::{Area, Right};
use ports::sandbox::SandboxBackend;
use serde::Serialize;
use services::{Error, status};
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};

/// Answered to strangers: says yes, and how well sandboxes are walled off.
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
    /// How well the sandboxes of this machine are walled off, or `sprites` where they are elsewhere.
    #[schema(example = "namespaces")]
    sandbox: &'static str,
}

fn healthy(state: &ApiState) -> Json<Healthy> {
    Json(Healthy {
        status: "ok",
        sandbox: match state.platform.sandboxes.report().backend {
            SandboxBackend::Local(tier) => tier.as_str(),
            SandboxBackend::Sprites(_) => "sprites",
        },
    })
}

/// Check that the process lives.
#[utoipa::path(get, path = "/healthz", tag = "health", security(()),
    responses((status = 200, description = "It does.", body = Healthy), ApiError))]
async fn check_liveness(State(state): State<ApiState>) -> Json<Healthy> {
    healthy(&state)
}

/// Check that work can be taken in.
///
/// The store answers, its schema fits, and the process is not about to end.
#[utoipa::path(get, path = "/readyz", tag = "health", security(()),
    responses((status = 200, description = "It can.", body = Healthy), ApiError))]
async fn check_readiness(State(state): State<ApiState>) -> Result<Json<Healthy>, ApiError> {
    serving(&state)?;
    status::ready(&state.platform).await?;
    Ok(healthy(&state))
}

/// Check that the process has started.
#[utoipa::path(get, path = "/startupz", tag = "health", security(()),
    responses((status = 200, description = "It has.", body = Healthy), ApiError))]
async fn check_startup(State(state): State<ApiState>) -> Result<Json<Healthy>, ApiError> {
    match *state.phase.borrow() {
        Phase::Starting => Err(not_now("the server is starting")),
        Phase::Serving | Phase::Stopping => Ok(healthy(&state)),
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
    context.authorise(Area::Costs, Right::Read)?;
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
