//! People with a login, and for whom agents and integrations are.

use crate::{
    dto::{
        PageView,
        user::{PeopleView, UpdateUser, UserView},
    },
    extract::{Body, Caller, Id},
    problem::ApiError,
    state::ApiState,
};
use axum::{Json, http::StatusCode};
use domain::{
    access::Restrictable,
    id::{AgentId, IntegrationId, UserId},
};
use services::{people, second_factor, users};
use utoipa_axum::{router::OpenApiRouter, routes};

pub(crate) fn router() -> OpenApiRouter<ApiState> {
    OpenApiRouter::new()
        .routes(routes!(list_users))
        .routes(routes!(update_user, delete_user))
        .routes(routes!(reset_totp))
        .routes(routes!(show_agent_people, set_agent_people))
        .routes(routes!(show_integration_people, set_integration_people))
}

/// List users.
///
/// Oldest first. Who may not decide about people sees names and roles.
#[utoipa::path(get, path = "/users", tag = "people",
    responses((status = 200, description = "The users.", body = PageView<UserView>), ApiError))]
async fn list_users(Caller(context): Caller) -> Result<Json<PageView<UserView>>, ApiError> {
    Ok(Json(PageView::whole(users::list(&context).await?)))
}

/// Change a user.
///
/// Only owners decide about owners, and the last owner who can sign in stays one: `last_owner`.
#[utoipa::path(patch, path = "/users/{id}", tag = "people",
    params(("id" = Uuid, Path, description = "The user.")), request_body = UpdateUser,
    responses((status = 200, description = "The changed user.", body = UserView), ApiError))]
async fn update_user(
    Caller(context): Caller,
    Id(id): Id<UserId>,
    Body(body): Body<UpdateUser>,
) -> Result<Json<UserView>, ApiError> {
    let user = users::update(&context, id, body.into()).await?;
    Ok(Json(user.into()))
}

/// Delete a user.
///
/// Their name stays on what they did. Their logins and tokens are dead at once.
#[utoipa::path(delete, path = "/users/{id}", tag = "people",
    params(("id" = Uuid, Path, description = "The user.")),
    responses((status = 204, description = "They are deleted."), ApiError))]
async fn delete_user(Caller(context): Caller, Id(id): Id<UserId>) -> Result<StatusCode, ApiError> {
    users::delete(&context, id).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Take the second factor from somebody who lost it.
#[utoipa::path(delete, path = "/users/{id}/totp", tag = "people",
    params(("id" = Uuid, Path, description = "The user.")),
    responses((status = 204, description = "Their password is enough again."), ApiError))]
async fn reset_totp(Caller(context): Caller, Id(id): Id<UserId>) -> Result<StatusCode, ApiError> {
    second_factor::reset(&context, id).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Show for whom an agent is.
#[utoipa::path(get, path = "/agents/{id}/people", tag = "agents",
    params(("id" = Uuid, Path, description = "The agent.")),
    responses((status = 200, description = "For whom it is.", body = PeopleView), ApiError))]
async fn show_agent_people(
    Caller(context): Caller,
    Id(id): Id<AgentId>,
) -> Result<Json<PeopleView>, ApiError> {
    let people = people::find(&context, Restrictable::Agent, id.as_uuid()).await?;
    Ok(Json(people.into()))
}

/// Say for whom an agent is.
///
/// To everybody else it and its jobs do not exist; owners and admins see everything.
#[utoipa::path(put, path = "/agents/{id}/people", tag = "agents",
    params(("id" = Uuid, Path, description = "The agent.")), request_body = PeopleView,
    responses((status = 200, description = "For whom it is now.", body = PeopleView), ApiError))]
async fn set_agent_people(
    Caller(context): Caller,
    Id(id): Id<AgentId>,
    Body(body): Body<PeopleView>,
) -> Result<Json<PeopleView>, ApiError> {
    let people = people::set(&context, Restrictable::Agent, id.as_uuid(), body.into()).await?;
    Ok(Json(people.into()))
}

/// Show for whom an integration is.
#[utoipa::path(get, path = "/integrations/{id}/people", tag = "integrations",
    params(("id" = Uuid, Path, description = "The integration.")),
    responses((status = 200, description = "For whom it is.", body = PeopleView), ApiError))]
async fn show_integration_people(
    Caller(context): Caller,
    Id(id): Id<IntegrationId>,
) -> Result<Json<PeopleView>, ApiError> {
    let people = people::find(&context, Restrictable::Integration, id.as_uuid()).await?;
    Ok(Json(people.into()))
}

/// Say for whom an integration is.
///
/// To everybody else it and what came in there do not exist; owners and admins see everything.
#[utoipa::path(put, path = "/integrations/{id}/people", tag = "integrations",
    params(("id" = Uuid, Path, description = "The integration.")), request_body = PeopleView,
    responses((status = 200, description = "For whom it is now.", body = PeopleView), ApiError))]
async fn set_integration_people(
    Caller(context): Caller,
    Id(id): Id<IntegrationId>,
    Body(body): Body<PeopleView>,
) -> Result<Json<PeopleView>, ApiError> {
    let kind = Restrictable::Integration;
    let people = people::set(&context, kind, id.as_uuid(), body.into()).await?;
    Ok(Json(people.into()))
}
