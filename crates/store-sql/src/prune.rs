//! Forgetting what is old, in short transactions that leave room for others in between.
//!
//! Jobs are gone through in the order in which they finished, and a setting of the tenant remembers how far,
//! so that nothing is looked at twice and a crash costs one batch at most. Doing a batch twice is harmless:
//! rows of final jobs change nowhere else. Nothing here touches a job that is not final, nor the rows that
//! say what happened and what it cost.

use crate::{
    backend::{Backend, Scope},
    entity::{idempotency_key, job, job_event, message, tenant, tool_call},
    error::{corrupt, db_error, json, to_json},
    query::{is, is_any},
    repo::settings::SqlSettings,
    store::SqlStore,
};
use domain::{
    Timestamp,
    id::TenantId,
    message::{Content, Part},
};
use ports::store::{Durability, Prunable, Prune, Pruned, SettingRepository, StoreError};
use sea_orm::{
    ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect,
    sea_query::{Expr, ExprTrait},
};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// Jobs that one call goes through, at most.
const JOBS: u64 = 20;
/// How a job ends.
const FINAL: [&str; 3] = ["completed", "failed", "cancelled"];

/// How far a tenant's jobs were gone through: the last one that was.
#[derive(Clone, Copy, Serialize, Deserialize)]
struct Mark {
    finished_at: Timestamp,
    job_id: Uuid,
}

/// One short transaction's worth of forgetting.
enum Change {
    DeleteEvents { job: Uuid, first: i64, last: i64 },
    DeleteCalls(Vec<Uuid>),
    DeleteMessages(Vec<Uuid>),
    EmptyCalls(Vec<Uuid>),
    Rewrite(Vec<(Uuid, serde_json::Value)>),
}

/// Goes through the next few jobs of the first tenant that has any.
pub(crate) async fn jobs<B: Backend>(
    store: &SqlStore<B>,
    prune: Prune<'_>,
) -> Result<Pruned, StoreError> {
    for tenant in tenants(store).await? {
        let scope = Scope::Tenant(tenant);
        let snapshot = store.backend.read(scope).await?;
        let found = candidates(&snapshot, tenant, prune).await?;
        drop(snapshot);
        let Some(last) = found.last().copied() else {
            continue;
        };
        let mut rows = 0;
        for mark in found {
            let snapshot = store.backend.read(scope).await?;
            let changes = plan(&snapshot, tenant, mark.job_id, prune).await?;
            drop(snapshot);
            for change in changes {
                let tx = store.begin(scope, Durability::Relaxed).await?;
                rows += change.apply(&tx.conn, tenant, prune.marker).await?;
                tx.commit().await?;
            }
        }
        let tx = store.begin(scope, Durability::Relaxed).await?;
        SqlSettings(&tx)
            .put(tenant, setting(prune.what), &to_json(&last)?, store.now())
            .await?;
        tx.commit().await?;
        return Ok(Pruned { rows, more: true });
    }
    Ok(Pruned::default())
}

/// Forgets a few answers of the first tenant that has old ones.
pub(crate) async fn idempotency_keys<B: Backend>(
    store: &SqlStore<B>,
    prune: Prune<'_>,
) -> Result<Pruned, StoreError> {
    use idempotency_key::{Column, Entity};
    for tenant in tenants(store).await? {
        let tx = store
            .begin(Scope::Tenant(tenant), Durability::Relaxed)
            .await?;
        let old = Column::TenantId
            .eq(tenant.as_uuid())
            .and(Column::CreatedAt.lt(prune.before));
        let keys: Vec<String> = Entity::find()
            .filter(old.clone())
            .select_only()
            .column(Column::Key)
            .limit(u64::from(prune.rows))
            .into_tuple()
            .all(&tx.conn)
            .await
            .map_err(db_error("idempotency key"))?;
        if keys.is_empty() {
            continue;
        }
        let deleted = Entity::delete_many()
            .filter(old)
            .filter(Column::Key.is_in(keys))
            .exec(&tx.conn)
            .await
            .map_err(db_error("idempotency key"))?;
        tx.commit().await?;
        return Ok(Pruned {
            rows: deleted.rows_affected,
            more: true,
        });
    }
    Ok(Pruned::default())
}

async fn tenants<B: Backend>(store: &SqlStore<B>) -> Result<Vec<TenantId>, StoreError> {
    let ids: Vec<Uuid> = tenant::Entity::find()
        .select_only()
        .column(tenant::Column::Id)
        .order_by_asc(tenant::Column::Id)
        .into_tuple()
        .all(store.backend.reader(Scope::System))
        .await
        .map_err(db_error("tenant"))?;
    Ok(ids.into_iter().map(TenantId::from_uuid).collect())
}

