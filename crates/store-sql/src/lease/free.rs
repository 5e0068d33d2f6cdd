//! Taking back what processes held that are gone.

use super::ids;
use crate::{
    entity::{effect, lane, lease, sprite_session, worker},
    error::db_error,
    query::is,
    repo::{events::SqlEvents, lanes::ready_again},
    tx::SqlTx,
};
use domain::{
    Timestamp,
    effect::{Effect, EffectStatus},
    event::{EventKind, NewEvent},
    id::{EffectId, WorkerId},
    sprite::SpriteSessionStatus,
};
use ports::store::{EventRepository, StoreError, Swept};
use sea_orm::{
    ColumnTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect, QueryTrait, Select,
    sea_query::{Expr, ExprTrait},
};
use uuid::Uuid;

/// Frees everything these processes held and forgets them. Of several that try, one does it: their rows
/// are locked first, and whoever waited for that finds them gone.
pub(super) async fn free(
    tx: &SqlTx,
    which: Select<worker::Entity>,
    now: Timestamp,
) -> Result<Swept, StoreError> {
    let locked = which.order_by_asc(worker::Column::Id).lock_exclusive();
    let gone = ids(locked, &tx.conn).await?;
    if gone.is_empty() {
        return Ok(Swept::default());
    }
    let swept = Swept {
        lanes: lanes(tx, held_by(&gone), now).await?,
        effects: free_effects(tx, &gone, now).await?,
    };
    orphan_shells(tx, &gone).await?;
    lease::Entity::delete_many()
        .filter(lease::Column::WorkerId.is_in(gone.iter().copied()))
        .exec(&tx.conn)
        .await
        .map_err(db_error("lease"))?;
    worker::Entity::delete_many()
        .filter(worker::Column::Id.is_in(gone))
        .exec(&tx.conn)
        .await
        .map_err(db_error("worker"))?;
    Ok(swept)
}

/// Their shells went with them; whoever looks may say so.
async fn orphan_shells(tx: &SqlTx, gone: &[Uuid]) -> Result<(), StoreError> {
    let instances = worker::Entity::find()
        .select_only()
        .column(worker::Column::Instance)
        .filter(worker::Column::Id.is_in(gone.iter().copied()))
        .into_query();
    sprite_session::Entity::update_many()
        .col_expr(
            sprite_session::Column::Instance,
            Expr::value(None::<String>),
        )
        .filter(is(
            sprite_session::Column::Status,
            SpriteSessionStatus::Open.as_str(),
        ))
        .filter(sprite_session::Column::Instance.in_subquery(instances))
        .exec(&tx.conn)
        .await
        .map_err(db_error("sprite session"))?;
    Ok(())
}

/// A lane with anything left to do can be claimed again at once; one whose job waits cannot.
pub(super) async fn lanes(tx: &SqlTx, which: Expr, now: Timestamp) -> Result<u64, StoreError> {
    // In the order in which deliveries lock them.
    let held = lane::Entity::find()
        .select_only()
        .column(lane::Column::Id)
        .filter(which)
        .order_by_asc(lane::Column::ConversationId)
        .order_by_asc(lane::Column::AgentId)
        .lock_exclusive()
        .into_query();
    let freed = lane::Entity::update_many()
        .col_expr(
            lane::Column::ReadyAt,
            Expr::col(lane::Column::ReadyAt).if_null(ready_again(now)),
        )
        .col_expr(lane::Column::LeaseWorker, Expr::value(None::<Uuid>))
        .filter(lane::Column::Id.in_subquery(held))
        .exec(&tx.conn)
        .await
        .map_err(db_error("lane"))?;
    if freed.rows_affected > 0 {
        tx.note(|c| c.lanes_ready = true);
    }
    Ok(freed.rows_affected)
}

fn held_by(gone: &[Uuid]) -> Expr {
    lane::Column::LeaseWorker.is_in(gone.iter().copied())
}

/// Effects that a living process holds and never began to send wait again.
pub(super) async fn unbegun(
    tx: &SqlTx,
    worker: WorkerId,
    known: &[EffectId],
) -> Result<(), StoreError> {
    use effect::Column;
    let freed = effect::Entity::update_many()
        .col_expr(Column::Status, Expr::value(EffectStatus::Pending.as_str()))
        .col_expr(Column::WorkerId, Expr::value(None::<Uuid>))
        .filter(is(Column::Status, EffectStatus::Sending.as_str()))
        .filter(Column::WorkerId.eq(worker.as_uuid()))
        .filter(Column::Id.is_not_in(known.iter().map(|id| id.as_uuid())))
        .exec(&tx.conn)
        .await
        .map_err(db_error("effect"))?;
    if freed.rows_affected > 0 {
        tx.note(|c| c.effects_ready = true);
    }
    Ok(())
}

/// What was being sent is sent again when that looks the same as once; otherwise only a human can
/// find out, so it is shown.
async fn free_effects(tx: &SqlTx, gone: &[Uuid], now: Timestamp) -> Result<u64, StoreError> {
    let held = effect::Entity::find()
        .filter(is(effect::Column::Status, EffectStatus::Sending.as_str()))
        .filter(effect::Column::WorkerId.is_in(gone.iter().copied()))
        .order_by_asc(effect::Column::Id)
        .lock_exclusive()
        .all(&tx.conn)
        .await
        .map_err(db_error("effect"))?
        .into_iter()
        .map(Effect::try_from)
        .collect::<Result<Vec<_>, _>>()?;
    let (again, unknown): (Vec<_>, Vec<_>) = held.iter().partition(|e| e.action.is_idempotent());
    set_status(tx, &again, EffectStatus::Pending, None).await?;
    let detail = "The server stopped while this was being sent. Look whether it arrived, then \
                  release it to send it again or cancel it.";
    set_status(tx, &unknown, EffectStatus::Unknown, Some(detail)).await?;
    for effect in unknown {
        let event = NewEvent {
            kind: EventKind::Effect,
            payload: serde_json::json!({
                "effect_id": effect.id,
                "slot": effect.slot,
                "kind": effect.action.kind(),
                "status": EffectStatus::Unknown,
                "detail": detail,
            }),
        };
        SqlEvents(tx)
            .append(effect.tenant_id, effect.job_id, vec![event], now)
            .await?;
    }
    if !held.is_empty() {
        tx.note(|c| c.effects_ready = true);
    }
    Ok(u64::try_from(held.len()).unwrap_or(u64::MAX))
}

async fn set_status(
    tx: &SqlTx,
    effects: &[&Effect],
    status: EffectStatus,
    detail: Option<&str>,
) -> Result<(), StoreError> {
    use effect::Column;
    if effects.is_empty() {
        return Ok(());
    }
    let mut update = effect::Entity::update_many()
        .col_expr(Column::Status, Expr::value(status.as_str()))
        .col_expr(Column::WorkerId, Expr::value(None::<Uuid>));
    if let Some(detail) = detail {
        update = update.col_expr(Column::Detail, Expr::value(detail));
    }
    update
        .filter(Column::Id.is_in(effects.iter().map(|effect| effect.id.as_uuid())))
        .exec(&tx.conn)
        .await
        .map_err(db_error("effect"))?;
    Ok(())
}
