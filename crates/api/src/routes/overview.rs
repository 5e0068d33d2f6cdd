//! The overview.

use crate::{dto::overview::OverviewView, extract::Caller, problem::ApiError, state::ApiState};
use axum::Json;
use services::overview;
use utoipa_axum::{router::OpenApiRouter, routes};

pub(crate) fn router() -> OpenApiRouter<ApiState> {
    OpenApiRouter::new().routes(routes!(show_overview))
}

/// Show the whole at a glance.
///
/// What needs a person, what runs, and how agents and connections stand.
#[utoipa::path(get, path = "/overview", tag = "overview",
    responses((status = 200, description = "The overview.", body = OverviewView), ApiError))]
async fn show_overview(Caller(context): Caller) -> Result<Json<OverviewView>, ApiError> {
    Ok(Json(overview::show(&context).await?.into()))
}
