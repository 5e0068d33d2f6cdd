//! Model providers, and the models they are known to serve.

use crate::{
    dto::{
        PageView,
        provider::{
            CreateModelTest, CreateProvider, CreateProviderTest, ModelsView, ProviderTestView,
            ProviderView, UpdateProvider,
        },
    },
    extract::{Body, Caller, Id},
    problem::ApiError,
    state::ApiState,
};
use axum::{Json, http::StatusCode};
use domain::id::ProviderId;
use services::{offers, providers};
use utoipa_axum::{router::OpenApiRouter, routes};

pub(crate) fn router() -> OpenApiRouter<ApiState> {
    OpenApiRouter::new()
        .routes(routes!(list_providers, create_provider))
        .routes(routes!(find_provider, update_provider, delete_provider))
        .routes(routes!(test_provider))
        .routes(routes!(list_models))
        .routes(routes!(test_model))
}

/// List model providers.
///
/// Those of the environment first, then those that were added, each by name.
#[utoipa::path(get, path = "/providers", tag = "settings",
    responses((status = 200, description = "All of them.", body = PageView<ProviderView>), ApiError))]
async fn list_providers(Caller(context): Caller) -> Result<Json<PageView<ProviderView>>, ApiError> {
    let (own, added) = providers::list(&context).await?;
    let own = own.into_iter().map(ProviderView::from);
    let rows = own.chain(added.into_iter().map(Into::into)).collect();
    Ok(Json(PageView::new(rows, None)))
}

/// Add a model provider.
#[utoipa::path(post, path = "/providers", tag = "settings", request_body = CreateProvider,
    responses((status = 201, description = "The new provider.", body = ProviderView), ApiError))]
async fn create_provider(
    Caller(context): Caller,
    Body(body): Body<CreateProvider>,
) -> Result<(StatusCode, Json<ProviderView>), ApiError> {
    let provider = providers::create(&context, body.into()).await?;
    Ok((StatusCode::CREATED, Json(provider.into())))
}

/// Show a model provider.
#[utoipa::path(get, path = "/providers/{id}", tag = "settings",
    params(("id" = Uuid, Path, description = "The provider.")),
    responses((status = 200, description = "The provider.", body = ProviderView), ApiError))]
async fn find_provider(
    Caller(context): Caller,
    Id(id): Id<ProviderId>,
) -> Result<Json<ProviderView>, ApiError> {
    Ok(Json(providers::find(&context, id).await?.into()))
}

/// Change a model provider.
///
/// It takes hold with the next call of a model.
#[utoipa::path(patch, path = "/providers/{id}", tag = "settings",
    params(("id" = Uuid, Path, description = "The provider.")), request_body = UpdateProvider,
    responses((status = 200, description = "The changed provider.", body = ProviderView), ApiError))]
async fn update_provider(
    Caller(context): Caller,
    Id(id): Id<ProviderId>,
    Body(body): Body<UpdateProvider>,
) -> Result<Json<ProviderView>, ApiError> {
    let provider = providers::update(&context, id, body.into()).await?;
    Ok(Json(provider.into()))
}

/// Remove a model provider.
///
/// Jobs of agents that use its models fail until these are given others.
#[utoipa::path(delete, path = "/providers/{id}", tag = "settings",
    params(("id" = Uuid, Path, description = "The provider.")),
    responses((status = 204, description = "It is gone."), ApiError))]
async fn delete_provider(
    Caller(context): Caller,
    Id(id): Id<ProviderId>,
) -> Result<StatusCode, ApiError> {
    providers::delete(&context, id).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Test a model provider.
///
/// Asks one of its models a short question, at the provider's price.
#[utoipa::path(post, path = "/providers/{id}/test", tag = "settings",
    params(("id" = Uuid, Path, description = "The provider.")), request_body = CreateProviderTest,
    responses((status = 200, description = "What came of it.", body = ProviderTestView), ApiError))]
async fn test_provider(
    Caller(context): Caller,
    Id(id): Id<ProviderId>,
    Body(body): Body<CreateProviderTest>,
) -> Result<Json<ProviderTestView>, ApiError> {
    let tested = providers::test(&context, id, body.model).await?;
    Ok(Json(tested.into()))
}

/// List the models agents can think with.
///
/// As far as they are known: a provider may serve others.
#[utoipa::path(get, path = "/models", tag = "settings",
    responses((status = 200, description = "The models.", body = ModelsView), ApiError))]
async fn list_models(Caller(context): Caller) -> Result<Json<ModelsView>, ApiError> {
    Ok(Json(offers::models(&context).await?.into()))
}

/// Test a model.
///
/// Asks it a short question, at its provider's price, whoever gave the provider.
#[utoipa::path(post, path = "/models/test", tag = "settings", request_body = CreateModelTest,
    responses((status = 200, description = "What came of it.", body = ProviderTestView), ApiError))]
async fn test_model(
    Caller(context): Caller,
    Body(body): Body<CreateModelTest>,
) -> Result<Json<ProviderTestView>, ApiError> {
    let tested = providers::test_model(&context, &body.model).await?;
    Ok(Json(tested.into()))
}
