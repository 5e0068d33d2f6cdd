//! Files of sprites, and commands that people run in them.

use crate::{
    dto::sprite_file::{
        CreateSpriteCommand, DirectoryQuery, FileQuery, SpriteCommandResult, SpriteFileView,
        SpriteFilesView,
    },
    extract::{Body, Caller, Id, Params},
    problem::ApiError,
    state::ApiState,
};
use axum::Json;
use domain::id::AgentId;
use services::{sprite_commands, sprite_files};
use utoipa_axum::{router::OpenApiRouter, routes};

pub(crate) fn router() -> OpenApiRouter<ApiState> {
    OpenApiRouter::new()
        .routes(routes!(list_sprite_files))
        .routes(routes!(read_sprite_file))
}

/// What takes as long as its caller says.
pub(crate) fn slow_router() -> OpenApiRouter<ApiState> {
    OpenApiRouter::new().routes(routes!(run_sprite_command))
}

/// List a directory of an agent's sprite.
///
/// An agent whose sprite was never used has no files, and gets no sprite by this.
#[utoipa::path(get, path = "/agents/{id}/sprite/files", tag = "sprites",
    params(("id" = Uuid, Path, description = "The agent."), DirectoryQuery),
    responses((status = 200, description = "The directory.", body = SpriteFilesView), ApiError))]
async fn list_sprite_files(
    Caller(context): Caller,
    Id(id): Id<AgentId>,
    Params(query): Params<DirectoryQuery>,
) -> Result<Json<SpriteFilesView>, ApiError> {
    let listing = sprite_files::list(&context, id, query.path).await?;
    Ok(Json(listing.into()))
}

/// Show a file of an agent's sprite.
///
/// Up to 256 KiB of it. A file of more than 16 MiB is refused.
#[utoipa::path(get, path = "/agents/{id}/sprite/file", tag = "sprites",
    params(("id" = Uuid, Path, description = "The agent."), FileQuery),
    responses((status = 200, description = "The file.", body = SpriteFileView), ApiError))]
async fn read_sprite_file(
    Caller(context): Caller,
    Id(id): Id<AgentId>,
    Params(query): Params<FileQuery>,
) -> Result<Json<SpriteFileView>, ApiError> {
    Ok(Json(
        sprite_files::read(&context, id, query.path).await?.into(),
    ))
}

/// Run a command in an agent's sprite.
///
/// As the agent would, under its network policy, in a process of its own. It ends with the request.
#[utoipa::path(post, path = "/agents/{id}/sprite/commands", tag = "sprites",
    params(("id" = Uuid, Path, description = "The agent.")), request_body = CreateSpriteCommand,
    responses((status = 200, description = "How it went.", body = SpriteCommandResult), ApiError))]
async fn run_sprite_command(
    Caller(context): Caller,
    Id(id): Id<AgentId>,
    Body(body): Body<CreateSpriteCommand>,
) -> Result<Json<SpriteCommandResult>, ApiError> {
    let ran = sprite_commands::run(&context, id, body.into()).await?;
    Ok(Json(ran.into()))
}
