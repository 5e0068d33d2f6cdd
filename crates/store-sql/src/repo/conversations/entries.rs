//! What a conversation shows: what came in, what came of it, and what agents left alone.

use crate::{
    entity::{decision, effect, job, message, work_item},
    error::db_error,
    hidden,
    query::is,
    tx::SqlTx,
};
use domain::{
    access::Hidden,
    effect::{Effect, REPLY_SLOT},
    id::{AgentId, ConversationId, TenantId},
    job::Job,
    message::{Message, Role},
    work::{WorkItem, WorkItemStatus},
};
use ports::store::{Answered, Before, Passed, StoreError};
use sea_orm::{
    ColumnTrait, Condition, EntityTrait, QueryFilter, QueryOrder, QuerySelect, Select,
    sea_query::{Alias, Expr, ExprTrait, Query},
};
use std::collections::HashMap;
use uuid::Uuid;

const ENTITY: &str = "conversation";

pub(super) async fn items(
    tx: &SqlTx,
    (tenant, id): (TenantId, ConversationId),
    hidden: &Hidden,
    before: Option<Before>,
    limit: u32,
) -> Result<Vec<WorkItem>, StoreError> {
    use work_item::Column;
    let select = came_in(tenant, id, hidden);
    newest(select, Column::CreatedAt, Column::Id, before, limit)
        .all(&tx.conn)
        .await
        .map_err(db_error(ENTITY))?
        .into_iter()
        .map(WorkItem::try_from)
        .collect()
}

pub(super) async fn answers(
    tx: &SqlTx,
    (tenant, id): (TenantId, ConversationId),
    hidden: &Hidden,
    before: Option<Before>,
    limit: u32,
) -> Result<Vec<Answered>, StoreError> {
    use job::Column;
    let over = job::Entity::find()
        .filter(Column::TenantId.eq(tenant.as_uuid()))
        .filter(Column::ConversationId.eq(id.as_uuid()))
        .filter(Column::FinishedAt.is_not_null())
        .filter(hidden::jobs(hidden));
    let jobs = newest(over, Column::FinishedAt, Column::Id, before, limit)
        .all(&tx.conn)
        .await
        .map_err(db_error(ENTITY))?;
    let ids: Vec<Uuid> = jobs.iter().map(|job| job.id).collect();
    let mut messages = last_words(tx, tenant, &ids).await?;
    let mut replies = replies(tx, tenant, &ids).await?;
    jobs.into_iter()
        .map(|row| {
            Ok(Answered {
                message: messages
                    .remove(&row.id)
                    .map(Message::try_from)
                    .transpose()?,
                reply: replies.remove(&row.id).map(Effect::try_from).transpose()?,
                job: Job::try_from(row)?,
            })
        })
        .collect()
}

pub(super) async fn passes(
    tx: &SqlTx,
    (tenant, id): (TenantId, ConversationId),
    hidden: &Hidden,
    before: Option<Before>,
    limit: u32,
) -> Result<Vec<Passed>, StoreError> {
    use work_item::Column;
    let left = came_in(tenant, id, hidden)
        .filter(is(Column::Status, WorkItemStatus::Passed.as_str()))
        .filter(Column::ClosedAt.is_not_null());
    let items = newest(left, Column::ClosedAt, Column::Id, before, limit)
        .all(&tx.conn)
        .await
        .map_err(db_error(ENTITY))?;
    let mut agents = agents(tx, tenant, &items).await?;
    items
        .into_iter()
        .map(|row| {
            let agent = match agents.remove(&row.id).as_deref() {
                Some([agent]) => Some(AgentId::from_uuid(*agent)),
                Some(_) | None => None,
            };
            Ok(Passed {
                agent_id: agent.filter(|agent| !hidden.agents.contains(agent)),
                item: WorkItem::try_from(row)?,
            })
        })
        .collect()
}

