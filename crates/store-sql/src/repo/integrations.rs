//! Integrations, with the list of agents that see them. A removed one stays as a row that no
//! method here finds, so that its work stays readable.

use crate::{
    entity::{agent_integration, integration},
    error::db_error,
    query::{insert, insert_all, is, page},
    tx::SqlTx,
};
use async_trait::async_trait;
use domain::{
    Timestamp,
    channel::ChannelType,
    id::{AgentId, IntegrationId, TenantId},
    integration::{Health, Integration, Visibility},
    page::{Page, PageRequest},
};
use ports::store::{IntegrationRepository, StoreError};
use sea_orm::{
    ColumnTrait, Condition, ConnectionTrait, EntityTrait, QueryFilter, QueryOrder, Select,
    UpdateMany,
    sea_query::{Expr, ExprTrait},
};
use std::collections::HashMap;
use uuid::Uuid;

const ENTITY: &str = "integration";

pub(crate) struct SqlIntegrations<'t>(pub(crate) &'t SqlTx);

#[async_trait]
impl IntegrationRepository for SqlIntegrations<'_> {
    async fn insert(&self, integration: &Integration) -> Result<(), StoreError> {
        insert(&self.0.conn, integration::Model::from(integration))
            .await
            .map_err(db_error(ENTITY))?;
        self.write_visibility(integration).await?;
        self.0.note(|c| c.integrations_changed = true);
        Ok(())
    }

    async fn find(
        &self,
        tenant: TenantId,
        id: IntegrationId,
    ) -> Result<Option<Integration>, StoreError> {
        self.one(live(tenant).filter(integration::Column::Id.eq(id.as_uuid())))
            .await
    }

    async fn list(
        &self,
        tenant: TenantId,
        request: PageRequest,
    ) -> Result<Page<Integration>, StoreError> {
        let rows = page(live(tenant), integration::Column::Id, request)
            .all(&self.0.conn)
            .await
            .map_err(db_error(ENTITY))?;
        let integrations = with_agents(&self.0.conn, rows).await?;
        Ok(Page::from_overfetch(integrations, request.limit, |i| {
            i.id.as_uuid()
        }))
    }

    async fn built_in(&self, tenant: TenantId) -> Result<Option<Integration>, StoreError> {
        let web = is(integration::Column::Channel, ChannelType::Web.as_str());
        self.one(live(tenant).filter(web)).await
    }

    async fn update(&self, integration: &Integration) -> Result<(), StoreError> {
        use integration::Column;
        let updated = this(integration.tenant_id, integration.id)
            .col_expr(Column::Name, Expr::value(integration.name.as_str()))
            .col_expr(Column::Config, Expr::value(integration.config.clone()))
            .col_expr(
                Column::AllAgents,
                Expr::value(integration.visibility == Visibility::AllAgents),
            )
            .col_expr(Column::Enabled, Expr::value(integration.enabled))
            .col_expr(Column::UpdatedAt, Expr::value(integration.updated_at))
            .exec(&self.0.conn)
            .await
            .map_err(db_error(ENTITY))?;
        if updated.rows_affected == 0 {
            return Ok(());
        }
        agent_integration::Entity::delete_many()
            .filter(agent_integration::Column::IntegrationId.eq(integration.id.as_uuid()))
            .exec(&self.0.conn)
            .await
            .map_err(db_error(ENTITY))?;
        self.write_visibility(integration).await?;
        self.0.note(|c| c.integrations_changed = true);
        Ok(())
    }

    async fn set_health(
        &self,
        tenant: TenantId,
        id: IntegrationId,
        health: Health,
        detail: Option<&str>,
    ) -> Result<(), StoreError> {
        use integration::Column;
        let was = Expr::col(Column::HealthDetail).if_null("");
        let differs = Condition::any()
            .add(Column::Health.ne(health.as_str()))
            .add(was.ne(detail.unwrap_or_default()));
        let changed = this(tenant, id)
            .col_expr(Column::Health, Expr::value(health.as_str()))
            .col_expr(Column::HealthDetail, Expr::value(detail))
            .filter(differs)
            .exec(&self.0.conn)
            .await
            .map_err(db_error(ENTITY))?;
        if changed.rows_affected > 0 {
            self.0.note(|c| c.work.extend([tenant]));
        }
        Ok(())
    }

    async fn set_poll_cursor(
        &self,
        tenant: TenantId,
        id: IntegrationId,
        cursor: &str,
    ) -> Result<(), StoreError> {
        this(tenant, id)
            .col_expr(integration::Column::PollCursor, Expr::value(cursor))
            .exec(&self.0.conn)
            .await
            .map_err(db_error(ENTITY))?;
        Ok(())
    }

    async fn delete(
        &self,
        tenant: TenantId,
        id: IntegrationId,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        let deleted = this(tenant, id)
            .col_expr(integration::Column::DeletedAt, Expr::value(now))
            .exec(&self.0.conn)
            .await
            .map_err(db_error(ENTITY))?;
        if deleted.rows_affected > 0 {
            self.0.note(|c| c.integrations_changed = true);
        }
        Ok(deleted.rows_affected > 0)
    }
}

