//! What cannot know its tenant beforehand: credentials, webhook paths, start-up.

use crate::{
    backend::{Backend, Scope},
    entity::{feed, integration, lease, tenant, token},
    error::db_error,
    query::{insert, insert_all},
    repo::{idempotency, integrations::with_agents},
    store::SqlStore,
    tx::SqlTx,
};
use async_trait::async_trait;
use domain::{
    Timestamp,
    access::{ApiToken, Tenant},
    id::{IntegrationId, TenantId},
    integration::Integration,
};
use ports::store::{Durability, StoreError, SystemStore};
use sea_orm::{
    ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, QueryOrder, sea_query::OnConflict,
};
use uuid::Uuid;

#[async_trait]
impl<B: Backend> SystemStore for SqlStore<B> {
    async fn find_token(&self, hash: &str) -> Result<Option<ApiToken>, StoreError> {
        token::Entity::find()
            .filter(token::Column::Hash.eq(hash))
            .all(self.backend.reader(Scope::System))
            .await
            .map_err(db_error("token"))?
            .pop()
            .map(ApiToken::try_from)
            .transpose()
    }

    async fn find_integration(&self, id: IntegrationId) -> Result<Option<Integration>, StoreError> {
        let db = self.backend.reader(Scope::System);
        let row = integration::Entity::find_by_id(id.as_uuid())
            .filter(integration::Column::DeletedAt.is_null())
            .all(db)
            .await
            .map_err(db_error("integration"))?
            .pop();
        Ok(with_agents(db, row.into_iter().collect()).await?.pop())
    }

    async fn active_integrations(&self) -> Result<Vec<Integration>, StoreError> {
        let db = self.backend.reader(Scope::System);
        let rows = integration::Entity::find()
            .filter(integration::Column::Enabled.eq(true))
            .filter(integration::Column::DeletedAt.is_null())
            .order_by_asc(integration::Column::Id)
            .all(db)
            .await
            .map_err(db_error("integration"))?;
        with_agents(db, rows).await
    }

    async fn ensure_tenant(&self, name: &str, now: Timestamp) -> Result<Tenant, StoreError> {
        if let Some(tenant) = oldest(self.backend.reader(Scope::System)).await? {
            return Ok(tenant);
        }
        let tx = self.begin(Scope::System, Durability::Durable).await?;
        take_turn(&tx).await?;
        // Somebody else may have made it between the look and the lock.
        if let Some(tenant) = oldest(&tx.conn).await? {
            return Ok(tenant);
        }
        let tenant = Tenant {
            id: TenantId::from_uuid(tx.ids.next()),
            name: name.to_owned(),
            created_at: now,
        };
        let row = tenant::Model {
            id: tenant.id.as_uuid(),
            name: tenant.name.clone(),
            created_at: now,
        };
        insert(&tx.conn, row).await.map_err(db_error("tenant"))?;
        let feed = feed::Model {
            tenant_id: tenant.id.as_uuid(),
            last_seq: 0,
        };
        insert(&tx.conn, feed).await.map_err(db_error("feed"))?;
        lease::Entity::delete_by_id(FIRST.to_owned())
            .exec(&tx.conn)
            .await
            .map_err(db_error("lease"))?;
        tx.commit().await?;
        Ok(tenant)
    }

    async fn free_keys(&self, instance: &str) -> Result<u64, StoreError> {
        let tx = self.begin(Scope::System, Durability::Relaxed).await?;
        let freed = idempotency::free(&tx, instance).await?;
        tx.commit().await?;
        Ok(freed)
    }
}

/// The lease of whoever makes the first tenant, held by nobody else until the transaction ends. Nothing
/// about the tenant itself is unique.
const FIRST: &str = "first tenant";

async fn take_turn(tx: &SqlTx) -> Result<(), StoreError> {
    let row = lease::Model {
        name: FIRST.to_owned(),
        worker_id: Uuid::nil(),
    };
    let again = OnConflict::column(lease::Column::Name)
        .update_column(lease::Column::WorkerId)
        .to_owned();
    insert_all(&tx.conn, vec![row], Some(again))
        .await
        .map_err(db_error("lease"))
}

async fn oldest(db: &impl ConnectionTrait) -> Result<Option<Tenant>, StoreError> {
    let row = tenant::Entity::find()
        .order_by_asc(tenant::Column::Id)
        .one(db)
        .await
        .map_err(db_error("tenant"))?;
    Ok(row.map(Tenant::from))
}
