//! Costs and outcomes.

use crate::{
    dto::cost::{CostGroup, CostQuery, CostsView, OutcomesView, SpanQuery},
    extract::{Caller, Params},
    problem::ApiError,
    state::ApiState,
};
use axum::Json;
use services::costs;
use utoipa_axum::{router::OpenApiRouter, routes};

pub(crate) fn router() -> OpenApiRouter<ApiState> {
    OpenApiRouter::new()
        .routes(routes!(list_costs))
        .routes(routes!(list_outcomes))
}

/// Add costs up.
///
/// Of model calls that began in a span, by what is asked for.
#[utoipa::path(get, path = "/costs", tag = "costs", params(SpanQuery, CostQuery),
    responses((status = 200, description = "The sums.", body = CostsView), ApiError))]
async fn list_costs(
    Caller(context): Caller,
    Params(span): Params<SpanQuery>,
    Params(query): Params<CostQuery>,
) -> Result<Json<CostsView>, ApiError> {
    let group = query.group.unwrap_or(CostGroup::None).into();
    let daily = query.daily.unwrap_or(false);
    let costs = costs::list(&context, span.into(), group, daily).await?;
    Ok(Json(costs.into()))
}

/// Count how jobs ended.
///
/// By day, with how long people waited for an answer.
#[utoipa::path(get, path = "/costs/outcomes", tag = "costs", params(SpanQuery),
    responses((status = 200, description = "The days.", body = OutcomesView), ApiError))]
async fn list_outcomes(
    Caller(context): Caller,
    Params(span): Params<SpanQuery>,
) -> Result<Json<OutcomesView>, ApiError> {
    Ok(Json(costs::outcomes(&context, span.into()).await?.into()))
}
