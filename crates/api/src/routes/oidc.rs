//! Signing in at an issuer, and what is set for that. A browser is never left with a problem document where a person
//! can be told what to do: refusals lead to the login page.

use crate::{
    cookies,
    dto::sso::{OidcCallbackQuery, OidcLoginQuery, OidcView, UpdateOidc},
    extract::{Body, Caller, Params, Visitor, user_agent},
    limit::Failed,
    problem::ApiError,
    state::ApiState,
};
use axum::{
    Extension, Json,
    extract::State,
    http::{
        HeaderMap, HeaderValue, StatusCode,
        header::{LOCATION, SET_COOKIE},
    },
    response::{IntoResponse as _, Response},
};
use services::sso::{self, LoginFailure};
use utoipa_axum::{router::OpenApiRouter, routes};

/// What needs no credential.
pub(crate) fn public_router() -> OpenApiRouter<ApiState> {
    OpenApiRouter::new()
        .routes(routes!(begin_oidc))
        .routes(routes!(finish_oidc))
}

pub(crate) fn router() -> OpenApiRouter<ApiState> {
    OpenApiRouter::new().routes(routes!(show_oidc, set_oidc, delete_oidc))
}

/// Sign in at the issuer.
///
/// For browsers: leads to the issuer, which leads back to the callback, or to `/login?error=` with why not.
#[utoipa::path(get, path = "/oidc/login", tag = "sessions", security(()), params(OidcLoginQuery),
    responses((status = 302, description = "Go there."), ApiError))]
async fn begin_oidc(
    Visitor(context): Visitor,
    State(state): State<ApiState>,
    Params(query): Params<OidcLoginQuery>,
) -> Result<Response, ApiError> {
    match sso::begin(&context, query.return_to.as_deref()).await {
        Ok(begun) => {
            let cookie = cookies::begin_login(&state, &begun.cookie, begun.lifetime);
            Ok(lead(&begun.url, [cookie]))
        }
        Err(failure) => refuse(&state, failure),
    }
}

/// Come back from the issuer.
///
/// For browsers: signs in and leads to where the login began, or to `/login?error=` with why not.
#[utoipa::path(get, path = "/oidc/callback", tag = "sessions", security(()), params(OidcCallbackQuery),
    responses((status = 302, description = "Go there."), ApiError))]
async fn finish_oidc(
    Visitor(context): Visitor,
    State(state): State<ApiState>,
    headers: HeaderMap,
    Params(query): Params<OidcCallbackQuery>,
) -> Result<Response, ApiError> {
    let cookie = cookies::begun_login(&state, &headers);
    let agent = user_agent(&headers);
    match sso::finish(&context, cookie.as_ref(), query.into(), agent).await {
        Ok(entered) => {
            let cookies = [
                cookies::login(&state, &entered.cookie),
                cookies::end_begun_login(&state),
            ];
            Ok(lead(&entered.return_to, cookies))
        }
        Err(failure) => refuse(&state, failure),
    }
}

/// Show single sign-on.
///
/// `not_found` while it is not set up.
#[utoipa::path(get, path = "/settings/oidc", tag = "settings",
    responses((status = 200, description = "What is set.", body = OidcView), ApiError))]
async fn show_oidc(Caller(context): Caller) -> Result<Json<OidcView>, ApiError> {
    Ok(Json(sso::show(&context).await?.into()))
}

/// Set single sign-on up.
///
/// Or change it. For owners; the issuer is asked, and must answer to its name.
#[utoipa::path(put, path = "/settings/oidc", tag = "settings", request_body = UpdateOidc,
    responses((status = 200, description = "What is set now.", body = OidcView), ApiError))]
async fn set_oidc(
    Caller(context): Caller,
    Body(body): Body<UpdateOidc>,
) -> Result<Json<OidcView>, ApiError> {
    Ok(Json(sso::set(&context, body.into()).await?.into()))
}

/// Turn single sign-on off.
///
/// For owners. Users stay; those without a password need a reset link.
#[utoipa::path(delete, path = "/settings/oidc", tag = "settings",
    responses((status = 204, description = "It is off, and the client secret is deleted."), ApiError))]
async fn delete_oidc(Caller(context): Caller) -> Result<StatusCode, ApiError> {
    sso::delete(&context).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// To the login page, which says why.
fn refuse(state: &ApiState, failure: LoginFailure) -> Result<Response, ApiError> {
    match failure {
        LoginFailure::Refused(refusal) => {
            let page = format!("/login?error={}", refusal.code());
            let response = lead(&page, [cookies::end_begun_login(state)]);
            Ok((Extension(Failed), response).into_response())
        }
        LoginFailure::Failed(error) => Err(error.into()),
    }
}

fn lead<const N: usize>(to: &str, cookies: [HeaderValue; N]) -> Response {
    // Addresses of issuers and our own paths are visible ASCII.
    let place = HeaderValue::from_str(to).unwrap_or(HeaderValue::from_static("/"));
    let mut response = (StatusCode::FOUND, [(LOCATION, place)]).into_response();
    for cookie in cookies {
        response.headers_mut().append(SET_COOKIE, cookie);
    }
    response
}
