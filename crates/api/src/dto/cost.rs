//! Costs and outcomes on the wire.

use chrono::{DateTime, Utc};
use ports::store::{self, CostRow};
use serde::{Deserialize, Serialize};
use services::costs::{Costs, DayReport, Span};
use utoipa::{IntoParams, ToSchema};

/// Over which span.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct SpanQuery {
    /// Not before; absent: thirty days, with today.
    from: Option<DateTime<Utc>>,
    /// Before; absent: until now.
    to: Option<DateTime<Utc>>,
}

/// How costs are told apart.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct CostQuery {
    /// By what; `none` when absent.
    #[param(inline)]
    pub(crate) group: Option<CostGroup>,
    /// Whether also by UTC day; false when absent.
    pub(crate) daily: Option<bool>,
}

/// By what costs are told apart.
#[derive(Clone, Copy, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum CostGroup {
    Agent,
    Model,
    Conversation,
    None,
}

/// What was spent in a span.
#[derive(Serialize, ToSchema)]
pub(crate) struct CostsView {
    from: DateTime<Utc>,
    to: DateTime<Utc>,
    /// All of it together, in millionths of a US dollar.
    total_micros: i64,
    /// By day when daily, dearest first.
    items: Vec<CostRowView>,
}

/// The sum of some model calls.
#[derive(Serialize, ToSchema)]
pub(crate) struct CostRowView {
    /// The UTC day, when daily.
    #[schema(required, example = "2026-11-23")]
    day: Option<String>,
    /// The id of the agent or conversation, or the model; null when not told apart, as are all
    /// conversations but the hundred dearest of the span.
    #[schema(required)]
    key: Option<String>,
    /// What people call that; `All others` for what is left of a group.
    label: String,
    jobs: i64,
    model_calls: i64,
    input_tokens: i64,
    output_tokens: i64,
    /// Tokens read from a provider's cache.
    cached_tokens: i64,
    cost_micros: i64,
}

/// How days went, oldest first.
#[derive(Serialize, ToSchema)]
pub(crate) struct OutcomesView {
    /// Days on which nothing ended are left out.
    items: Vec<OutcomeView>,
}

/// How a day went.
#[derive(Serialize, ToSchema)]
pub(crate) struct OutcomeView {
    #[schema(example = "2026-11-23")]
    day: String,
    completed: i64,
    failed: i64,
    cancelled: i64,
    /// In how many seconds half of the day's items had their answer.
    #[schema(required)]
    reply_p50_seconds: Option<i64>,
    /// In how many seconds 95 of 100 had it.
    #[schema(required)]
    reply_p95_seconds: Option<i64>,
}

impl From<SpanQuery> for Span {
    fn from(query: SpanQuery) -> Self {
        Self {
            from: query.from,
            to: query.to,
        }
    }
}

impl From<CostGroup> for store::CostGroup {
    fn from(group: CostGroup) -> Self {
        match group {
            CostGroup::Agent => Self::Agent,
            CostGroup::Model => Self::Model,
            CostGroup::Conversation => Self::Conversation,
            CostGroup::None => Self::Whole,
        }
    }
}

impl From<Costs> for CostsView {
    fn from(costs: Costs) -> Self {
        let (from, to) = costs.span;
        Self {
            from,
            to,
            total_micros: costs.total.0,
            items: costs.rows.into_iter().map(Into::into).collect(),
        }
    }
}

impl From<CostRow> for CostRowView {
    fn from(row: CostRow) -> Self {
        Self {
            day: row.day,
            key: row.key,
            label: row.label.unwrap_or_else(|| "All".to_owned()),
            jobs: row.jobs,
            model_calls: row.calls,
            input_tokens: row.input,
            output_tokens: row.output,
            cached_tokens: row.cached,
            cost_micros: row.cost.0,
        }
    }
}

impl From<Vec<DayReport>> for OutcomesView {
    fn from(days: Vec<DayReport>) -> Self {
        let view = |day: DayReport| OutcomeView {
            day: day.jobs.day,
            completed: day.jobs.completed,
            failed: day.jobs.failed,
            cancelled: day.jobs.cancelled,
            reply_p50_seconds: day.wait.as_ref().map(|wait| wait.p50),
            reply_p95_seconds: day.wait.map(|wait| wait.p95),
        };
        Self {
            items: days.into_iter().map(view).collect(),
        }
    }
}
