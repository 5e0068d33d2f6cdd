//! Effects.

use crate::{
    dto::{
        PageView,
        effect::{EffectQuery, EffectView, ReleaseEffect},
    },
    extract::{Body, Caller, Id, Paging, Params},
    problem::ApiError,
    state::ApiState,
};
use axum::Json;
use domain::id::EffectId;
use services::effects;
use utoipa_axum::{router::OpenApiRouter, routes};

pub(crate) fn router() -> OpenApiRouter<ApiState> {
    OpenApiRouter::new()
        .routes(routes!(list_effects))
        .routes(routes!(get_effect))
        .routes(routes!(release_effect))
        .routes(routes!(cancel_effect))
}

/// List effects.
///
/// Newest first.
#[utoipa::path(get, path = "/effects", tag = "effects", params(EffectQuery, Paging),
    responses((status = 200, description = "A page of effects.", body = PageView<EffectView>), ApiError))]
async fn list_effects(
    Caller(context): Caller,
    Params(filter): Params<EffectQuery>,
    Params(page): Params<Paging>,
) -> Result<Json<PageView<EffectView>>, ApiError> {
    let effects = effects::list(&context, &filter.into(), page.by_id()?).await?;
    Ok(Json(effects.into()))
}

/// Get an effect.
#[utoipa::path(get, path = "/effects/{id}", tag = "effects",
    params(("id" = Uuid, Path, description = "The effect.")),
    responses((status = 200, description = "The effect.", body = EffectView), ApiError))]
async fn get_effect(
    Caller(context): Caller,
    Id(id): Id<EffectId>,
) -> Result<Json<EffectView>, ApiError> {
    Ok(Json(effects::find(&context, id).await?.into()))
}

/// Release an effect.
///
/// Lets a held one out, sends a failed one again, and settles one that is `unknown` as `resolve`
/// says.
#[utoipa::path(post, path = "/effects/{id}/release", tag = "effects",
    params(("id" = Uuid, Path, description = "The effect.")), request_body = Option<ReleaseEffect>,
    responses((status = 200, description = "The effect.", body = EffectView), ApiError))]
async fn release_effect(
    Caller(context): Caller,
    Id(id): Id<EffectId>,
    body: Option<Body<ReleaseEffect>>,
) -> Result<Json<EffectView>, ApiError> {
    let resolve = body.and_then(|Body(body)| body.resolve).map(Into::into);
    Ok(Json(effects::release(&context, id, resolve).await?.into()))
}

/// Cancel an effect.
///
/// Withdraws one that has not been sent.
#[utoipa::path(post, path = "/effects/{id}/cancel", tag = "effects",
    params(("id" = Uuid, Path, description = "The effect.")),
    responses((status = 200, description = "The effect.", body = EffectView), ApiError))]
async fn cancel_effect(
    Caller(context): Caller,
    Id(id): Id<EffectId>,
) -> Result<Json<EffectView>, ApiError> {
    Ok(Json(effects::cancel(&context, id).await?.into()))
}