fn came_in(tenant: TenantId, id: ConversationId, hidden: &Hidden) -> Select<work_item::Entity> {
    work_item::Entity::find()
        .filter(work_item::Column::TenantId.eq(tenant.as_uuid()))
        .filter(work_item::Column::ConversationId.eq(id.as_uuid()))
        .filter(hidden::items(hidden))
}

/// Who decided about each of some items.
async fn agents(
    tx: &SqlTx,
    tenant: TenantId,
    items: &[work_item::Model],
) -> Result<HashMap<Uuid, Vec<Uuid>>, StoreError> {
    use decision::Column;
    let mut agents: HashMap<Uuid, Vec<Uuid>> = HashMap::new();
    if items.is_empty() {
        return Ok(agents);
    }
    let rows: Vec<(Uuid, Uuid)> = decision::Entity::find()
        .filter(Column::TenantId.eq(tenant.as_uuid()))
        .filter(Column::WorkItemId.is_in(items.iter().map(|item| item.id)))
        .select_only()
        .columns([Column::WorkItemId, Column::AgentId])
        .into_tuple()
        .all(&tx.conn)
        .await
        .map_err(db_error(ENTITY))?;
    for (item, agent) in rows {
        agents.entry(item).or_default().push(agent);
    }
    Ok(agents)
}

/// The last message of the model in each of some jobs.
async fn last_words(
    tx: &SqlTx,
    tenant: TenantId,
    jobs: &[Uuid],
) -> Result<HashMap<Uuid, message::Model>, StoreError> {
    use message::Column;
    if jobs.is_empty() {
        return Ok(HashMap::new());
    }
    let later = Alias::new("later");
    let of = |column: Column| Expr::col((later.clone(), column));
    let followed = Query::select()
        .expr(Expr::value(1))
        .from_as(message::Entity, later.clone())
        .and_where(of(Column::JobId).equals((message::Entity, Column::JobId)))
        .and_where(of(Column::Role).eq(Role::Assistant.as_str()))
        .and_where(of(Column::Seq).gt(Expr::col((message::Entity, Column::Seq))))
        .to_owned();
    let rows = message::Entity::find()
        .filter(Column::TenantId.eq(tenant.as_uuid()))
        .filter(Column::JobId.is_in(jobs.iter().copied()))
        .filter(is(Column::Role, Role::Assistant.as_str()))
        .filter(Expr::exists(followed).not())
        .all(&tx.conn)
        .await
        .map_err(db_error(ENTITY))?;
    Ok(rows.into_iter().map(|row| (row.job_id, row)).collect())
}

/// The reply of each of some jobs.
async fn replies(
    tx: &SqlTx,
    tenant: TenantId,
    jobs: &[Uuid],
) -> Result<HashMap<Uuid, effect::Model>, StoreError> {
    use effect::Column;
    if jobs.is_empty() {
        return Ok(HashMap::new());
    }
    let rows = effect::Entity::find()
        .filter(Column::TenantId.eq(tenant.as_uuid()))
        .filter(Column::JobId.is_in(jobs.iter().copied()))
        .filter(Column::Slot.eq(REPLY_SLOT))
        .all(&tx.conn)
        .await
        .map_err(db_error(ENTITY))?;
    Ok(rows.into_iter().map(|row| (row.job_id, row)).collect())
}

/// The newest rows by an instant and, where that is the same, by id.
fn newest<E: EntityTrait>(
    select: Select<E>,
    at: impl ColumnTrait,
    id: impl ColumnTrait,
    before: Option<Before>,
    limit: u32,
) -> Select<E> {
    let select = match before {
        Some(before) => {
            let rest = if before.inclusive {
                id.lte(before.id)
            } else {
                id.lt(before.id)
            };
            // The first condition alone says how far the index is to be read.
            select
                .filter(at.lte(before.at))
                .filter(Condition::any().add(at.lt(before.at)).add(rest))
        }
        None => select,
    };
    select
        .order_by_desc(at)
        .order_by_desc(id)
        .limit(u64::from(limit))
}
