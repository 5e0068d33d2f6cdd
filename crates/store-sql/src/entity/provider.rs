//! Model providers of the settings.

use crate::error::{corrupt, word};
use domain::{
    id::{ProviderId, TenantId},
    provider::{Provider, ProviderName},
};
use ports::store::StoreError;
use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "providers")]
pub(crate) struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub(crate) id: Uuid,
    pub(crate) tenant_id: Uuid,
    pub(crate) name: String,
    pub(crate) kind: String,
    pub(crate) base_url: Option<String>,
    pub(crate) api_key: Option<String>,
    pub(crate) health: String,
    pub(crate) health_detail: Option<String>,
    pub(crate) created_at: DateTimeUtc,
    pub(crate) updated_at: DateTimeUtc,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub(crate) enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

impl From<&Provider> for Model {
    fn from(provider: &Provider) -> Self {
        Self {
            id: provider.id.as_uuid(),
            tenant_id: provider.tenant_id.as_uuid(),
            name: provider.name.to_string(),
            kind: provider.kind.as_str().to_owned(),
            base_url: provider.base_url.clone(),
            api_key: provider.api_key.clone(),
            health: provider.health.as_str().to_owned(),
            health_detail: provider.health_detail.clone(),
            created_at: provider.created_at,
            updated_at: provider.updated_at,
        }
    }
}

impl TryFrom<Model> for Provider {
    type Error = StoreError;

    fn try_from(row: Model) -> Result<Self, StoreError> {
        Ok(Self {
            id: ProviderId::from_uuid(row.id),
            tenant_id: TenantId::from_uuid(row.tenant_id),
            name: ProviderName::parse(&row.name)
                .map_err(|error| corrupt("provider", "name", error.into()))?,
            kind: word("provider", "kind", &row.kind)?,
            base_url: row.base_url,
            api_key: row.api_key,
            health: word("provider", "health", &row.health)?,
            health_detail: row.health_detail,
            created_at: row.created_at,
            updated_at: row.updated_at,
        })
    }
}
