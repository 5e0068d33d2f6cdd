//! Answers kept for repeated requests.

use crate::{
    entity::idempotency_key,
    error::{corrupt, db_error},
    tx::SqlTx,
};
use async_trait::async_trait;
use domain::{Timestamp, id::TenantId};
use ports::store::{IdempotencyClaim, IdempotencyRepository, SavedResponse, StoreError};
use sea_orm::{
    ColumnTrait, DeleteMany, EntityTrait, IntoActiveModel, QueryFilter, UpdateMany,
    sea_query::{Expr, OnConflict},
};

const ENTITY: &str = "idempotency key";

pub(crate) struct SqlIdempotency<'t>(pub(crate) &'t SqlTx);

#[async_trait]
impl IdempotencyRepository for SqlIdempotency<'_> {
    async fn claim(
        &self,
        tenant: TenantId,
        key: &str,
        fingerprint: &str,
        now: Timestamp,
        stale_before: Timestamp,
    ) -> Result<IdempotencyClaim, StoreError> {
        idempotency_key::Entity::delete_many()
            .filter(idempotency_key::Column::TenantId.eq(tenant.as_uuid()))
            .filter(idempotency_key::Column::CreatedAt.lt(stale_before))
            .exec(&self.0.conn)
            .await
            .map_err(db_error(ENTITY))?;
        let row = idempotency_key::Model {
            tenant_id: tenant.as_uuid(),
            key: key.to_owned(),
            fingerprint: fingerprint.to_owned(),
            status: None,
            body: None,
            created_at: now,
        };
        let taken = idempotency_key::Entity::insert(row.into_active_model())
            .on_conflict(OnConflict::new().do_nothing().to_owned())
            .exec_without_returning(&self.0.conn)
            .await
            .map_err(db_error(ENTITY))?;
        if taken > 0 {
            return Ok(IdempotencyClaim::Fresh);
        }
        let row = idempotency_key::Entity::find_by_id((tenant.as_uuid(), key.to_owned()))
            .all(&self.0.conn)
            .await
            .map_err(db_error(ENTITY))?
            .pop();
        // It can only be gone when its owner gave it back at this very moment.
        let Some(row) = row else {
            return Ok(IdempotencyClaim::InProgress);
        };
        judge(row, fingerprint)
    }

    async fn complete(
        &self,
        tenant: TenantId,
        key: &str,
        response: &SavedResponse,
    ) -> Result<(), StoreError> {
        let update = idempotency_key::Entity::update_many()
            .col_expr(
                idempotency_key::Column::Status,
                Expr::value(i32::from(response.status)),
            )
            .col_expr(
                idempotency_key::Column::Body,
                Expr::value(response.body.as_str()),
            );
        owned::<UpdateMany<_>>(update, tenant, key)
            .exec(&self.0.conn)
            .await
            .map_err(db_error(ENTITY))?;
        Ok(())
    }

    async fn release(&self, tenant: TenantId, key: &str) -> Result<(), StoreError> {
        let delete = idempotency_key::Entity::delete_many();
        owned::<DeleteMany<_>>(delete, tenant, key)
            .exec(&self.0.conn)
            .await
            .map_err(db_error(ENTITY))?;
        Ok(())
    }
}

/// Only a key whose request is still under way: a kept answer never changes.
fn owned<Q: QueryFilter>(query: Q, tenant: TenantId, key: &str) -> Q {
    query
        .filter(idempotency_key::Column::TenantId.eq(tenant.as_uuid()))
        .filter(idempotency_key::Column::Key.eq(key))
        .filter(idempotency_key::Column::Status.is_null())
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
