//! Answers kept for repeated requests.

use crate::{
    entity::idempotency_key::{self, Column},
    error::{corrupt, db_error},
    query::excluded,
    tx::SqlTx,
};
use async_trait::async_trait;
use domain::{Timestamp, id::TenantId};
use ports::store::{IdempotencyClaim, IdempotencyRepository, KeyClaim, SavedResponse, StoreError};
use sea_orm::{
    ColumnTrait, DeleteMany, EntityTrait, IntoActiveModel, QueryFilter, UpdateMany,
    sea_query::{Expr, ExprTrait, OnConflict},
};

const ENTITY: &str = "idempotency key";

pub(crate) struct SqlIdempotency<'t>(pub(crate) &'t SqlTx);

#[async_trait]
impl IdempotencyRepository for SqlIdempotency<'_> {
    async fn claim(&self, claim: KeyClaim<'_>) -> Result<IdempotencyClaim, StoreError> {
        let tenant = claim.tenant.as_uuid();
        idempotency_key::Entity::delete_many()
            .filter(Column::TenantId.eq(tenant))
            .filter(Column::CreatedAt.lt(claim.stale_before))
            .exec(&self.0.conn)
            .await
            .map_err(db_error(ENTITY))?;
        let row = idempotency_key::Model {
            tenant_id: tenant,
            key: claim.key.to_owned(),
            fingerprint: claim.fingerprint.to_owned(),
            status: None,
            body: None,
            created_at: claim.now,
            holder: Some(claim.holder.to_owned()),
            claimed_at: Some(claim.now),
            request_id: Some(claim.request),
        };
        let taken = idempotency_key::Entity::insert(row.into_active_model())
            .on_conflict(take_over(claim.abandoned_before))
            .exec_without_returning(&self.0.conn)
            .await
            .map_err(db_error(ENTITY))?;
        let row = idempotency_key::Entity::find_by_id((tenant, claim.key.to_owned()))
            .all(&self.0.conn)
            .await
            .map_err(db_error(ENTITY))?
            .pop();
        match row {
            Some(row) if taken > 0 => Ok(IdempotencyClaim::Held {
                request: row.request_id.unwrap_or(claim.request),
            }),
            Some(row) => judge(row, claim.fingerprint),
            // It can only be gone when its owner gave it back at this very moment.
            None => Ok(IdempotencyClaim::InProgress),
        }
    }

    async fn complete(
        &self,
        tenant: TenantId,
        key: &str,
        claimed_at: Timestamp,
        response: &SavedResponse,
    ) -> Result<(), StoreError> {
        let update = idempotency_key::Entity::update_many()
            .col_expr(Column::Status, Expr::value(i32::from(response.status)))
            .col_expr(Column::Body, Expr::value(response.body.as_str()));
        owned::<UpdateMany<_>>(update, tenant, key, claimed_at)
            .exec(&self.0.conn)
            .await
            .map_err(db_error(ENTITY))?;
        Ok(())
    }

    async fn release(
        &self,
        tenant: TenantId,
        key: &str,
        claimed_at: Timestamp,
    ) -> Result<(), StoreError> {
        let first = idempotency_key::Entity::delete_many().filter(Column::CreatedAt.eq(claimed_at));
        owned::<DeleteMany<_>>(first, tenant, key, claimed_at)
            .exec(&self.0.conn)
            .await
            .map_err(db_error(ENTITY))?;
        let later = let_go(idempotency_key::Entity::update_many());
        owned::<UpdateMany<_>>(later, tenant, key, claimed_at)
            .exec(&self.0.conn)
            .await
            .map_err(db_error(ENTITY))?;
        Ok(())
    }
}

/// Lets go of every key whose request a process of this instance left without an answer.
pub(crate) async fn free(tx: &SqlTx, instance: &str) -> Result<u64, StoreError> {
    let freed = let_go(idempotency_key::Entity::update_many())
        .filter(Column::Holder.eq(instance))
        .filter(Column::Status.is_null())
        .exec(&tx.conn)
        .await
        .map_err(db_error(ENTITY))?;
    Ok(freed.rows_affected)
}

fn let_go(update: UpdateMany<idempotency_key::Entity>) -> UpdateMany<idempotency_key::Entity> {
    update.col_expr(Column::Holder, Expr::value(None::<String>))
}

/// What an insert does that meets a key: it takes it over when the same request was left without an answer.
/// The row is locked then, so that of several one finds it free. The id of the first request stays.
fn take_over(abandoned_before: Timestamp) -> OnConflict {
    let of = |column: Column| Expr::col((idempotency_key::Entity, column));
    let abandoned = of(Column::Holder)
        .is_null()
        .or(of(Column::ClaimedAt).lt(abandoned_before));
    OnConflict::columns([Column::TenantId, Column::Key])
        .update_columns([Column::Holder, Column::ClaimedAt])
        .value(
            Column::RequestId,
            of(Column::RequestId).if_null(excluded(Column::RequestId)),
        )
        .action_and_where(
            of(Column::Status)
                .is_null()
                .and(of(Column::Fingerprint).eq(excluded(Column::Fingerprint)))
                .and(abandoned),
        )
        .to_owned()
}

/// Only a key whose request is still under way, and nobody else's by now: a kept answer never changes.
fn owned<Q: QueryFilter>(query: Q, tenant: TenantId, key: &str, claimed_at: Timestamp) -> Q {
    query
        .filter(Column::TenantId.eq(tenant.as_uuid()))
        .filter(Column::Key.eq(key))
        .filter(Column::Status.is_null())
        .filter(Column::ClaimedAt.eq(claimed_at))
}

fn judge(row: idempotency_key::Model, fingerprint: &str) -> Result<IdempotencyClaim, StoreError> {
    if row.fingerprint != fingerprint {
        return Ok(IdempotencyClaim::Mismatch);
    }
    let Some(status) = row.status else {
        return Ok(IdempotencyClaim::InProgress);
    };
    Ok(IdempotencyClaim::Done(SavedResponse {
        status: u16::try_from(status).map_err(|error| corrupt(ENTITY, "status", error.into()))?,
        body: row.body.unwrap_or_default(),
    }))
}
