//! Who the caller is on channels.

use crate::{
    dto::{
        PageView,
        approval::{IdentityView, LinkCodeView},
    },
    extract::{Caller, Id},
    problem::ApiError,
    state::ApiState,
};
use axum::{Json, http::StatusCode};
use domain::id::IdentityId;
use services::identities;
use utoipa_axum::{router::OpenApiRouter, routes};

pub(crate) fn router() -> OpenApiRouter<ApiState> {
    OpenApiRouter::new()
        .routes(routes!(list_identities))
        .routes(routes!(create_link_code))
        .routes(routes!(delete_identity))
}

/// List the caller's accounts on channels.
#[utoipa::path(get, path = "/me/identities", tag = "identities",
    responses((status = 200, description = "All of them, oldest first.", body = PageView<IdentityView>), ApiError))]
async fn list_identities(
    Caller(context): Caller,
) -> Result<Json<PageView<IdentityView>>, ApiError> {
    Ok(Json(PageView::whole(identities::list(&context).await?)))
}

/// Create a code that links an account.
///
/// Say `/link` and the code to the bot, alone. A new code replaces an older one.
#[utoipa::path(post, path = "/me/identities/link-code", tag = "identities",
    responses((status = 201, description = "The code, shown this once.", body = LinkCodeView), ApiError))]
async fn create_link_code(
    Caller(context): Caller,
) -> Result<(StatusCode, Json<LinkCodeView>), ApiError> {
    let code = identities::new_code(&context).await?;
    Ok((StatusCode::CREATED, Json(code.into())))
}

/// Unlink an account.
#[utoipa::path(delete, path = "/me/identities/{id}", tag = "identities",
    params(("id" = Uuid, Path, description = "The identity.")),
    responses((status = 204, description = "It is a guest again."), ApiError))]
async fn delete_identity(
    Caller(context): Caller,
    Id(id): Id<IdentityId>,
) -> Result<StatusCode, ApiError> {
    identities::unlink(&context, id).await?;
    Ok(StatusCode::NO_CONTENT)
}
