//! The sprites of agents: how they are, what they may reach, the states they can go back to and what was
//! left running in them.

use crate::{
    dto::sprite::{
        CheckpointView, CreateCheckpoint, NetworkPolicyView, ProcessOutput, ProcessView,
        SpriteView, UpdateNetworkPolicy,
    },
    extract::{Body, Caller, Id, Within},
    problem::ApiError,
    state::ApiState,
};
use axum::{Json, http::StatusCode};
use domain::id::{AgentId, BackgroundProcessId};
use services::{background, sprites};
use utoipa_axum::{router::OpenApiRouter, routes};

pub(crate) fn router() -> OpenApiRouter<ApiState> {
    OpenApiRouter::new()
        .routes(routes!(find_agent_sprite))
        .routes(routes!(set_network_policy))
        .routes(routes!(create_checkpoint))
        .routes(routes!(delete_checkpoint))
        .routes(routes!(restore_checkpoint))
        .routes(routes!(find_process_output))
        .routes(routes!(stop_process))
}

/// Show an agent's sprite.
///
/// Looking does not wake it.
#[utoipa::path(get, path = "/agents/{id}/sprite", tag = "sprites",
    params(("id" = Uuid, Path, description = "The agent.")),
    responses((status = 200, description = "The sprite.", body = SpriteView), ApiError))]
async fn find_agent_sprite(
    Caller(context): Caller,
    Id(id): Id<AgentId>,
) -> Result<Json<SpriteView>, ApiError> {
    Ok(Json(sprites::find(&context, id).await?.into()))
}

/// Say what a sprite may reach.
///
/// Holds at once, for open connections too. A policy that the sandbox of this server cannot enforce is
/// refused.
#[utoipa::path(put, path = "/agents/{id}/sprite/network-policy", tag = "sprites",
    params(("id" = Uuid, Path, description = "The agent.")), request_body = UpdateNetworkPolicy,
    responses((status = 200, description = "The policy now.", body = NetworkPolicyView), ApiError))]
async fn set_network_policy(
    Caller(context): Caller,
    Id(id): Id<AgentId>,
    Body(body): Body<UpdateNetworkPolicy>,
) -> Result<Json<NetworkPolicyView>, ApiError> {
    let policy = sprites::set_network_policy(&context, id, body.try_into()?).await?;
    Ok(Json(policy.into()))
}

/// Make a checkpoint of a sprite's files.
#[utoipa::path(post, path = "/agents/{id}/sprite/checkpoints", tag = "sprites",
    params(("id" = Uuid, Path, description = "The agent.")), request_body = CreateCheckpoint,
    responses((status = 201, description = "The checkpoint.", body = CheckpointView), ApiError))]
async fn create_checkpoint(
    Caller(context): Caller,
    Id(id): Id<AgentId>,
    Body(body): Body<CreateCheckpoint>,
) -> Result<(StatusCode, Json<CheckpointView>), ApiError> {
    let made = sprites::checkpoint(&context, id, body.comment).await?;
    Ok((StatusCode::CREATED, Json(made.into())))
}

/// Delete a checkpoint.
#[utoipa::path(delete, path = "/agents/{id}/sprite/checkpoints/{checkpoint}", tag = "sprites",
    params(("id" = Uuid, Path, description = "The agent."), ("checkpoint" = String, Path, description = "The checkpoint.")),
    responses((status = 204, description = "It is deleted."), ApiError))]
async fn delete_checkpoint(
    Caller(context): Caller,
    Within(id, checkpoint): Within<AgentId, String>,
) -> Result<StatusCode, ApiError> {
    sprites::delete_checkpoint(&context, id, &checkpoint).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Put a sprite's files back as they were.
///
/// What there is now is kept as an automatic checkpoint. Commands and shells in the sprite end.
#[utoipa::path(post, path = "/agents/{id}/sprite/checkpoints/{checkpoint}/restore", tag = "sprites",
    params(("id" = Uuid, Path, description = "The agent."), ("checkpoint" = String, Path, description = "The checkpoint.")),
    responses((status = 204, description = "The files are back."), ApiError))]
async fn restore_checkpoint(
    Caller(context): Caller,
    Within(id, checkpoint): Within<AgentId, String>,
) -> Result<StatusCode, ApiError> {
    sprites::restore(&context, id, &checkpoint).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Show a background process and the last of its output.
#[utoipa::path(get, path = "/agents/{id}/sprite/processes/{process}/output", tag = "sprites",
    params(("id" = Uuid, Path, description = "The agent."), ("process" = Uuid, Path, description = "The process.")),
    responses((status = 200, description = "The process and its output.", body = ProcessOutput), ApiError))]
async fn find_process_output(
    Caller(context): Caller,
    Within(id, process): Within<AgentId, BackgroundProcessId>,
) -> Result<Json<ProcessOutput>, ApiError> {
    Ok(Json(
        background::output(&context, id, process).await?.into(),
    ))
}

/// Stop a background process.
///
/// It and all it started end. One that has ended stays as it is.
#[utoipa::path(post, path = "/agents/{id}/sprite/processes/{process}/stop", tag = "sprites",
    params(("id" = Uuid, Path, description = "The agent."), ("process" = Uuid, Path, description = "The process.")),
    responses((status = 200, description = "The process.", body = ProcessView), ApiError))]
async fn stop_process(
    Caller(context): Caller,
    Within(id, process): Within<AgentId, BackgroundProcessId>,
) -> Result<Json<ProcessView>, ApiError> {
    Ok(Json(background::stop(&context, id, process).await?.into()))
}
