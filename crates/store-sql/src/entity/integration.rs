//! Integrations; removed ones stay as rows, so that their work stays readable.

use crate::error::word;
use domain::{
    id::{AgentId, IntegrationId, TenantId},
    integration::{Integration, Visibility},
};
use ports::store::StoreError;
use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "integrations")]
pub(crate) struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub(crate) id: Uuid,
    pub(crate) tenant_id: Uuid,
    pub(crate) channel: String,
    pub(crate) name: String,
    #[sea_orm(column_type = "JsonBinary")]
    pub(crate) config: Json,
    pub(crate) all_agents: bool,
    pub(crate) enabled: bool,
    pub(crate) health: String,
    pub(crate) health_detail: Option<String>,
    pub(crate) poll_cursor: Option<String>,
    pub(crate) created_at: DateTimeUtc,
    pub(crate) updated_at: DateTimeUtc,
    pub(crate) deleted_at: Option<DateTimeUtc>,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub(crate) enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

impl From<&Integration> for Model {
    fn from(integration: &Integration) -> Self {
        Self {
            id: integration.id.as_uuid(),
            tenant_id: integration.tenant_id.as_uuid(),
            channel: integration.channel.as_str().to_owned(),
            name: integration.name.clone(),
            config: integration.config.clone(),
            all_agents: integration.visibility == Visibility::AllAgents,
            enabled: integration.enabled,
            health: integration.health.as_str().to_owned(),
            health_detail: integration.health_detail.clone(),
            poll_cursor: integration.poll_cursor.clone(),
            created_at: integration.created_at,
            updated_at: integration.updated_at,
            deleted_at: None,
        }
    }
}

impl Model {
    /// The integration, given the agents on its list.
    pub(crate) fn with_agents(self, agents: Vec<AgentId>) -> Result<Integration, StoreError> {
        Ok(Integration {
            id: IntegrationId::from_uuid(self.id),
            tenant_id: TenantId::from_uuid(self.tenant_id),
            channel: word("integration", "channel", &self.channel)?,
            name: self.name,
            config: self.config,
            visibility: if self.all_agents {
                Visibility::AllAgents
            } else {
                Visibility::Agents(agents)
            },
            enabled: self.enabled,
            health: word("integration", "health", &self.health)?,
            health_detail: self.health_detail,
            poll_cursor: self.poll_cursor,
            created_at: self.created_at,
            updated_at: self.updated_at,
        })
    }
}
