//! Money, added up by day and by what people ask about.

use super::{ENTITY, days::day_of};
use crate::{
    entity::{agent, conversation, integration, model_call, work_item},
    error::db_error,
    hidden,
    query::is_any,
    tx::SqlTx,
};
use domain::{budget::Micros, id::TenantId, model::ModelCallStatus};
use ports::store::{CostFilter, CostGroup, CostRow, StoreError};
use sea_orm::{
    ColumnTrait, EntityTrait, FromQueryResult, JoinType, QueryFilter, QueryOrder, QuerySelect,
    RelationDef, Select,
    sea_query::{Alias, Expr, ExprTrait, IntoCondition, Order},
};
use uuid::Uuid;

/// A call that failed may have cost something too.
const PAID: [&str; 2] = [
    ModelCallStatus::Settled.as_str(),
    ModelCallStatus::Failed.as_str(),
];

/// How many conversations are told apart, the dearest: there is no end to how many there are.
const CONVERSATIONS: u64 = 100;

#[derive(FromQueryResult)]
struct Row {
    day: Option<String>,
    id: Option<Uuid>,
    model: Option<String>,
    name: Option<String>,
    title: Option<String>,
    jobs: i64,
    calls: i64,
    input: i64,
    output: i64,
    cached: i64,
    cost: i64,
}

pub(super) async fn add_up(
    tx: &SqlTx,
    tenant: TenantId,
    filter: &CostFilter,
) -> Result<Vec<CostRow>, StoreError> {
    use model_call::Column;
    let calls = model_call::Entity::find()
        .filter(Column::TenantId.eq(tenant.as_uuid()))
        .filter(is_any(Column::Status, &PAID))
        .filter(Column::StartedAt.gte(filter.from))
        .filter(Column::StartedAt.lt(filter.to))
        .filter(hidden::model_calls(&filter.hidden))
        .select_only();
    let apart = match filter.group {
        CostGroup::Conversation => dearest(tx, calls.clone()).await?,
        CostGroup::Agent | CostGroup::Model | CostGroup::Whole => Vec::new(),
    };
    let mut select = grouped(calls, filter.group, apart);
    let none = || Expr::value(None::<String>);
    if filter.daily {
        let day = day_of(tx, r#""model_calls"."started_at""#);
        select = select.expr_as(day.clone(), "day").group_by(day);
        select = select.order_by(Expr::col(Alias::new("day")), Order::Asc);
    } else {
        select = select.expr_as(none(), "day");
    }
    let rows = select
        .column_as(Column::JobId.into_expr().count_distinct(), "jobs")
        .column_as(Column::Id.count(), "calls")
        .expr_as(sum(Column::InputTokens), "input")
        .expr_as(sum(Column::OutputTokens), "output")
        .expr_as(sum(Column::CacheReadTokens), "cached")
        .expr_as(sum(Column::CostMicros), "cost")
        .order_by(Expr::col(Alias::new("cost")), Order::Desc)
        .into_model::<Row>()
        .all(&tx.conn)
        .await
        .map_err(db_error(ENTITY))?;
    // Without a group there is a row even when there are no calls.
    let rows = rows.into_iter().filter(|row| row.calls > 0);
    Ok(rows.map(CostRow::from).collect())
}

/// The conversations that cost most.
async fn dearest(tx: &SqlTx, calls: Select<model_call::Entity>) -> Result<Vec<Uuid>, StoreError> {
    let conversation = work_item::Column::ConversationId;
    calls
        .join(JoinType::InnerJoin, about())
        .column(conversation)
        .group_by(conversation)
        .order_by_desc(sum(model_call::Column::CostMicros))
        .order_by_asc(conversation)
        .limit(CONVERSATIONS)
        .into_tuple()
        .all(&tx.conn)
        .await
        .map_err(db_error(ENTITY))
}

fn about() -> RelationDef {
    model_call::Entity::belongs_to(work_item::Entity)
        .from(model_call::Column::WorkItemId)
        .to(work_item::Column::Id)
        .into()
}

/// The calls by what they are told apart by, with what people call that; of conversations those
/// that are to be kept `apart`.
fn grouped(
    calls: Select<model_call::Entity>,
    group: CostGroup,
    apart: Vec<Uuid>,
) -> Select<model_call::Entity> {
    use model_call::Column;
    let none = || Expr::value(None::<String>);
    let nobody = || Expr::value(None::<Uuid>);
    let at: RelationDef = model_call::Entity::belongs_to(agent::Entity)
        .from(Column::AgentId)
        .to(agent::Column::Id)
        .into();
    let within: RelationDef = work_item::Entity::belongs_to(conversation::Entity)
        .from(work_item::Column::ConversationId)
        .to(conversation::Column::Id)
        .on_condition(move |_, to| {
            let id = Expr::col((to, conversation::Column::Id));
            id.is_in(apart.clone()).into_condition()
        })
        .into();
    let place: RelationDef = conversation::Entity::belongs_to(integration::Entity)
        .from(conversation::Column::IntegrationId)
        .to(integration::Column::Id)
        .into();
    match group {
        CostGroup::Agent => calls
            .join(JoinType::InnerJoin, at)
            .column_as(agent::Column::Id, "id")
            .column_as(agent::Column::Name, "name")
            .expr_as(none(), "model")
            .expr_as(none(), "title")
            .group_by(agent::Column::Id)
            .group_by(agent::Column::Name),
        CostGroup::Model => calls
            .expr_as(nobody(), "id")
            .column_as(Column::Model, "model")
            .expr_as(none(), "name")
            .expr_as(none(), "title")
            .group_by(Column::Model),
        CostGroup::Conversation => calls
            .join(JoinType::InnerJoin, about())
            .join(JoinType::LeftJoin, within)
            .join(JoinType::LeftJoin, place)
            .column_as(conversation::Column::Id, "id")
            .column_as(conversation::Column::Title, "title")
            .column_as(integration::Column::Name, "name")
            .expr_as(none(), "model")
            .group_by(conversation::Column::Id)
            .group_by(conversation::Column::Title)
            .group_by(integration::Column::Name),
        CostGroup::Whole => calls
            .expr_as(nobody(), "id")
            .expr_as(none(), "model")
            .expr_as(none(), "name")
            .expr_as(none(), "title"),
    }
}

impl From<Row> for CostRow {
    fn from(row: Row) -> Self {
        Self {
            day: row.day,
            label: row.title.or(row.name).or_else(|| row.model.clone()),
            key: row.id.map(|id| id.to_string()).or(row.model),
            jobs: row.jobs,
            calls: row.calls,
            input: row.input,
            output: row.output,
            cached: row.cached,
            cost: Micros(row.cost),
        }
    }
}

/// The sum, in the type of its column: `PostgreSQL` widens it.
fn sum(column: model_call::Column) -> Expr {
    let sum = column.into_expr().sum().cast_as("bigint");
    sum.if_null(0_i64)
}
