//! Event rows: numbered without gaps per job and per tenant, in commit order.

use crate::{
    conn::Conn,
    entity::{feed, job, job_event},
    error::{backend, db_error},
    query::insert_all,
    tx::SqlTx,
};
use async_trait::async_trait;
use domain::{
    Timestamp,
    event::{JobEvent, NewEvent},
    id::{JobId, TenantId},
};
use ports::store::{EventRepository, StoreError};
use sea_orm::{
    ColumnTrait, ConnectionTrait, EntityTrait, IdenStatic, QueryFilter, QueryOrder, QuerySelect,
    Select,
    sea_query::{Expr, ExprTrait, Query},
};
use std::collections::BTreeMap;

const ENTITY: &str = "event";

pub(crate) struct SqlEvents<'t>(pub(crate) &'t SqlTx);

#[async_trait]
impl EventRepository for SqlEvents<'_> {
    async fn append(
        &self,
        tenant: TenantId,
        job: JobId,
        events: Vec<NewEvent>,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        if events.is_empty() {
            return Ok(());
        }
        let count = i64::try_from(events.len()).map_err(backend)?;
        let mut seq = self.next_of_job(tenant, job, count).await? - count;
        let events = events.into_iter().map(|event| {
            seq += 1;
            JobEvent {
                tenant_id: tenant,
                job_id: job,
                seq,
                feed_seq: 0,
                kind: event.kind,
                payload: event.payload,
                created_at: now,
            }
        });
        self.0.note(|c| c.events.extend(events));
        Ok(())
    }

    async fn after(
        &self,
        tenant: TenantId,
        job: JobId,
        seq: i64,
        limit: u32,
    ) -> Result<Vec<JobEvent>, StoreError> {
        let select = of(tenant)
            .filter(job_event::Column::JobId.eq(job.as_uuid()))
            .filter(job_event::Column::Seq.gt(seq))
            .order_by_asc(job_event::Column::Seq)
            .limit(u64::from(limit));
        self.all(select).await
    }

    async fn feed_after(
        &self,
        tenant: TenantId,
        feed_seq: i64,
        limit: u32,
    ) -> Result<Vec<JobEvent>, StoreError> {
        let select = of(tenant)
            .filter(job_event::Column::FeedSeq.gt(feed_seq))
            .order_by_asc(job_event::Column::FeedSeq)
            .limit(u64::from(limit));
        self.all(select).await
    }

    async fn last_feed_seq(&self, tenant: TenantId) -> Result<i64, StoreError> {
        let row = feed::Entity::find_by_id(tenant.as_uuid())
            .all(&self.0.conn)
            .await
            .map_err(db_error("feed"))?
            .pop();
        Ok(row.map_or(0, |row| row.last_seq))
    }
}

impl SqlEvents<'_> {
    async fn next_of_job(
        &self,
        tenant: TenantId,
        job: JobId,
        count: i64,
    ) -> Result<i64, StoreError> {
        let column = job::Column::EventSeq;
        let update = Query::update()
            .table(job::Entity)
            .value(column, Expr::col(column).add(count))
            .and_where(Expr::col(job::Column::Id).eq(job.as_uuid()))
            .and_where(Expr::col(job::Column::TenantId).eq(tenant.as_uuid()))
            .returning_col(column)
            .to_owned();
        let row = self.0.conn.query_one(&update).await;
        row.map_err(db_error("job"))?
            .ok_or_else(|| backend("events can only be appended to a job that exists"))?
            .try_get("", column.as_str())
            .map_err(db_error("job"))
    }

    async fn all(&self, select: Select<job_event::Entity>) -> Result<Vec<JobEvent>, StoreError> {
        select
            .all(&self.0.conn)
            .await
            .map_err(db_error(ENTITY))?
            .into_iter()
            .map(JobEvent::try_from)
            .collect()
    }
}

/// Gives the events of a transaction their places in the feeds of their tenants and writes them. Only
/// the commit comes after this: everybody who writes events waits for the row of the feed, and a
/// transaction that then waited for something else could be waited for in turn.
pub(crate) async fn number(db: &Conn, events: &mut [JobEvent]) -> Result<(), StoreError> {
    let mut counts: BTreeMap<TenantId, i64> = BTreeMap::new();
    for event in &*events {
        *counts.entry(event.tenant_id).or_default() += 1;
    }
    if counts.is_empty() {
        return Ok(());
    }
    for (tenant, count) in counts {
        let mut seq = next_of_feed(db, tenant, count).await? - count;
        for event in events.iter_mut().filter(|e| e.tenant_id == tenant) {
            seq += 1;
            event.feed_seq = seq;
        }
    }
    let rows = events.iter().map(job_event::Model::from).collect();
    insert_all(db, rows, None).await.map_err(db_error(ENTITY))
}

/// Holds the feed's row until the commit, so that numbers are given out in commit order.
async fn next_of_feed(db: &Conn, tenant: TenantId, count: i64) -> Result<i64, StoreError> {
    let column = feed::Column::LastSeq;
    let update = Query::update()
        .table(feed::Entity)
        .value(column, Expr::col(column).add(count))
        .and_where(Expr::col(feed::Column::TenantId).eq(tenant.as_uuid()))
        .returning_col(column)
        .to_owned();
    let row = db.query_one(&update).await;
    row.map_err(db_error("feed"))?
        .ok_or_else(|| backend("the tenant has no event feed"))?
        .try_get("", column.as_str())
        .map_err(db_error("feed"))
}

fn of(tenant: TenantId) -> Select<job_event::Entity> {
    job_event::Entity::find().filter(job_event::Column::TenantId.eq(tenant.as_uuid()))
}
