//! Work items.

use crate::{
    dto::{
        PageView,
        work::{CreateWorkItem, WorkItemDetailView, WorkItemView, WorkQuery},
    },
    extract::{Body, Caller, Id, Paging, Params},
    problem::ApiError,
    state::ApiState,
};
use axum::{Json, http::StatusCode};
use domain::id::WorkItemId;
use services::work;
use utoipa_axum::{router::OpenApiRouter, routes};

pub(crate) fn router() -> OpenApiRouter<ApiState> {
    OpenApiRouter::new()
        .routes(routes!(list_work_items, create_work_item))
        .routes(routes!(find_work_item))
}

/// List work items.
///
/// Newest first.
#[utoipa::path(get, path = "/work-items", tag = "work items", params(WorkQuery, Paging),
    responses((status = 200, description = "A page of work items.", body = PageView<WorkItemView>), ApiError))]
async fn list_work_items(
    Caller(context): Caller,
    Params(filter): Params<WorkQuery>,
    Params(page): Params<Paging>,
) -> Result<Json<PageView<WorkItemView>>, ApiError> {
    let items = work::list(&context, &filter.into(), page.by_id()?).await?;
    Ok(Json(items.into()))
}

/// Hand work in.
///
/// It goes the same way as a message from a channel. Without a conversation nothing is sent
/// anywhere: the answer is in the job's transcript.
#[utoipa::path(post, path = "/work-items", tag = "work items", request_body = CreateWorkItem,
    responses((status = 201, description = "The new work item.", body = WorkItemDetailView), ApiError))]
async fn create_work_item(
    Caller(context): Caller,
    Body(body): Body<CreateWorkItem>,
) -> Result<(StatusCode, Json<WorkItemDetailView>), ApiError> {
    let item = work::create(&context, body.into()).await?;
    Ok((StatusCode::CREATED, Json(item.into())))
}

/// Show a work item.
///
/// With every agent's decision and the jobs made for it.
#[utoipa::path(get, path = "/work-items/{id}", tag = "work items",
    params(("id" = Uuid, Path, description = "The work item.")),
    responses((status = 200, description = "The work item.", body = WorkItemDetailView), ApiError))]
async fn find_work_item(
    Caller(context): Caller,
    Id(id): Id<WorkItemId>,
) -> Result<Json<WorkItemDetailView>, ApiError> {
    Ok(Json(work::find(&context, id).await?.into()))
}
