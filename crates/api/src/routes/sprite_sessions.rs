//! Shells in sprites.

use crate::{
    dto::{
        PageView,
        sprite::{SpriteCleanup, SpriteSessionQuery, SpriteSessionView},
    },
    extract::{Caller, Paging, Params},
    problem::ApiError,
    state::ApiState,
};
use axum::Json;
use services::sprites;
use utoipa_axum::{router::OpenApiRouter, routes};

pub(crate) fn router() -> OpenApiRouter<ApiState> {
    OpenApiRouter::new()
        .routes(routes!(list_sprite_sessions))
        .routes(routes!(clean_up_sprite_sessions))
}

/// List shells in sprites.
///
/// Of all agents, newest first.
#[utoipa::path(get, path = "/sprite-sessions", tag = "sprite sessions", params(SpriteSessionQuery, Paging),
    responses((status = 200, description = "A page of shells.", body = PageView<SpriteSessionView>), ApiError))]
async fn list_sprite_sessions(
    Caller(context): Caller,
    Params(filter): Params<SpriteSessionQuery>,
    Params(page): Params<Paging>,
) -> Result<Json<PageView<SpriteSessionView>>, ApiError> {
    let status = filter.status.map(|status| status.0);
    let sessions = sprites::sessions(&context, status, page.by_id()?).await?;
    Ok(Json(sessions.into()))
}

/// End orphaned shells.
///
/// Open ones whose job has ended or is in nobody's hands, at most 500 of them at a time; administrators only.
/// Shells on the machine of another process that lives are left to a cleanup there.
#[utoipa::path(post, path = "/sprite-sessions/cleanup", tag = "sprite sessions",
    responses((status = 200, description = "What was ended.", body = SpriteCleanup), ApiError))]
async fn clean_up_sprite_sessions(
    Caller(context): Caller,
) -> Result<Json<SpriteCleanup>, ApiError> {
    Ok(Json(sprites::cleanup(&context).await?.into()))
}