/// Where a tenant's mark is kept.
const fn setting(what: Prunable) -> &'static str {
    match what {
        Prunable::Events => "pruned_events",
        Prunable::ToolOutput => "pruned_tool_output",
        Prunable::Transcripts => "pruned_transcripts",
        Prunable::IdempotencyKeys => "pruned_idempotency_keys",
    }
}

/// Final jobs behind the mark, in the order in which they finished.
async fn candidates(
    conn: &impl ConnectionTrait,
    tenant: TenantId,
    prune: Prune<'_>,
) -> Result<Vec<Mark>, StoreError> {
    use job::Column;
    let key = (tenant.as_uuid(), setting(prune.what).to_owned());
    let mark = crate::entity::setting::Entity::find_by_id(key)
        .one(conn)
        .await
        .map_err(db_error("setting"))?;
    let mark: Option<Mark> = match mark {
        Some(row) => Some(json("setting", "value", row.value)?),
        None => None,
    };
    let mut select = job::Entity::find()
        .filter(Column::TenantId.eq(tenant.as_uuid()))
        .filter(Column::FinishedAt.lt(prune.before))
        .filter(is_any(Column::Status, &FINAL))
        .select_only()
        .column(Column::FinishedAt)
        .column(Column::Id)
        .order_by_asc(Column::FinishedAt)
        .order_by_asc(Column::Id)
        .limit(JOBS);
    if let Some(mark) = mark {
        let done = Column::FinishedAt
            .eq(mark.finished_at)
            .and(Column::Id.lte(mark.job_id));
        select = select
            .filter(Column::FinishedAt.gte(mark.finished_at))
            .filter(done.not());
    }
    let rows: Vec<(Timestamp, Uuid)> = select
        .into_tuple()
        .all(conn)
        .await
        .map_err(db_error("job"))?;
    Ok(rows
        .into_iter()
        .map(|(finished_at, job_id)| Mark {
            finished_at,
            job_id,
        })
        .collect())
}

async fn plan(
    conn: &impl ConnectionTrait,
    tenant: TenantId,
    job: Uuid,
    prune: Prune<'_>,
) -> Result<Vec<Change>, StoreError> {
    let rows = usize::try_from(Ord::max(prune.rows, 1)).unwrap_or(usize::MAX);
    Ok(match prune.what {
        Prunable::Events => events(conn, tenant, job)
            .await?
            .chunks(rows)
            .filter_map(|seqs| {
                let (first, last) = (*seqs.first()?, *seqs.last()?);
                Some(Change::DeleteEvents { job, first, last })
            })
            .collect(),
        Prunable::Transcripts => {
            let calls = calls(conn, tenant, job, false).await?;
            let messages = messages(conn, tenant, job).await?;
            let calls = calls.chunks(rows).map(|c| Change::DeleteCalls(c.to_vec()));
            let messages = messages.chunks(rows);
            // Calls point at their messages.
            calls
                .chain(messages.map(|c| Change::DeleteMessages(c.to_vec())))
                .collect()
        }
        Prunable::ToolOutput => {
            let calls = calls(conn, tenant, job, true).await?;
            let rewritten = rewritten(conn, tenant, job, prune.marker).await?;
            let calls = calls.chunks(rows).map(|c| Change::EmptyCalls(c.to_vec()));
            let rewritten = rewritten.chunks(rows);
            calls
                .chain(rewritten.map(|c| Change::Rewrite(c.to_vec())))
                .collect()
        }
        Prunable::IdempotencyKeys => Vec::new(),
    })
}

async fn events(
    conn: &impl ConnectionTrait,
    tenant: TenantId,
    job: Uuid,
) -> Result<Vec<i64>, StoreError> {
    use job_event::Column;
    job_event::Entity::find()
        .filter(Column::TenantId.eq(tenant.as_uuid()))
        .filter(Column::JobId.eq(job))
        .select_only()
        .column(Column::Seq)
        .order_by_asc(Column::Seq)
        .into_tuple()
        .all(conn)
        .await
        .map_err(db_error("event"))
}

async fn messages(
    conn: &impl ConnectionTrait,
    tenant: TenantId,
    job: Uuid,
) -> Result<Vec<Uuid>, StoreError> {
    use message::Column;
    message::Entity::find()
        .filter(Column::TenantId.eq(tenant.as_uuid()))
        .filter(Column::JobId.eq(job))
        .select_only()
        .column(Column::Id)
        .into_tuple()
        .all(conn)
        .await
        .map_err(db_error("message"))
}

