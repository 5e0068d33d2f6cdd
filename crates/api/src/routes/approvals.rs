//! Approvals.

use crate::{
    dto::{
        PageView,
        approval::{ApprovalQuery, ApprovalView, CreateDecision},
    },
    extract::{Body, Caller, Id, Paging, Params},
    problem::ApiError,
    state::ApiState,
};
use axum::Json;
use domain::{approval::Ruling, id::ApprovalId};
use services::approvals;
use utoipa_axum::{router::OpenApiRouter, routes};

pub(crate) fn router() -> OpenApiRouter<ApiState> {
    OpenApiRouter::new()
        .routes(routes!(list_approvals))
        .routes(routes!(find_approval))
        .routes(routes!(approve_approval))
        .routes(routes!(deny_approval))
}

/// List approvals.
///
/// Newest first.
#[utoipa::path(get, path = "/approvals", tag = "approvals", params(ApprovalQuery, Paging),
    responses((status = 200, description = "A page of approvals.", body = PageView<ApprovalView>), ApiError))]
async fn list_approvals(
    Caller(context): Caller,
    Params(filter): Params<ApprovalQuery>,
    Params(page): Params<Paging>,
) -> Result<Json<PageView<ApprovalView>>, ApiError> {
    let approvals = approvals::list(&context, filter.into(), page.by_id()?).await?;
    Ok(Json(approvals.into()))
}

/// Find an approval.
#[utoipa::path(get, path = "/approvals/{id}", tag = "approvals",
    params(("id" = Uuid, Path, description = "The approval.")),
    responses((status = 200, description = "The approval.", body = ApprovalView), ApiError))]
async fn find_approval(
    Caller(context): Caller,
    Id(id): Id<ApprovalId>,
) -> Result<Json<ApprovalView>, ApiError> {
    Ok(Json(approvals::find(&context, id).await?.into()))
}

/// Approve.
///
/// What it holds goes on. Doing so again changes nothing; after another answer it is a conflict.
#[utoipa::path(post, path = "/approvals/{id}/approve", tag = "approvals",
    params(("id" = Uuid, Path, description = "The approval.")), request_body = Option<CreateDecision>,
    responses((status = 200, description = "The approval.", body = ApprovalView), ApiError))]
async fn approve_approval(
    Caller(context): Caller,
    Id(id): Id<ApprovalId>,
    body: Option<Body<CreateDecision>>,
) -> Result<Json<ApprovalView>, ApiError> {
    let note = body.and_then(|Body(body)| body.note);
    let shown = approvals::decide(&context, id, Ruling::Approve, note).await?;
    Ok(Json(shown.into()))
}

/// Deny.
///
/// What it holds is called off. Doing so again changes nothing; after another answer it is a conflict.
#[utoipa::path(post, path = "/approvals/{id}/deny", tag = "approvals",
    params(("id" = Uuid, Path, description = "The approval.")), request_body = Option<CreateDecision>,
    responses((status = 200, description = "The approval.", body = ApprovalView), ApiError))]
async fn deny_approval(
    Caller(context): Caller,
    Id(id): Id<ApprovalId>,
    body: Option<Body<CreateDecision>>,
) -> Result<Json<ApprovalView>, ApiError> {
    let note = body.and_then(|Body(body)| body.note);
    let shown = approvals::decide(&context, id, Ruling::Deny, note).await?;
    Ok(Json(shown.into()))
}
