//! Model providers of the settings, by tenant.

use crate::{
    entity::provider::{self, Column},
    error::db_error,
    query::insert,
    tx::SqlTx,
};
use async_trait::async_trait;
use domain::{
    id::{ProviderId, TenantId},
    provider::Provider,
};
use ports::store::{ProviderRepository, StoreError};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QueryOrder, Select, sea_query::Expr};

const ENTITY: &str = "provider";

pub(crate) struct SqlProviders<'t>(pub(crate) &'t SqlTx);

#[async_trait]
impl ProviderRepository for SqlProviders<'_> {
    async fn insert(&self, provider: &Provider) -> Result<(), StoreError> {
        insert(&self.0.conn, provider::Model::from(provider))
            .await
            .map_err(db_error(ENTITY))?;
        Ok(())
    }

    async fn find(&self, tenant: TenantId, id: ProviderId) -> Result<Option<Provider>, StoreError> {
        let rows = self.all(of(tenant).filter(Column::Id.eq(id.as_uuid())));
        Ok(rows.await?.pop())
    }

    async fn named(&self, tenant: TenantId, name: &str) -> Result<Option<Provider>, StoreError> {
        Ok(self
            .all(of(tenant).filter(Column::Name.eq(name)))
            .await?
            .pop())
    }

    async fn list(&self, tenant: TenantId) -> Result<Vec<Provider>, StoreError> {
        self.all(of(tenant).order_by_asc(Column::Name)).await
    }

    async fn update(&self, provider: &Provider) -> Result<(), StoreError> {
        let row = provider::Model::from(provider);
        provider::Entity::update_many()
            .col_expr(Column::Name, Expr::value(row.name))
            .col_expr(Column::BaseUrl, Expr::value(row.base_url))
            .col_expr(Column::ApiKey, Expr::value(row.api_key))
            .col_expr(Column::Health, Expr::value(row.health))
            .col_expr(Column::HealthDetail, Expr::value(row.health_detail))
            .col_expr(Column::UpdatedAt, Expr::value(row.updated_at))
            .filter(Column::Id.eq(row.id))
            .filter(Column::TenantId.eq(row.tenant_id))
            .exec(&self.0.conn)
            .await
            .map_err(db_error(ENTITY))?;
        Ok(())
    }

    async fn delete(&self, tenant: TenantId, id: ProviderId) -> Result<bool, StoreError> {
        let deleted = provider::Entity::delete_many()
            .filter(Column::Id.eq(id.as_uuid()))
            .filter(Column::TenantId.eq(tenant.as_uuid()))
            .exec(&self.0.conn)
            .await
            .map_err(db_error(ENTITY))?;
        Ok(deleted.rows_affected > 0)
    }
}

impl SqlProviders<'_> {
    async fn all(&self, select: Select<provider::Entity>) -> Result<Vec<Provider>, StoreError> {
        let rows = select.all(&self.0.conn).await.map_err(db_error(ENTITY))?;
        rows.into_iter().map(Provider::try_from).collect()
    }
}

fn of(tenant: TenantId) -> Select<provider::Entity> {
    provider::Entity::find().filter(Column::TenantId.eq(tenant.as_uuid()))
}
