//! Who sees what: the agents that a batch of deliveries concerns, found with one statement.

use super::Delivery;
use crate::{
    entity::{agent, agent_integration, integration},
    error::{backend, db_error},
    tx::SqlTx,
};
use domain::id::{AgentId, IntegrationId};
use ports::{ingest::Accept, store::StoreError};
use sea_orm::{
    ColumnTrait, ConnectionTrait, FromQueryResult,
    sea_query::{Alias, Condition, Expr, ExprTrait, Order, Query},
};
use std::collections::{BTreeSet, HashMap};
use uuid::Uuid;

/// The integrations of a batch, each with the agents that may get work from it.
pub(super) struct Sight(HashMap<IntegrationId, Seen>);

struct Seen {
    channel: String,
    /// Enabled agents that see the integration (`true`) or are only handed work by name.
    agents: Vec<(AgentId, bool)>,
}

#[derive(FromQueryResult)]
struct Row {
    integration: Uuid,
    channel: String,
    agent: Option<Uuid>,
    sees: bool,
}

impl Sight {
    /// Looks at the integrations of these deliveries.
    pub(super) async fn of(tx: &SqlTx, fresh: &[Delivery<'_>]) -> Result<Self, StoreError> {
        let integrations: BTreeSet<_> = fresh
            .iter()
            .map(|delivery| delivery.accept.integration_id.as_uuid())
            .collect();
        let named: BTreeSet<_> = fresh
            .iter()
            .flat_map(|delivery| &delivery.accept.assigned)
            .map(|agent| agent.as_uuid())
            .collect();
        let rows = tx
            .conn
            .query_all(&query(integrations, named))
            .await
            .map_err(db_error("integration"))?;
        let mut sight = Self(HashMap::new());
        for row in rows {
            let row = Row::from_query_result(&row, "").map_err(db_error("integration"))?;
            let seen = sight
                .0
                .entry(IntegrationId::from_uuid(row.integration))
                .or_insert_with(|| Seen {
                    channel: row.channel,
                    agents: Vec::new(),
                });
            if let Some(agent) = row.agent {
                seen.agents.push((AgentId::from_uuid(agent), row.sees));
            }
        }
        Ok(sight)
    }

    /// The type of channel of an integration.
    pub(super) fn channel(&self, integration: IntegrationId) -> Result<&str, StoreError> {
        self.0
            .get(&integration)
            .map(|seen| seen.channel.as_str())
            .ok_or_else(|| backend("a delivery names an integration that does not exist"))
    }

    /// The agents that get the delivery, oldest first.
    pub(super) fn agents<'s>(&'s self, accept: &'s Accept) -> impl Iterator<Item = AgentId> + 's {
        let seen = self.0.get(&accept.integration_id);
        seen.into_iter()
            .flat_map(|seen| &seen.agents)
            .filter(|(agent, sees)| {
                if accept.except.contains(agent) {
                    false
                } else if accept.assigned.is_empty() {
                    *sees
                } else {
                    accept.assigned.contains(agent)
                }
            })
            .map(|(agent, _)| *agent)
    }
}

fn query(
    integrations: BTreeSet<Uuid>,
    named: BTreeSet<Uuid>,
) -> sea_orm::sea_query::SelectStatement {
    let agents = |column: agent::Column| Expr::col((agent::Entity, column));
    let integrations_col = |column: integration::Column| Expr::col((integration::Entity, column));
    let listed = Query::select()
        .expr(Expr::value(1))
        .from(agent_integration::Entity)
        .and_where(
            agent_integration::Column::AgentId
                .into_expr()
                .equals((agent::Entity, agent::Column::Id)),
        )
        .and_where(
            agent_integration::Column::IntegrationId
                .into_expr()
                .equals((integration::Entity, integration::Column::Id)),
        )
        .to_owned();
    let sees = integrations_col(integration::Column::AllAgents)
        .and(agents(agent::Column::Id).is_not_null())
        .or(Expr::exists(listed));
    let concerned = Condition::all()
        .add(
            agents(agent::Column::TenantId)
                .equals((integration::Entity, integration::Column::TenantId)),
        )
        .add(agents(agent::Column::Enabled).eq(true))
        .add(agents(agent::Column::ArchivedAt).is_null())
        .add(integrations_col(integration::Column::DeletedAt).is_null())
        .add(
            Condition::any()
                .add(sees.clone())
                .add_option((!named.is_empty()).then(|| agents(agent::Column::Id).is_in(named))),
        );
    Query::select()
        .expr_as(
            integrations_col(integration::Column::Id),
            Alias::new("integration"),
        )
        .expr_as(
            integrations_col(integration::Column::Channel),
            Alias::new("channel"),
        )
        .expr_as(agents(agent::Column::Id), Alias::new("agent"))
        .expr_as(sees, Alias::new("sees"))
        .from(integration::Entity)
        .left_join(agent::Entity, concerned)
        .and_where(integrations_col(integration::Column::Id).is_in(integrations))
        .order_by((agent::Entity, agent::Column::Id), Order::Asc)
        .to_owned()
}
