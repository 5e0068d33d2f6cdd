//! Signing in and out, and who is asking.

use crate::{
    cookies,
    dto::{
        PageView,
        session::{
            AccessView, CreateSession, OidcHintView, SessionQuery, SessionView, UserSessionView,
        },
    },
    extract::{Body, Caller, Csrf, Id, Params, Visitor, user_agent},
    limit::{Failures, Tried},
    problem::ApiError,
    state::ApiState,
};
use axum::{
    Extension, Json,
    extract::State,
    http::{HeaderMap, StatusCode, header::SET_COOKIE},
    response::{IntoResponse as _, Response},
};
use domain::{
    access::Actor,
    id::{UserId, UserSessionId},
    login::{User, UserSession},
    secret::Secret,
};
use services::{Context, Error, links, sessions, sso, status};
use std::sync::Arc;
use utoipa_axum::{router::OpenApiRouter, routes};

/// What needs no credential.
pub(crate) fn public_router() -> OpenApiRouter<ApiState> {
    OpenApiRouter::new()
        .routes(routes!(show_access))
        .routes(routes!(log_in))
}

pub(crate) fn router() -> OpenApiRouter<ApiState> {
    OpenApiRouter::new()
        .routes(routes!(show_session, log_out))
        .routes(routes!(list_sessions))
        .routes(routes!(end_session))
}

/// Show how to get in.
#[utoipa::path(get, path = "/access", tag = "sessions", security(()),
    responses((status = 200, description = "What there is.", body = AccessView), ApiError))]
async fn show_access(Visitor(context): Visitor) -> Result<Json<AccessView>, ApiError> {
    let status = status::describe(&context.platform);
    Ok(Json(AccessView {
        setup_required: links::is_setup_required(&context).await?,
        password_login: true,
        oidc: sso::name(&context).await?.map(|name| OidcHintView { name }),
        demo_model: status.default_model.provider() == "demo",
        version: status.version,
    }))
}

/// Sign in.
///
/// The answer sets the cookie of the login. `invalid_credentials` says no more than that something is wrong;
/// `second_factor_required` asks for the same again with `code`.
#[utoipa::path(post, path = "/session", tag = "sessions", security(()), request_body = CreateSession,
    responses((status = 200, description = "Who is signed in now.", body = SessionView), ApiError))]
async fn log_in(
    Visitor(context): Visitor,
    State(state): State<ApiState>,
    Extension(accounts): Extension<Arc<Failures>>,
    headers: HeaderMap,
    Body(body): Body<CreateSession>,
) -> Result<Response, ApiError> {
    let attempt = accounts.begin(&Tried::address(&body.email))?;
    let outcome = sessions::login(&context, body.into(), user_agent(&headers)).await;
    let opened = attempt.end(outcome, is_wrong)?;
    signed_in(&state, context, opened).await
}

/// Whether somebody guessed wrong. A missing code is no wrong one.
pub(super) fn is_wrong(error: &Error) -> bool {
    matches!(error, Error::LoginRefused { code, .. } if *code != "second_factor_required")
}

/// The answer to somebody who has just got in.
pub(super) async fn signed_in(
    state: &ApiState,
    visitor: Context,
    (session, user, cookie): (UserSession, User, Secret),
) -> Result<Response, ApiError> {
    let context = Context {
        actor: Actor::User {
            id: user.id,
            name: user.name,
            role: user.role,
            session: session.id,
        },
        ..visitor
    };
    let csrf = cookies::csrf_token(&state.platform, &cookie);
    let current = sessions::current(&context).await?;
    let view = SessionView::new(&context, current, Some(csrf));
    let set_cookie = [(SET_COOKIE, cookies::login(state, &cookie))];
    Ok((set_cookie, Json(view)).into_response())
}

/// Show who is asking.
///
/// And what they may do, in every area.
#[utoipa::path(get, path = "/session", tag = "sessions",
    responses((status = 200, description = "Who is asking.", body = SessionView), ApiError))]
async fn show_session(
    Caller(context): Caller,
    Extension(Csrf(csrf)): Extension<Csrf>,
) -> Result<Json<SessionView>, ApiError> {
    let current = sessions::current(&context).await?;
    Ok(Json(SessionView::new(&context, current, csrf)))
}

/// Sign out.
///
/// The login is dead at once; the answer takes the cookie away.
#[utoipa::path(delete, path = "/session", tag = "sessions",
    responses((status = 204, description = "Nobody is signed in any more."), ApiError))]
async fn log_out(
    Caller(context): Caller,
    State(state): State<ApiState>,
) -> Result<Response, ApiError> {
    sessions::logout(&context).await?;
    let gone = [(SET_COOKIE, cookies::logout(&state))];
    Ok((StatusCode::NO_CONTENT, gone).into_response())
}

/// List logins.
///
/// Live ones, newest first: one's own, or somebody else's for who may decide about people.
#[utoipa::path(get, path = "/sessions", tag = "sessions", params(SessionQuery),
    responses((status = 200, description = "The logins.", body = PageView<UserSessionView>), ApiError))]
async fn list_sessions(
    Caller(context): Caller,
    Params(query): Params<SessionQuery>,
) -> Result<Json<PageView<UserSessionView>>, ApiError> {
    let sessions = sessions::list(&context, query.user_id.map(UserId::from_uuid)).await?;
    Ok(Json(PageView::whole(sessions)))
}

/// End a login.
///
/// It is dead at once.
#[utoipa::path(delete, path = "/sessions/{id}", tag = "sessions",
    params(("id" = Uuid, Path, description = "The login.")),
    responses((status = 204, description = "It is ended."), ApiError))]
async fn end_session(
    Caller(context): Caller,
    Id(id): Id<UserSessionId>,
) -> Result<StatusCode, ApiError> {
    sessions::end(&context, id).await?;
    Ok(StatusCode::NO_CONTENT)
}
