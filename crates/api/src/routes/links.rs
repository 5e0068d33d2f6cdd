//! Links that let a person in once.

use super::session::{is_wrong, signed_in};
use crate::{
    dto::{
        PageView,
        link::{
            CreateInvitation, CreateLinkInspection, CreateLinkRedemption, InvitationView,
            LinkInspectionView, LinkView,
        },
        session::SessionView,
    },
    extract::{Body, Caller, Id, Visitor, user_agent},
    limit::{Failures, Tried},
    problem::ApiError,
    state::ApiState,
};
use axum::{
    Extension, Json,
    extract::State,
    http::{HeaderMap, StatusCode},
    response::Response,
};
use domain::{
    id::{UserId, UserLinkId},
    secret::Secret,
};
use services::links::{self, Redeem};
use std::sync::Arc;
use utoipa_axum::{router::OpenApiRouter, routes};

/// What needs no credential: the link is one.
pub(crate) fn public_router() -> OpenApiRouter<ApiState> {
    OpenApiRouter::new()
        .routes(routes!(inspect_link))
        .routes(routes!(redeem_link))
}

pub(crate) fn router() -> OpenApiRouter<ApiState> {
    OpenApiRouter::new()
        .routes(routes!(list_invitations, create_invitation))
        .routes(routes!(delete_invitation))
        .routes(routes!(create_reset_link))
}

/// Look at a link.
///
/// Without using it. One that was used, has run out or never was is `link_unknown`.
#[utoipa::path(post, path = "/links/inspect", tag = "people", security(()), request_body = CreateLinkInspection,
    responses((status = 200, description = "What it is for.", body = LinkInspectionView), ApiError))]
async fn inspect_link(
    Visitor(context): Visitor,
    Body(body): Body<CreateLinkInspection>,
) -> Result<Json<LinkInspectionView>, ApiError> {
    let link = links::inspect(&context, &Secret::new(body.token)).await?;
    Ok(Json(link.into()))
}

/// Follow a link.
///
/// It makes the user or gives them a new password, and signs them in: the answer sets the cookie. A link is good once.
#[utoipa::path(post, path = "/links/redeem", tag = "people", security(()), request_body = CreateLinkRedemption,
    responses((status = 200, description = "Who is signed in now.", body = SessionView), ApiError))]
async fn redeem_link(
    Visitor(context): Visitor,
    State(state): State<ApiState>,
    Extension(accounts): Extension<Arc<Failures>>,
    headers: HeaderMap,
    Body(body): Body<CreateLinkRedemption>,
) -> Result<Response, ApiError> {
    // Who has the link of somebody with a second factor could guess its codes.
    let request = Redeem::from(body);
    let attempt = accounts.begin(&Tried::Link(request.token.expose()))?;
    let outcome = links::redeem(&context, request, user_agent(&headers)).await;
    let opened = attempt.end(outcome, is_wrong)?;
    signed_in(&state, context, opened).await
}

/// List invitations.
///
/// Those that nobody has followed, newest first, those that have run out too.
#[utoipa::path(get, path = "/invitations", tag = "people",
    responses((status = 200, description = "The invitations.", body = PageView<InvitationView>), ApiError))]
async fn list_invitations(
    Caller(context): Caller,
) -> Result<Json<PageView<InvitationView>>, ApiError> {
    Ok(Json(PageView::whole(links::invitations(&context).await?)))
}

/// Invite somebody.
///
/// The answer is the only one that holds the link; it is good for a week.
#[utoipa::path(post, path = "/invitations", tag = "people", request_body = CreateInvitation,
    responses((status = 201, description = "The link.", body = LinkView), ApiError))]
async fn create_invitation(
    Caller(context): Caller,
    Body(body): Body<CreateInvitation>,
) -> Result<(StatusCode, Json<LinkView>), ApiError> {
    let link = links::invite(&context, &body.email, body.role.0).await?;
    Ok((StatusCode::CREATED, Json(link.into())))
}

/// Take an invitation back.
#[utoipa::path(delete, path = "/invitations/{id}", tag = "people",
    params(("id" = Uuid, Path, description = "The invitation.")),
    responses((status = 204, description = "Its link opens nothing any more."), ApiError))]
async fn delete_invitation(
    Caller(context): Caller,
    Id(id): Id<UserLinkId>,
) -> Result<StatusCode, ApiError> {
    links::withdraw(&context, id).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Make a link for a new password.
///
/// The answer is the only one that holds it; it is good for a day.
#[utoipa::path(post, path = "/users/{id}/reset-link", tag = "people",
    params(("id" = Uuid, Path, description = "The user.")),
    responses((status = 201, description = "The link.", body = LinkView), ApiError))]
async fn create_reset_link(
    Caller(context): Caller,
    Id(id): Id<UserId>,
) -> Result<(StatusCode, Json<LinkView>), ApiError> {
    let link = links::reset(&context, id).await?;
    Ok((StatusCode::CREATED, Json(link.into())))
}
