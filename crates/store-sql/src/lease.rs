//! Leases: which process works on what. Every claim and every release locks what it takes, so that two
//! processes can never believe the same thing.

mod claim;
mod free;

use crate::{
    backend::{Backend, Scope},
    entity::{job, lane, lease, worker},
    error::db_error,
    query::{excluded, insert, is_any},
    repo::jobs::UNFINISHED,
    store::SqlStore,
};
use async_trait::async_trait;
use domain::{
    Timestamp,
    effect::Effect,
    id::{EffectId, JobId, LaneId, WorkerId},
    queue::Lane,
};
use ports::store::{Durability, LeaseStore, StoreError, Swept, Worker};
use sea_orm::{
    ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, QuerySelect, QueryTrait, Select,
    sea_query::{Expr, ExprTrait, OnConflict, Query},
};
use uuid::Uuid;

/// How often effects are looked for that were passed over.
const ROUNDS: usize = 2;

#[async_trait]
impl<B: Backend> LeaseStore for SqlStore<B> {
    async fn register(&self, worker: &Worker) -> Result<Swept, StoreError> {
        let tx = self.begin(Scope::System, Durability::Relaxed).await?;
        let same = workers(worker::Column::Instance.eq(worker.instance.as_str()))
            .filter(worker::Column::Id.ne(worker.id.as_uuid()));
        let swept = free::free(&tx, same, worker.started_at).await?;
        let row = worker::Model {
            id: worker.id.as_uuid(),
            instance: worker.instance.clone(),
            started_at: worker.started_at,
            heartbeat_at: worker.started_at,
        };
        insert(&tx.conn, row).await.map_err(db_error("worker"))?;
        tx.commit().await?;
        Ok(swept)
    }

    async fn heartbeat(&self, worker: WorkerId, now: Timestamp) -> Result<bool, StoreError> {
        let tx = self.begin(Scope::Pulse, Durability::Relaxed).await?;
        let beat = worker::Entity::update_many()
            .col_expr(worker::Column::HeartbeatAt, Expr::value(now))
            .filter(worker::Column::Id.eq(worker.as_uuid()))
            .exec(&tx.conn)
            .await
            .map_err(db_error("worker"))?;
        tx.commit().await?;
        Ok(beat.rows_affected > 0)
    }

    async fn retire(&self, worker: WorkerId, now: Timestamp) -> Result<Swept, StoreError> {
        let tx = self.begin(Scope::System, Durability::Relaxed).await?;
        let own = workers(worker::Column::Id.eq(worker.as_uuid()));
        let swept = free::free(&tx, own, now).await?;
        tx.commit().await?;
        Ok(swept)
    }

    async fn sweep(&self, expired: Timestamp, now: Timestamp) -> Result<Swept, StoreError> {
        let silent = || workers(worker::Column::HeartbeatAt.lt(expired));
        // Nearly always there is nothing to do, and looking needs no write lock.
        if ids(silent(), self.backend.reader(Scope::Pulse))
            .await?
            .is_empty()
        {
            return Ok(Swept::default());
        }
        let tx = self.begin(Scope::Pulse, Durability::Relaxed).await?;
        let swept = free::free(&tx, silent(), now).await?;
        tx.commit().await?;
        Ok(swept)
    }

    async fn claim_lanes(
        &self,
        worker: WorkerId,
        now: Timestamp,
        limit: u32,
    ) -> Result<Vec<Lane>, StoreError> {
        let tx = self.begin(Scope::System, Durability::Relaxed).await?;
        let claimed = claim::lanes(&tx, worker, now, limit).await?;
        tx.commit().await?;
        Ok(claimed.into_iter().map(Lane::from).collect())
    }

