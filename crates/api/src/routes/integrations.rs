//! Integrations.

use crate::{
    dto::{
        PageView,
        integration::{CreateIntegration, IntegrationTest, IntegrationView, UpdateIntegration},
    },
    extract::{Body, Caller, Id, Paging, Params},
    problem::ApiError,
    state::ApiState,
};
use axum::{Json, http::StatusCode};
use domain::id::IntegrationId;
use services::integrations;
use utoipa_axum::{router::OpenApiRouter, routes};

pub(crate) fn router() -> OpenApiRouter<ApiState> {
    OpenApiRouter::new()
        .routes(routes!(list_integrations, create_integration))
        .routes(routes!(
            find_integration,
            update_integration,
            delete_integration
        ))
        .routes(routes!(test_integration))
}

/// List integrations.
///
/// Newest first; the built-in one through which work is handed in by hand is among them.
#[utoipa::path(get, path = "/integrations", tag = "integrations", params(Paging),
    responses((status = 200, description = "A page of integrations.", body = PageView<IntegrationView>), ApiError))]
async fn list_integrations(
    Caller(context): Caller,
    Params(page): Params<Paging>,
) -> Result<Json<PageView<IntegrationView>>, ApiError> {
    let integrations = integrations::list(&context, page.by_id()?).await?;
    Ok(Json(integrations.into()))
}

/// Create an integration.
///
/// Secrets in `config` are encrypted and never shown again.
#[utoipa::path(post, path = "/integrations", tag = "integrations", request_body = CreateIntegration,
    responses((status = 201, description = "The new integration.", body = IntegrationView), ApiError))]
async fn create_integration(
    Caller(context): Caller,
    Body(body): Body<CreateIntegration>,
) -> Result<(StatusCode, Json<IntegrationView>), ApiError> {
    let integration = integrations::create(&context, body.into()).await?;
    Ok((StatusCode::CREATED, Json(integration.into())))
}

/// Show an integration.
#[utoipa::path(get, path = "/integrations/{id}", tag = "integrations",
    params(("id" = Uuid, Path, description = "The integration.")),
    responses((status = 200, description = "The integration.", body = IntegrationView), ApiError))]
async fn find_integration(
    Caller(context): Caller,
    Id(id): Id<IntegrationId>,
) -> Result<Json<IntegrationView>, ApiError> {
    Ok(Json(integrations::find(&context, id).await?.into()))
}

/// Change an integration.
#[utoipa::path(patch, path = "/integrations/{id}", tag = "integrations",
    params(("id" = Uuid, Path, description = "The integration.")), request_body = UpdateIntegration,
    responses((status = 200, description = "The changed integration.", body = IntegrationView), ApiError))]
async fn update_integration(
    Caller(context): Caller,
    Id(id): Id<IntegrationId>,
    Body(body): Body<UpdateIntegration>,
) -> Result<Json<IntegrationView>, ApiError> {
    let integration = integrations::update(&context, id, body.into()).await?;
    Ok(Json(integration.into()))
}

/// Delete an integration.
///
/// What came in through it stays readable.
#[utoipa::path(delete, path = "/integrations/{id}", tag = "integrations",
    params(("id" = Uuid, Path, description = "The integration.")),
    responses((status = 204, description = "It is deleted."), ApiError))]
async fn delete_integration(
    Caller(context): Caller,
    Id(id): Id<IntegrationId>,
) -> Result<StatusCode, ApiError> {
    integrations::delete(&context, id).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Test an integration.
///
/// Asks the vendor who we are and notes what it said as the integration's health.
#[utoipa::path(post, path = "/integrations/{id}/test", tag = "integrations",
    params(("id" = Uuid, Path, description = "The integration.")),
    responses((status = 200, description = "What was found.", body = IntegrationTest), ApiError))]
async fn test_integration(
    Caller(context): Caller,
    Id(id): Id<IntegrationId>,
) -> Result<Json<IntegrationTest>, ApiError> {
    Ok(Json(integrations::test(&context, id).await?.into()))
}
