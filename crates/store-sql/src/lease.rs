//! Leases: which process works on what. Every claim and every release is one statement, so that two
//! processes can never believe the same thing.

mod free;

use crate::{
    backend::{Backend, Scope},
    entity::{effect, lane, lease, worker},
    error::db_error,
    query::{excluded, insert, is},
    store::SqlStore,
};
use async_trait::async_trait;
use domain::{
    Timestamp,
    effect::{Effect, EffectStatus, RECEIPT_SLOT},
    id::WorkerId,
    queue::Lane,
};
use ports::store::{Durability, LeaseStore, StoreError, Swept, Worker};
use sea_orm::{
    ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect, QueryTrait,
    Select,
    sea_query::{
        Alias, Expr, ExprTrait, LockBehavior, LockType, OnConflict, Query, SelectStatement,
    },
};
use uuid::Uuid;

#[async_trait]
impl<B: Backend> LeaseStore for SqlStore<B> {
    async fn register(&self, worker: &Worker) -> Result<Swept, StoreError> {
        let tx = self.begin(Scope::System, Durability::Relaxed).await?;
        let same = workers(worker::Column::Instance.eq(worker.instance.as_str()))
            .filter(worker::Column::Id.ne(worker.id.as_uuid()));
        let gone = ids(same, &tx.conn).await?;
        let swept = free::free(&tx, gone, worker.started_at).await?;
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
        let tx = self.begin(Scope::System, Durability::Relaxed).await?;
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
        let swept = free::free(&tx, vec![worker.as_uuid()], now).await?;
        tx.commit().await?;
        Ok(swept)
    }

    async fn sweep(&self, expired: Timestamp, now: Timestamp) -> Result<Swept, StoreError> {
        let silent = || workers(worker::Column::HeartbeatAt.lt(expired));
        // Nearly always there is nothing to do, and looking needs no write lock.
        if ids(silent(), self.backend.reader()).await?.is_empty() {
            return Ok(Swept::default());
        }
        let tx = self.begin(Scope::System, Durability::Relaxed).await?;
        let gone = ids(silent(), &tx.conn).await?;
        let swept = free::free(&tx, gone, now).await?;
        tx.commit().await?;
        Ok(swept)
    }

    async fn claim_lanes(
        &self,
        worker: WorkerId,
        now: Timestamp,
        limit: u32,
    ) -> Result<Vec<Lane>, StoreError> {
        use lane::Column;
        let tx = self.begin(Scope::System, Durability::Relaxed).await?;
        let ready = lane::Entity::find()
            .select_only()
            .column(Column::Id)
            .filter(Column::ReadyAt.lte(now))
            .filter(Column::LeaseWorker.is_null())
            .filter(Expr::exists(registered(worker)))
            .order_by_asc(Column::ReadyAt)
            .limit(u64::from(limit))
            .lock_with_behavior(LockType::Update, LockBehavior::SkipLocked)
            .into_query();
        let claimed = lane::Entity::update_many()
            .col_expr(Column::LeaseWorker, Expr::value(worker.as_uuid()))
            .col_expr(Column::Fence, Expr::col(Column::Fence).add(1_i64))
            .col_expr(Column::ReadyAt, Expr::value(None::<Timestamp>))
            .filter(Column::Id.in_subquery(ready))
            .exec_with_returning(&tx.conn)
            .await
            .map_err(db_error("lane"))?;
        tx.commit().await?;
        Ok(claimed.into_iter().map(Lane::from).collect())
    }

    async fn claim_effects(
        &self,
        worker: WorkerId,
        now: Timestamp,
        limit: u32,
    ) -> Result<Vec<Effect>, StoreError> {
        use effect::Column;
        // Often there is nothing due, and looking needs neither the write lock nor a sync.
        let waiting = due(now)
            .limit(1)
            .into_tuple::<Uuid>()
            .all(self.backend.reader())
            .await
            .map_err(db_error("effect"))?;
        if waiting.is_empty() {
            return Ok(Vec::new());
        }
        let tx = self.begin(Scope::System, Durability::Durable).await?;
        let due = due(now)
            .filter(Expr::exists(ahead()).not())
            .filter(Expr::exists(registered(worker)))
            .order_by_asc(Column::NextAttemptAt)
            .order_by_asc(Column::Id)
            .limit(u64::from(limit))
            .lock_with_behavior(LockType::Update, LockBehavior::SkipLocked)
            .into_query();
        let mut claimed = effect::Entity::update_many()
            .col_expr(Column::Status, Expr::value(EffectStatus::Sending.as_str()))
            .col_expr(Column::WorkerId, Expr::value(worker.as_uuid()))
            .col_expr(Column::Attempts, Expr::col(Column::Attempts).add(1))
            .filter(Column::Id.in_subquery(due))
            .exec_with_returning(&tx.conn)
            .await
            .map_err(db_error("effect"))?;
        tx.commit().await?;
        claimed.sort_unstable_by_key(|effect| effect.id);
        claimed.into_iter().map(Effect::try_from).collect()
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

/// A process that was swept must not claim: nobody would ever take that from it again.
fn registered(worker: WorkerId) -> SelectStatement {
    Query::select()
        .expr(Expr::value(1))
        .from(worker::Entity)
        .and_where(worker::Column::Id.eq(worker.as_uuid()))
        .to_owned()
}

/// Effects whose time has come, whether or not their turn has.
fn due(now: Timestamp) -> Select<effect::Entity> {
    use effect::Column;
    effect::Entity::find()
        .select_only()
        .column(Column::Id)
        .filter(is(Column::Status, EffectStatus::Pending.as_str()))
        .filter(Column::NextAttemptAt.lte(now))
}

/// What stands in the way of later effects of its conversation.
const UNSENT: [&str; 2] = [
    EffectStatus::Pending.as_str(),
    EffectStatus::Sending.as_str(),
];

/// Earlier effects of the same conversation that are not through yet. The mark on a person's message
/// has no place in that order: an answer never waits for it.
fn ahead() -> SelectStatement {
    let first = Alias::new("first");
    let column = |column: effect::Column| Expr::col((Alias::new("first"), column));
    Query::select()
        .expr(Expr::value(1))
        .from_as(effect::Entity, first)
        .and_where(
            column(effect::Column::ConversationId)
                .equals((effect::Entity, effect::Column::ConversationId)),
        )
        .and_where(column(effect::Column::Id).lt(Expr::col((effect::Entity, effect::Column::Id))))
        .and_where(column(effect::Column::Status).is_in(UNSENT.map(|w| Expr::Constant(w.into()))))
        .and_where(column(effect::Column::Slot).ne(RECEIPT_SLOT))
        .to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use sea_orm::DbBackend;

    #[test]
    fn the_status_of_due_effects_is_written_out_for_the_partial_index() {
        let statement = due(Timestamp::UNIX_EPOCH).build(DbBackend::Sqlite);
        assert!(statement.sql.contains("= 'pending'"), "{}", statement.sql);
    }
}
