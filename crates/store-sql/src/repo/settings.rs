//! Single values by name.

use crate::{entity::setting, error::db_error, tx::SqlTx};
use async_trait::async_trait;
use domain::{Timestamp, id::TenantId};
use ports::store::{SettingRepository, StoreError};
use sea_orm::{EntityTrait, IntoActiveModel, sea_query::OnConflict};

pub(crate) struct SqlSettings<'t>(pub(crate) &'t SqlTx);

#[async_trait]
impl SettingRepository for SqlSettings<'_> {
    async fn find(
        &self,
        tenant: TenantId,
        name: &str,
    ) -> Result<Option<serde_json::Value>, StoreError> {
        let row = setting::Entity::find_by_id((tenant.as_uuid(), name.to_owned()))
            .all(&self.0.conn)
            .await
            .map_err(db_error("setting"))?
            .pop();
        Ok(row.map(|row| row.value))
    }

    async fn put(
        &self,
        tenant: TenantId,
        name: &str,
        value: &serde_json::Value,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let row = setting::Model {
            tenant_id: tenant.as_uuid(),
            name: name.to_owned(),
            value: value.clone(),
            updated_at: now,
        };
        setting::Entity::insert(row.into_active_model())
            .on_conflict(
                OnConflict::columns([setting::Column::TenantId, setting::Column::Name])
                    .update_columns([setting::Column::Value, setting::Column::UpdatedAt])
                    .to_owned(),
            )
            .exec_without_returning(&self.0.conn)
            .await
            .map_err(db_error("setting"))?;
        Ok(())
    }

    async fn delete(&self, tenant: TenantId, name: &str) -> Result<(), StoreError> {
        setting::Entity::delete_by_id((tenant.as_uuid(), name.to_owned()))
            .exec(&self.0.conn)
            .await
            .map_err(db_error("setting"))?;
        Ok(())
    }
}
