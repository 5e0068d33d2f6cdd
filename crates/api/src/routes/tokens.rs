//! Tokens.

use crate::{
    dto::{
        PageView,
        token::{CreateToken, NewTokenView, TokenView},
    },
    extract::{Body, Caller, Id},
    problem::ApiError,
    state::ApiState,
};
use axum::{Json, http::StatusCode};
use domain::id::TokenId;
use services::tokens;
use utoipa_axum::{router::OpenApiRouter, routes};

pub(crate) fn router() -> OpenApiRouter<ApiState> {
    OpenApiRouter::new()
        .routes(routes!(list_tokens, create_token))
        .routes(routes!(revoke_token))
}

/// List tokens.
///
/// Newest first, revoked ones too; never the tokens themselves. Who may not decide about people sees their own.
#[utoipa::path(get, path = "/tokens", tag = "tokens",
    responses((status = 200, description = "The tokens.", body = PageView<TokenView>), ApiError))]
async fn list_tokens(Caller(context): Caller) -> Result<Json<PageView<TokenView>>, ApiError> {
    Ok(Json(PageView::whole(tokens::list(&context).await?)))
}

/// Create a token.
///
/// The answer is the only one that holds it. Everybody may make personal ones.
#[utoipa::path(post, path = "/tokens", tag = "tokens", request_body = CreateToken,
    responses((status = 201, description = "The new token.", body = NewTokenView), ApiError))]
async fn create_token(
    Caller(context): Caller,
    Body(body): Body<CreateToken>,
) -> Result<(StatusCode, Json<NewTokenView>), ApiError> {
    let token = tokens::create(&context, body.try_into()?).await?;
    Ok((StatusCode::CREATED, Json(token.into())))
}

/// Revoke a token.
///
/// It stops working at once.
#[utoipa::path(delete, path = "/tokens/{id}", tag = "tokens", params(("id" = Uuid, Path, description = "The token.")),
    responses((status = 204, description = "It is revoked."), ApiError))]
async fn revoke_token(
    Caller(context): Caller,
    Id(id): Id<TokenId>,
) -> Result<StatusCode, ApiError> {
    tokens::revoke(&context, id).await?;
    Ok(StatusCode::NO_CONTENT)
}
