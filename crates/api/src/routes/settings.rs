//! What is set for the whole server, what it is, and what it gives its agents.

use crate::{
    dto::setting::{AboutView, RetentionView, ToolsView, UpdateRetention},
    extract::{Body, Caller},
    problem::ApiError,
    state::ApiState,
};
use axum::Json;
use services::{offers, retention, status};
use utoipa_axum::{router::OpenApiRouter, routes};

pub(crate) fn router() -> OpenApiRouter<ApiState> {
    OpenApiRouter::new()
        .routes(routes!(show_retention, set_retention))
        .routes(routes!(show_about))
        .routes(routes!(list_tools))
}

/// Show how long things are kept.
#[utoipa::path(get, path = "/settings/retention", tag = "settings",
    responses((status = 200, description = "The periods that count.", body = RetentionView), ApiError))]
async fn show_retention(Caller(context): Caller) -> Result<Json<RetentionView>, ApiError> {
    Ok(Json(retention::show(&context).await?.into()))
}

/// Set how long things are kept.
///
/// Counts instead of the environment's. A shorter period takes hold within the hour; a longer one brings nothing back.
#[utoipa::path(put, path = "/settings/retention", tag = "settings", request_body = UpdateRetention,
    responses((status = 200, description = "The periods that count now.", body = RetentionView), ApiError))]
async fn set_retention(
    Caller(context): Caller,
    Body(body): Body<UpdateRetention>,
) -> Result<Json<RetentionView>, ApiError> {
    Ok(Json(retention::set(&context, body.into()).await?.into()))
}

/// Show what the server is.
#[utoipa::path(get, path = "/about", tag = "settings",
    responses((status = 200, description = "The server.", body = AboutView), ApiError))]
async fn show_about(Caller(context): Caller) -> Result<Json<AboutView>, ApiError> {
    Ok(Json(status::about(&context)?.into()))
}

/// List the tools agents can be allowed.
#[utoipa::path(get, path = "/tools", tag = "settings",
    responses((status = 200, description = "All of them, by name.", body = ToolsView), ApiError))]
async fn list_tools(Caller(context): Caller) -> Result<Json<ToolsView>, ApiError> {
    Ok(Json(offers::tools(&context)?.into()))
}
