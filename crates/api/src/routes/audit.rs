//! The audit trail.

use crate::{
    dto::{
        PageView,
        audit::{AuditEntryView, AuditQuery},
    },
    extract::{Caller, Id, Paging, Params},
    problem::ApiError,
    state::ApiState,
};
use axum::Json;
use services::audit;
use utoipa_axum::{router::OpenApiRouter, routes};

pub(crate) fn router() -> OpenApiRouter<ApiState> {
    OpenApiRouter::new()
        .routes(routes!(list_audit_entries))
        .routes(routes!(find_audit_entry))
}

/// List who changed what.
///
/// Newest first. `nitejar audit verify` proves that nothing of it was changed or removed.
#[utoipa::path(get, path = "/audit", tag = "audit", params(AuditQuery, Paging),
    responses((status = 200, description = "A page of entries.", body = PageView<AuditEntryView>), ApiError))]
async fn list_audit_entries(
    Caller(context): Caller,
    Params(filter): Params<AuditQuery>,
    Params(page): Params<Paging>,
) -> Result<Json<PageView<AuditEntryView>>, ApiError> {
    let (before, limit) = page.by_place(|text| text.parse().ok())?;
    let (entries, more) = audit::list(&context, &filter.into(), before, limit).await?;
    let next = entries.last().filter(|_| more);
    let next = next.map(|last| last.seq.to_string());
    let items = entries.into_iter().map(Into::into).collect();
    Ok(Json(PageView::new(items, next)))
}

/// Find an entry.
#[utoipa::path(get, path = "/audit/{seq}", tag = "audit",
    params(("seq" = i64, Path, minimum = 1, description = "Its place in the trail.")),
    responses((status = 200, description = "The entry.", body = AuditEntryView), ApiError))]
async fn find_audit_entry(
    Caller(context): Caller,
    Id(seq): Id<i64>,
) -> Result<Json<AuditEntryView>, ApiError> {
    Ok(Json(audit::find(&context, seq).await?.into()))
}
