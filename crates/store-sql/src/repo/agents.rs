//! Agents, each with its daily budget row, and the integrations they see.

use crate::{
    entity::{agent, agent_integration, budget, integration},
    error::db_error,
    query::{insert, page},
    repo::ledger,
    tx::SqlTx,
};
use async_trait::async_trait;
use domain::{
    agent::Agent,
    budget::{BudgetScope, Period},
    id::{AgentId, IntegrationId, TenantId},
    model::ModelRef,
    page::{Page, PageRequest},
};
use ports::store::{AgentRepository, StoreError};
use sea_orm::{
    ColumnTrait, Condition, EntityTrait, JoinType, QueryFilter, QueryOrder, QuerySelect,
    RelationDef, Select, SelectTwo,
    sea_query::{Expr, ExprTrait, Query},
};

const ENTITY: &str = "agent";

pub(crate) struct SqlAgents<'t>(pub(crate) &'t SqlTx);

#[async_trait]
impl AgentRepository for SqlAgents<'_> {
    async fn insert(&self, agent: &Agent) -> Result<(), StoreError> {
        insert(&self.0.conn, agent::Model::from(agent))
            .await
            .map_err(db_error(ENTITY))?;
        ledger::set_limit(
            self.0,
            agent.tenant_id,
            BudgetScope::Agent(agent.id),
            (Period::Day, agent.daily_budget),
            agent.created_at,
        )
        .await
    }

    async fn find(&self, tenant: TenantId, id: AgentId) -> Result<Option<Agent>, StoreError> {
        budgeted(of(tenant).filter(agent::Column::Id.eq(id.as_uuid())))
            .all(&self.0.conn)
            .await
            .map_err(db_error(ENTITY))?
            .pop()
            .map(|(agent, budget)| agent.with_budget(budget))
            .transpose()
    }

    async fn list(
        &self,
        tenant: TenantId,
        request: PageRequest,
    ) -> Result<Page<Agent>, StoreError> {
        let live = of(tenant).filter(agent::Column::ArchivedAt.is_null());
        let agents = self.all(page(live, agent::Column::Id, request)).await?;
        Ok(Page::from_overfetch(agents, request.limit, |a| {
            a.id.as_uuid()
        }))
    }

    async fn seeing(
        &self,
        tenant: TenantId,
        integration: IntegrationId,
    ) -> Result<Vec<Agent>, StoreError> {
        let open_to_all = Query::select()
            .expr(Expr::value(1))
            .from(integration::Entity)
            .and_where(integration::Column::Id.eq(integration.as_uuid()))
            .and_where(integration::Column::TenantId.eq(tenant.as_uuid()))
            .and_where(integration::Column::AllAgents.eq(true))
            .and_where(integration::Column::DeletedAt.is_null())
            .to_owned();
        let listed = Query::select()
            .expr(Expr::value(1))
            .from(agent_integration::Entity)
            .inner_join(
                integration::Entity,
                Expr::col((integration::Entity, integration::Column::Id)).equals((
                    agent_integration::Entity,
                    agent_integration::Column::IntegrationId,
                )),
            )
            .and_where(agent_integration::Column::IntegrationId.eq(integration.as_uuid()))
            .and_where(
                Expr::col((
                    agent_integration::Entity,
                    agent_integration::Column::AgentId,
                ))
                .equals((agent::Entity, agent::Column::Id)),
            )
            .and_where(integration::Column::DeletedAt.is_null())
            .to_owned();
        let sees = Condition::any()
            .add(Expr::exists(open_to_all))
            .add(Expr::exists(listed));
        let select = of(tenant)
            .filter(agent::Column::Enabled.eq(true))
            .filter(agent::Column::ArchivedAt.is_null())
            .filter(sees)
            .order_by_asc(agent::Column::Id);
        self.all(select).await
    }

    async fn update(&self, agent: &Agent) -> Result<(), StoreError> {
        use agent::Column;
        let model = agent.model.as_ref().map(ModelRef::to_string);
        let updated = agent::Entity::update_many()
            .col_expr(Column::Name, Expr::value(agent.name.as_str()))
            .col_expr(
                Column::NameKey,
                Expr::value(agent.name.as_str().to_lowercase()),
            )
            .col_expr(Column::Model, Expr::value(model))
            .col_expr(
                Column::Instructions,
                Expr::value(agent.instructions.as_str()),
            )
            .col_expr(Column::Enabled, Expr::value(agent.enabled))
            .col_expr(
                Column::ReplyPolicy,
                Expr::value(agent.reply_policy.as_str()),
            )
            .col_expr(Column::Steering, Expr::value(agent.steering.as_str()))
            .col_expr(
                Column::LoopLimits,
                Expr::value(serde_json::json!(agent.loop_limits)),
            )
            .col_expr(
                Column::Tools,
                Expr::value(agent.tools.as_ref().map(|tools| serde_json::json!(tools))),
            )
            .col_expr(
                Column::Approvers,
                Expr::value(serde_json::json!(agent.approvers)),
            )
            .col_expr(Column::UpdatedAt, Expr::value(agent.updated_at))
            .col_expr(Column::ArchivedAt, Expr::value(agent.archived_at))
            .filter(Column::Id.eq(agent.id.as_uuid()))
            .filter(Column::TenantId.eq(agent.tenant_id.as_uuid()))
            .exec(&self.0.conn)
            .await
            .map_err(db_error(ENTITY))?;
        if updated.rows_affected == 0 {
            return Ok(());
        }
        ledger::set_limit(
            self.0,
            agent.tenant_id,
            BudgetScope::Agent(agent.id),
            (Period::Day, agent.daily_budget),
            agent.updated_at,
        )
        .await
    }

    async fn integrations(
        &self,
        tenant: TenantId,
        id: AgentId,
    ) -> Result<Vec<IntegrationId>, StoreError> {
        let link: RelationDef = agent_integration::Entity::belongs_to(integration::Entity)
            .from(agent_integration::Column::IntegrationId)
            .to(integration::Column::Id)
            .into();
        let pairs = agent_integration::Entity::find()
            .join(JoinType::InnerJoin, link)
            .filter(agent_integration::Column::AgentId.eq(id.as_uuid()))
            .filter(agent_integration::Column::TenantId.eq(tenant.as_uuid()))
            .filter(integration::Column::DeletedAt.is_null())
            .filter(integration::Column::AllAgents.eq(false))
            .order_by_asc(agent_integration::Column::IntegrationId)
            .all(&self.0.conn)
            .await
            .map_err(db_error(ENTITY))?;
        Ok(pairs
            .into_iter()
            .map(|pair| IntegrationId::from_uuid(pair.integration_id))
            .collect())
    }

    async fn set_integrations(
        &self,
        tenant: TenantId,
        id: AgentId,
        to: &[IntegrationId],
    ) -> Result<(), StoreError> {
        use agent_integration::Column;
        agent_integration::Entity::delete_many()
            .filter(Column::AgentId.eq(id.as_uuid()))
            .filter(Column::TenantId.eq(tenant.as_uuid()))
            .exec(&self.0.conn)
            .await
            .map_err(db_error(ENTITY))?;
        if to.is_empty() {
            return Ok(());
        }
        // Read from both tables, so that neither an agent nor an integration of another tenant fits.
        let pairs = Query::select()
            .column((agent::Entity, agent::Column::Id))
            .column((integration::Entity, integration::Column::Id))
            .column((integration::Entity, integration::Column::TenantId))
            .from(integration::Entity)
            .inner_join(
                agent::Entity,
                Expr::col((agent::Entity, agent::Column::TenantId))
                    .equals((integration::Entity, integration::Column::TenantId)),
            )
            .and_where(agent::Column::Id.eq(id.as_uuid()))
            .and_where(integration::Column::TenantId.eq(tenant.as_uuid()))
            .and_where(integration::Column::Id.is_in(to.iter().map(|i| i.as_uuid())))
            .to_owned();
        let mut insert = Query::insert();
        insert
            .into_table(agent_integration::Entity)
            .columns([Column::AgentId, Column::IntegrationId, Column::TenantId])
            .select_from(pairs)
            .map_err(crate::error::backend)?;
        sea_orm::ConnectionTrait::execute(&self.0.conn, &insert)
            .await
            .map_err(db_error(ENTITY))?;
        Ok(())
    }
}

impl SqlAgents<'_> {
    async fn all(&self, select: Select<agent::Entity>) -> Result<Vec<Agent>, StoreError> {
        budgeted(select)
            .all(&self.0.conn)
            .await
            .map_err(db_error(ENTITY))?
            .into_iter()
            .map(|(agent, budget)| agent.with_budget(budget))
            .collect()
    }
}

fn of(tenant: TenantId) -> Select<agent::Entity> {
    agent::Entity::find().filter(agent::Column::TenantId.eq(tenant.as_uuid()))
}

fn budgeted(select: Select<agent::Entity>) -> SelectTwo<agent::Entity, budget::Entity> {
    let own: RelationDef = agent::Entity::belongs_to(budget::Entity)
        .from(agent::Column::Id)
        .to(budget::Column::ScopeId)
        .into();
    select
        .join(JoinType::LeftJoin, own)
        .select_also(budget::Entity)
}
