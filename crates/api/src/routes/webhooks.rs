//! Calls of vendors.

use crate::{problem::ApiError, state::ApiState};
use axum::{
    Json,
    body::Bytes,
    extract::{Path, State, rejection::BytesRejection},
    http::HeaderMap,
};
use serde::Serialize;
use services::webhooks;
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};

pub(crate) fn router() -> OpenApiRouter<ApiState> {
    OpenApiRouter::new().routes(routes!(receive_webhook))
}

/// What became of a webhook call.
#[derive(Serialize, ToSchema)]
struct Received {
    /// How many messages are durable now.
    accepted: usize,
}

/// Receive a webhook call.
///
/// The vendor signs it; there is no bearer token. Answered only when what it brought is durable.
#[utoipa::path(post, path = "/webhooks/{type}/{integration_id}", tag = "webhooks", security(()),
    params(("type" = String, Path, description = "The type of channel."),
        ("integration_id" = Uuid, Path, description = "The integration.")),
    request_body(content = Object, description = "Whatever the vendor sends."),
    responses((status = 200, description = "Everything it brought is durable.", body = Received), ApiError))]
async fn receive_webhook(
    State(state): State<ApiState>,
    Path((channel, integration)): Path<(String, String)>,
    headers: HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Result<Json<Received>, ApiError> {
    let body = body.map_err(|rejection| ApiError::of_status(rejection.status()))?;
    let headers = headers
        .iter()
        .filter_map(|(name, value)| Some((name.to_string(), value.to_str().ok()?.to_owned())))
        .collect();
    let accepted =
        webhooks::receive(&state.platform, &channel, &integration, &headers, &body).await?;
    Ok(Json(Received {
        accepted: accepted.len(),
    }))
}
