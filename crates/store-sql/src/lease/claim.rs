//! Taking what is ready. Several processes claim at the same moment and never wait for each other: what
//! somebody else holds is passed over.

use super::{ids, workers};
use crate::{
    entity::{conversation, effect, lane, worker},
    error::db_error,
    query::is,
    tx::SqlTx,
};
use domain::{
    Timestamp,
    effect::{EffectStatus, RECEIPT_SLOT},
    id::WorkerId,
};
use ports::store::StoreError;
use sea_orm::{
    ColumnTrait, EntityTrait, JoinType, QueryFilter, QueryOrder, QuerySelect, QueryTrait,
    RelationDef, Select,
    sea_query::{
        Alias, CommonTableExpression, Condition, Expr, ExprTrait, LockBehavior, LockType, Query,
        SelectStatement,
    },
};
use uuid::Uuid;

/// Takes lanes that are ready.
pub(super) async fn lanes(
    tx: &SqlTx,
    worker: WorkerId,
    now: Timestamp,
    limit: u32,
) -> Result<Vec<lane::Model>, StoreError> {
    use lane::Column;
    if !is_registered(tx, worker).await? {
        return Ok(Vec::new());
    }
    let ready = Alias::new("ready");
    let longest_waiting = lane::Entity::find()
        .select_only()
        .column(Column::Id)
        .filter(Column::ReadyAt.lte(now))
        .filter(Column::LeaseWorker.is_null())
        .order_by_asc(Column::ReadyAt)
        .limit(u64::from(limit))
        .lock_with_behavior(LockType::Update, LockBehavior::SkipLocked)
        .into_query();
    // Looked up once: a planner that ran this again for every lane would find more of them every time.
    let once = CommonTableExpression::new()
        .table_name(ready.clone())
        .materialized(true)
        .query(longest_waiting)
        .to_owned();
    let chosen = Query::select().column(Column::Id).from(ready).to_owned();
    let mut claim = lane::Entity::update_many()
        .col_expr(Column::LeaseWorker, Expr::value(worker.as_uuid()))
        .col_expr(Column::Fence, Expr::col(Column::Fence).add(1_i64))
        .col_expr(Column::ReadyAt, Expr::value(None::<Timestamp>))
        .filter(Column::Id.in_subquery(chosen));
    QueryTrait::query(&mut claim).with_cte(once);
    let mut claimed = claim
        .exec_with_returning(&tx.conn)
        .await
        .map_err(db_error("lane"))?;
    // Databases return them in any order.
    claimed.sort_unstable_by_key(|lane| lane.id);
    Ok(claimed)
}

/// Takes effects whose turn it is. Two steps, because whoever writes an effect holds its conversation
/// until the commit, and only a look that begins after all conversations are ours sees every effect that
/// was written before.
pub(super) async fn effects(
    tx: &SqlTx,
    worker: WorkerId,
    now: Timestamp,
    limit: u32,
) -> Result<Vec<effect::Model>, StoreError> {
    use effect::Column;
    if !is_registered(tx, worker).await? {
        return Ok(Vec::new());
    }
    let free: Vec<Uuid> = turns(now, limit)
        .lock_with_behavior(LockType::Update, LockBehavior::SkipLocked)
        .into_tuple()
        .all(&tx.conn)
        .await
        .map_err(db_error("effect"))?;
    if free.is_empty() {
        return Ok(Vec::new());
    }
    let mut claimed = effect::Entity::update_many()
        .col_expr(Column::Status, Expr::value(EffectStatus::Sending.as_str()))
        .col_expr(Column::WorkerId, Expr::value(worker.as_uuid()))
        .col_expr(Column::Attempts, Expr::col(Column::Attempts).add(1))
        .filter(Column::Id.is_in(free))
        .filter(is(Column::Status, EffectStatus::Pending.as_str()))
        .filter(Expr::exists(ahead()).not())
        .exec_with_returning(&tx.conn)
        .await
        .map_err(db_error("effect"))?;
    claimed.sort_unstable_by_key(|effect| effect.id);
    Ok(claimed)
}

/// Effects whose time has come and whose turn it is, with the conversations they go to.
pub(super) fn turns(now: Timestamp, limit: u32) -> Select<effect::Entity> {
    use effect::Column;
    let goes_to: RelationDef = effect::Entity::belongs_to(conversation::Entity)
        .from(Column::ConversationId)
        .to(conversation::Column::Id)
        .into();
    effect::Entity::find()
        .select_only()
        .column(Column::Id)
        .join(JoinType::InnerJoin, goes_to)
        .filter(is(Column::Status, EffectStatus::Pending.as_str()))
        .filter(Column::NextAttemptAt.lte(now))
        .filter(Expr::exists(ahead()).not())
        .order_by_asc(Column::NextAttemptAt)
        .order_by_asc(Column::Id)
        .limit(u64::from(limit))
}

/// The conversation of the first of them, locked.
pub(super) fn first_conversation(now: Timestamp) -> SelectStatement {
    let mut first = turns(now, 1);
    QueryTrait::query(&mut first).lock_with_tables(LockType::Update, [conversation::Entity]);
    first.into_query()
}

/// Whether the process is known, and keeps it from being swept until the transaction ends: what it claims
/// after that nobody would ever take from it again.
async fn is_registered(tx: &SqlTx, worker: WorkerId) -> Result<bool, StoreError> {
    let own = workers(worker::Column::Id.eq(worker.as_uuid())).lock(LockType::KeyShare);
    Ok(!ids(own, &tx.conn).await?.is_empty())
}

/// What stands in the way of other effects of its conversation.
const UNSENT: [&str; 2] = [
    EffectStatus::Pending.as_str(),
    EffectStatus::Sending.as_str(),
];

/// Earlier effects of the same conversation that are not through yet, and any that is being sent. The mark
/// on a person's message has no place in that order: an answer never waits for it.
fn ahead() -> SelectStatement {
    let first = Alias::new("first");
    let column = |column: effect::Column| Expr::col((Alias::new("first"), column));
    let word = |word: &'static str| Expr::Constant(word.into());
    let earlier = column(effect::Column::Id).lt(Expr::col((effect::Entity, effect::Column::Id)));
    let sending = column(effect::Column::Status).eq(word(EffectStatus::Sending.as_str()));
    Query::select()
        .expr(Expr::value(1))
        .from_as(effect::Entity, first)
        .and_where(
            column(effect::Column::ConversationId)
                .equals((effect::Entity, effect::Column::ConversationId)),
        )
        .and_where(column(effect::Column::Status).is_in(UNSENT.map(word)))
        .cond_where(Condition::any().add(earlier).add(sending))
        .and_where(column(effect::Column::Slot).ne(RECEIPT_SLOT))
        .to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use sea_orm::DbBackend;

    #[test]
    fn the_status_of_due_effects_is_written_out_for_the_partial_index() {
        let statement = turns(Timestamp::UNIX_EPOCH, 1).build(DbBackend::Sqlite);
        assert!(statement.sql.contains("= 'pending'"), "{}", statement.sql);
    }
}