    async fn claim_effects(
        &self,
        worker: WorkerId,
        now: Timestamp,
        limit: u32,
    ) -> Result<Vec<Effect>, StoreError> {
        for _round in 0..ROUNDS {
            // Often there is nothing to send, and looking needs neither the write lock nor a sync.
            let waiting: Vec<Uuid> = claim::turns(now, 1)
                .into_tuple()
                .all(self.backend.reader(Scope::System))
                .await
                .map_err(db_error("effect"))?;
            if waiting.is_empty() {
                break;
            }
            let tx = self.begin(Scope::System, Durability::Durable).await?;
            let claimed = claim::effects(&tx, worker, now, limit).await?;
            if claimed.is_empty() {
                // Passed over because somebody writes in that conversation, who need not tell when done.
                drop(tx);
                self.backend
                    .await_rows(&claim::first_conversation(now))
                    .await?;
                continue;
            }
            tx.commit().await?;
            return claimed.into_iter().map(Effect::try_from).collect();
        }
        Ok(Vec::new())
    }

    async fn let_go_lanes(
        &self,
        worker: WorkerId,
        known: &[LaneId],
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let tx = self.begin(Scope::System, Durability::Relaxed).await?;
        let unknown = lane::Column::LeaseWorker
            .eq(worker.as_uuid())
            .and(lane::Column::Id.is_not_in(known.iter().map(|id| id.as_uuid())));
        free::lanes(&tx, unknown, now).await?;
        tx.commit().await
    }

    async fn let_go_effects(&self, worker: WorkerId, known: &[EffectId]) -> Result<(), StoreError> {
        let tx = self.begin(Scope::System, Durability::Relaxed).await?;
        free::unbegun(&tx, worker, known).await?;
        tx.commit().await
    }

    async fn stop_requests(&self, worker: WorkerId) -> Result<Vec<JobId>, StoreError> {
        use job::Column;
        let held = lane::Entity::find()
            .select_only()
            .column(lane::Column::Id)
            .filter(lane::Column::LeaseWorker.eq(worker.as_uuid()))
            .into_query();
        let asked: Vec<Uuid> = job::Entity::find()
            .select_only()
            .column(Column::Id)
            .filter(Column::LaneId.in_subquery(held))
            .filter(is_any(Column::Status, &UNFINISHED))
            .filter(Column::CancelRequestedAt.is_not_null())
            .into_tuple()
            .all(self.backend.reader(Scope::Pulse))
            .await
            .map_err(db_error("job"))?;
        Ok(asked.into_iter().map(JobId::from_uuid).collect())
    }

    async fn hold(
        &self,
        name: &str,
        worker: WorkerId,
        expired: Timestamp,
    ) -> Result<bool, StoreError> {
        let tx = self.begin(Scope::System, Durability::Relaxed).await?;
        // Taken from the table of processes, so that one that was swept gets nothing.
        let own = Query::select()
            .expr(Expr::value(name))
            .column(worker::Column::Id)
            .from(worker::Entity)
            .and_where(worker::Column::Id.eq(worker.as_uuid()))
            .to_owned();
        let holder = (lease::Entity, lease::Column::WorkerId);
        let alive = Query::select()
            .expr(Expr::value(1))
            .from(worker::Entity)
            .and_where(Expr::col((worker::Entity, worker::Column::Id)).equals(holder))
            .and_where(worker::Column::HeartbeatAt.gte(expired))
            .to_owned();
        let mut take = Query::insert();
        take.into_table(lease::Entity)
            .columns([lease::Column::Name, lease::Column::WorkerId])
            .select_from(own)
            .map_err(crate::error::backend)?
            .on_conflict(
                OnConflict::column(lease::Column::Name)
                    .update_column(lease::Column::WorkerId)
                    .action_and_where(
                        Expr::col(holder)
                            .eq(excluded(lease::Column::WorkerId))
                            .or(Expr::exists(alive).not()),
                    )
                    .to_owned(),
            );
        let taken = tx.conn.execute(&take).await.map_err(db_error("lease"))?;
        tx.commit().await?;
        Ok(taken.rows_affected() > 0)
    }
}

fn workers(which: Expr) -> Select<worker::Entity> {
    worker::Entity::find()
        .select_only()
        .column(worker::Column::Id)
        .filter(which)
}

async fn ids(
    select: Select<worker::Entity>,
    db: &impl ConnectionTrait,
) -> Result<Vec<Uuid>, StoreError> {
    select
        .into_tuple()
        .all(db)
        .await
        .map_err(db_error("worker"))
}
