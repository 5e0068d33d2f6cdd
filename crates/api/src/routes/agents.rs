//! Agents.

use crate::{
    dto::{
        PageView,
        agent::{AgentIntegrations, AgentView, CreateAgent, DeleteAgent, UpdateAgent},
    },
    extract::{Body, Caller, Id, Paging, Params},
    problem::ApiError,
    state::ApiState,
};
use axum::{Json, http::StatusCode};
use domain::id::AgentId;
use services::agents;
use utoipa_axum::{router::OpenApiRouter, routes};

pub(crate) fn router() -> OpenApiRouter<ApiState> {
    OpenApiRouter::new()
        .routes(routes!(list_agents, create_agent))
        .routes(routes!(find_agent, update_agent, delete_agent))
        .routes(routes!(list_agent_integrations, set_agent_integrations))
}

/// List agents.
///
/// Newest first, without deleted ones.
#[utoipa::path(get, path = "/agents", tag = "agents", params(Paging),
    responses((status = 200, description = "A page of agents.", body = PageView<AgentView>), ApiError))]
async fn list_agents(
    Caller(context): Caller,
    Params(page): Params<Paging>,
) -> Result<Json<PageView<AgentView>>, ApiError> {
    let agents = agents::list(&context, page.by_id()?).await?;
    Ok(Json(agents.into()))
}

/// Create an agent.
#[utoipa::path(post, path = "/agents", tag = "agents", request_body = CreateAgent,
    responses((status = 201, description = "The new agent.", body = AgentView), ApiError))]
async fn create_agent(
    Caller(context): Caller,
    Body(body): Body<CreateAgent>,
) -> Result<(StatusCode, Json<AgentView>), ApiError> {
    let agent = agents::create(&context, body.into()).await?;
    Ok((StatusCode::CREATED, Json(agent.into())))
}

/// Show an agent.
///
/// Deleted ones are shown too.
#[utoipa::path(get, path = "/agents/{id}", tag = "agents", params(("id" = Uuid, Path, description = "The agent.")),
    responses((status = 200, description = "The agent.", body = AgentView), ApiError))]
async fn find_agent(
    Caller(context): Caller,
    Id(id): Id<AgentId>,
) -> Result<Json<AgentView>, ApiError> {
    Ok(Json(agents::find(&context, id).await?.into()))
}

/// Change an agent.
#[utoipa::path(patch, path = "/agents/{id}", tag = "agents", params(("id" = Uuid, Path, description = "The agent.")),
    request_body = UpdateAgent,
    responses((status = 200, description = "The changed agent.", body = AgentView), ApiError))]
async fn update_agent(
    Caller(context): Caller,
    Id(id): Id<AgentId>,
    Body(body): Body<UpdateAgent>,
) -> Result<Json<AgentView>, ApiError> {
    let agent = agents::update(&context, id, body.into()).await?;
    Ok(Json(agent.into()))
}

/// Delete an agent.
///
/// It sees no new work and leaves the lists; its history stays. When it has a sprite, `sprite` must say
/// what becomes of the files there.
#[utoipa::path(delete, path = "/agents/{id}", tag = "agents",
    params(("id" = Uuid, Path, description = "The agent."), DeleteAgent),
    responses((status = 204, description = "It is deleted."), ApiError))]
async fn delete_agent(
    Caller(context): Caller,
    Id(id): Id<AgentId>,
    Params(query): Params<DeleteAgent>,
) -> Result<StatusCode, ApiError> {
    agents::delete(&context, id, query.sprite.map(Into::into)).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// List the integrations that name an agent.
///
/// Integrations that all agents see are not among them.
#[utoipa::path(get, path = "/agents/{id}/integrations", tag = "agents",
    params(("id" = Uuid, Path, description = "The agent.")),
    responses((status = 200, description = "The integrations.", body = AgentIntegrations), ApiError))]
async fn list_agent_integrations(
    Caller(context): Caller,
    Id(id): Id<AgentId>,
) -> Result<Json<AgentIntegrations>, ApiError> {
    let integration_ids = agents::integrations(&context, id).await?;
    Ok(Json(AgentIntegrations { integration_ids }))
}

/// Replace the integrations that name an agent.
///
/// An integration that all agents see cannot be named here: that would hide it from the others.
#[utoipa::path(put, path = "/agents/{id}/integrations", tag = "agents",
    params(("id" = Uuid, Path, description = "The agent.")), request_body = AgentIntegrations,
    responses((status = 200, description = "The integrations now.", body = AgentIntegrations), ApiError))]
async fn set_agent_integrations(
    Caller(context): Caller,
    Id(id): Id<AgentId>,
    Body(body): Body<AgentIntegrations>,
) -> Result<Json<AgentIntegrations>, ApiError> {
    let integration_ids = agents::set_integrations(&context, id, body.integration_ids).await?;
    Ok(Json(AgentIntegrations { integration_ids }))
}