impl SqlIntegrations<'_> {
    async fn one(
        &self,
        query: Select<integration::Entity>,
    ) -> Result<Option<Integration>, StoreError> {
        let row = query
            .all(&self.0.conn)
            .await
            .map_err(db_error(ENTITY))?
            .pop();
        let rows = row.into_iter().collect();
        Ok(with_agents(&self.0.conn, rows).await?.pop())
    }

    async fn write_visibility(&self, integration: &Integration) -> Result<(), StoreError> {
        let Visibility::Agents(agents) = &integration.visibility else {
            return Ok(());
        };
        let rows = agents
            .iter()
            .map(|agent| agent_integration::Model {
                agent_id: agent.as_uuid(),
                integration_id: integration.id.as_uuid(),
                tenant_id: integration.tenant_id.as_uuid(),
            })
            .collect();
        insert_all(&self.0.conn, rows, None)
            .await
            .map_err(db_error(ENTITY))
    }
}

/// Adds the lists of agents, with one statement however many integrations have one.
pub(crate) async fn with_agents(
    db: &impl ConnectionTrait,
    rows: Vec<integration::Model>,
) -> Result<Vec<Integration>, StoreError> {
    let listed: Vec<Uuid> = rows
        .iter()
        .filter(|r| !r.all_agents)
        .map(|r| r.id)
        .collect();
    let mut agents: HashMap<Uuid, Vec<AgentId>> = HashMap::new();
    if !listed.is_empty() {
        let pairs = agent_integration::Entity::find()
            .filter(agent_integration::Column::IntegrationId.is_in(listed))
            .order_by_asc(agent_integration::Column::AgentId)
            .all(db)
            .await
            .map_err(db_error(ENTITY))?;
        for pair in pairs {
            let agent = AgentId::from_uuid(pair.agent_id);
            agents.entry(pair.integration_id).or_default().push(agent);
        }
    }
    rows.into_iter()
        .map(|row| {
            let agents = agents.remove(&row.id).unwrap_or_default();
            row.with_agents(agents)
        })
        .collect()
}

fn live(tenant: TenantId) -> Select<integration::Entity> {
    integration::Entity::find()
        .filter(integration::Column::TenantId.eq(tenant.as_uuid()))
        .filter(integration::Column::DeletedAt.is_null())
}

fn this(tenant: TenantId, id: IntegrationId) -> UpdateMany<integration::Entity> {
    integration::Entity::update_many()
        .filter(integration::Column::Id.eq(id.as_uuid()))
        .filter(integration::Column::TenantId.eq(tenant.as_uuid()))
        .filter(integration::Column::DeletedAt.is_null())
}