/// The tool calls of a job: all, or those that still hold an answer.
async fn calls(
    conn: &impl ConnectionTrait,
    tenant: TenantId,
    job: Uuid,
    answered: bool,
) -> Result<Vec<Uuid>, StoreError> {
    use tool_call::Column;
    let mut select = tool_call::Entity::find()
        .filter(Column::TenantId.eq(tenant.as_uuid()))
        .filter(Column::JobId.eq(job));
    if answered {
        let holds = Column::Result
            .is_not_null()
            .or(Column::Detail.is_not_null());
        select = select.filter(holds);
    }
    select
        .select_only()
        .column(Column::Id)
        .into_tuple()
        .all(conn)
        .await
        .map_err(db_error("tool call"))
}

/// The messages of a job that hold what tools answered, as they will be.
async fn rewritten(
    conn: &impl ConnectionTrait,
    tenant: TenantId,
    job: Uuid,
    marker: &str,
) -> Result<Vec<(Uuid, serde_json::Value)>, StoreError> {
    use message::Column;
    let rows: Vec<(Uuid, serde_json::Value)> = message::Entity::find()
        .filter(Column::TenantId.eq(tenant.as_uuid()))
        .filter(Column::JobId.eq(job))
        .filter(is(Column::Role, "tool"))
        .select_only()
        .column(Column::Id)
        .column(Column::Parts)
        .order_by_asc(Column::Seq)
        .into_tuple()
        .all(conn)
        .await
        .map_err(db_error("message"))?;
    let mut changed = Vec::with_capacity(rows.len());
    for (id, parts) in rows {
        let mut parts: Vec<Part> = serde_json::from_value(parts)
            .map_err(|error| corrupt("message", "parts", error.into()))?;
        for part in &mut parts {
            if let Content::ToolResult { text, .. } = &mut part.content {
                marker.clone_into(text);
            }
        }
        changed.push((id, to_json(&parts)?));
    }
    Ok(changed)
}

impl Change {
    async fn apply(
        self,
        conn: &impl ConnectionTrait,
        tenant: TenantId,
        marker: &str,
    ) -> Result<u64, StoreError> {
        match self {
            Self::DeleteEvents { job, first, last } => {
                use job_event::Column;
                let delete = job_event::Entity::delete_many()
                    .filter(Column::TenantId.eq(tenant.as_uuid()))
                    .filter(Column::JobId.eq(job))
                    .filter(Column::Seq.between(first, last));
                let done = delete.exec(conn).await.map_err(db_error("event"))?;
                Ok(done.rows_affected)
            }
            Self::DeleteCalls(ids) => {
                let own = tool_call::Column::TenantId.eq(tenant.as_uuid());
                let delete = tool_call::Entity::delete_many().filter(own);
                let delete = delete.filter(tool_call::Column::Id.is_in(ids));
                let done = delete.exec(conn).await.map_err(db_error("tool call"))?;
                Ok(done.rows_affected)
            }
            Self::DeleteMessages(ids) => {
                let own = message::Column::TenantId.eq(tenant.as_uuid());
                let delete = message::Entity::delete_many().filter(own);
                let delete = delete.filter(message::Column::Id.is_in(ids));
                let done = delete.exec(conn).await.map_err(db_error("message"))?;
                Ok(done.rows_affected)
            }
            Self::EmptyCalls(ids) => empty_calls(conn, tenant, ids, marker).await,
            Self::Rewrite(messages) => rewrite(conn, tenant, messages).await,
        }
    }
}

async fn empty_calls(
    conn: &impl ConnectionTrait,
    tenant: TenantId,
    ids: Vec<Uuid>,
    marker: &str,
) -> Result<u64, StoreError> {
    use tool_call::Column;
    let update = tool_call::Entity::update_many()
        .col_expr(Column::Result, Expr::value(marker))
        .col_expr(Column::Detail, Expr::value(None::<serde_json::Value>))
        .filter(Column::TenantId.eq(tenant.as_uuid()))
        .filter(Column::Id.is_in(ids));
    let done = update.exec(conn).await.map_err(db_error("tool call"))?;
    Ok(done.rows_affected)
}

async fn rewrite(
    conn: &impl ConnectionTrait,
    tenant: TenantId,
    messages: Vec<(Uuid, serde_json::Value)>,
) -> Result<u64, StoreError> {
    use message::Column;
    let mut rows = 0;
    for (id, parts) in messages {
        let update = message::Entity::update_many()
            .col_expr(Column::Parts, Expr::value(parts))
            .filter(Column::TenantId.eq(tenant.as_uuid()))
            .filter(Column::Id.eq(id));
        rows += update
            .exec(conn)
            .await
            .map_err(db_error("message"))?
            .rows_affected;
    }
    Ok(rows)
}
