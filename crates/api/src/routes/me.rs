//! What people change about themselves.

use crate::{
    dto::user::{
        CreateTotpConfirmation, RecoveryCodesView, TotpView, UpdateMe, UpdatePassword, UpdateTotp,
        UserView,
    },
    extract::{Body, Caller},
    limit::{Failures, Tried},
    problem::ApiError,
    state::ApiState,
};
use axum::{Extension, Json, http::StatusCode};
use domain::secret::Secret;
use services::{Context, Error, second_factor, users};
use std::sync::Arc;
use utoipa_axum::{router::OpenApiRouter, routes};

pub(crate) fn router() -> OpenApiRouter<ApiState> {
    OpenApiRouter::new()
        .routes(routes!(update_me))
        .routes(routes!(change_password))
        .routes(routes!(begin_totp, remove_totp))
        .routes(routes!(confirm_totp))
}

/// Change oneself.
#[utoipa::path(patch, path = "/me", tag = "me", request_body = UpdateMe,
    responses((status = 200, description = "The caller now.", body = UserView), ApiError))]
async fn update_me(
    Caller(context): Caller,
    Body(body): Body<UpdateMe>,
) -> Result<Json<UserView>, ApiError> {
    let user = users::rename(&context, body.name.as_deref()).await?;
    Ok(Json(user.into()))
}

/// Change one's password.
///
/// All other logins end.
#[utoipa::path(post, path = "/me/password", tag = "me", request_body = UpdatePassword,
    responses((status = 204, description = "The new one counts."), ApiError))]
async fn change_password(
    Caller(context): Caller,
    Extension(accounts): Extension<Arc<Failures>>,
    Body(body): Body<UpdatePassword>,
) -> Result<StatusCode, ApiError> {
    let (now, new) = (body.current_password, body.new_password);
    let (now, new) = (Secret::new(now), Secret::new(new));
    let change = users::change_password(&context, &now, &new);
    limited(&accounts, &context, "current_password", change).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Begin to set up a second factor.
///
/// Nothing is asked for until it is confirmed with a first code.
#[utoipa::path(post, path = "/me/totp", tag = "me", request_body = UpdateTotp,
    responses((status = 200, description = "What the authenticator app is given.", body = TotpView), ApiError))]
async fn begin_totp(
    Caller(context): Caller,
    Extension(accounts): Extension<Arc<Failures>>,
    Body(body): Body<UpdateTotp>,
) -> Result<Json<TotpView>, ApiError> {
    let password = Secret::new(body.password);
    let begin = second_factor::begin(&context, &password);
    let enrolment = limited(&accounts, &context, "password", begin).await?;
    Ok(Json(enrolment.into()))
}

/// Confirm a second factor.
///
/// From now on a login needs a code. The answer is the only one that holds the recovery codes.
#[utoipa::path(post, path = "/me/totp/confirm", tag = "me", request_body = CreateTotpConfirmation,
    responses((status = 200, description = "The recovery codes.", body = RecoveryCodesView), ApiError))]
async fn confirm_totp(
    Caller(context): Caller,
    Extension(accounts): Extension<Arc<Failures>>,
    Body(body): Body<CreateTotpConfirmation>,
) -> Result<Json<RecoveryCodesView>, ApiError> {
    let confirm = second_factor::confirm(&context, &body.code);
    let codes = limited(&accounts, &context, "code", confirm).await?;
    let recovery_codes = codes.iter().map(|code| code.expose().to_owned()).collect();
    Ok(Json(RecoveryCodesView { recovery_codes }))
}

/// Give one's second factor up.
#[utoipa::path(delete, path = "/me/totp", tag = "me", request_body = UpdateTotp,
    responses((status = 204, description = "The password is enough again."), ApiError))]
async fn remove_totp(
    Caller(context): Caller,
    Extension(accounts): Extension<Arc<Failures>>,
    Body(body): Body<UpdateTotp>,
) -> Result<StatusCode, ApiError> {
    let password = Secret::new(body.password);
    let remove = second_factor::remove(&context, &password);
    limited(&accounts, &context, "password", remove).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Does what needs a proof in this field, unless too many were wrong: who found somebody's login or token open does
/// not learn their password by trying.
async fn limited<T>(
    accounts: &Failures,
    context: &Context,
    field: &str,
    act: impl Future<Output = Result<T, Error>>,
) -> Result<T, Error> {
    let attempt = accounts.begin(&Tried::User(context.person()?))?;
    let is_wrong = |error: &Error| matches!(error, Error::Invalid { field: of, .. } if of == field);
    attempt.end(act.await, is_wrong)
}
