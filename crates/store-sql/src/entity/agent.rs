//! Agents; their daily limit is in the budgets table.

use super::budget;
use crate::error::{corrupt, json, word};
use domain::{
    agent::{Agent, AgentName},
    id::{AgentId, TenantId},
    model::ModelRef,
};
use ports::store::StoreError;
use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "agents")]
pub(crate) struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub(crate) id: Uuid,
    pub(crate) tenant_id: Uuid,
    pub(crate) name: String,
    pub(crate) name_key: String,
    pub(crate) model: Option<String>,
    pub(crate) instructions: String,
    pub(crate) enabled: bool,
    pub(crate) reply_policy: String,
    pub(crate) steering: String,
    #[sea_orm(column_type = "JsonBinary")]
    pub(crate) loop_limits: Json,
    #[sea_orm(column_type = "JsonBinary", nullable)]
    pub(crate) tools: Option<Json>,
    #[sea_orm(column_type = "JsonBinary", nullable)]
    pub(crate) approvers: Option<Json>,
    pub(crate) created_at: DateTimeUtc,
    pub(crate) updated_at: DateTimeUtc,
    pub(crate) archived_at: Option<DateTimeUtc>,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub(crate) enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

impl From<&Agent> for Model {
    fn from(agent: &Agent) -> Self {
        Self {
            id: agent.id.as_uuid(),
            tenant_id: agent.tenant_id.as_uuid(),
            name: agent.name.to_string(),
            name_key: agent.name.as_str().to_lowercase(),
            model: agent.model.as_ref().map(ModelRef::to_string),
            instructions: agent.instructions.clone(),
            enabled: agent.enabled,
            reply_policy: agent.reply_policy.as_str().to_owned(),
            steering: agent.steering.as_str().to_owned(),
            loop_limits: serde_json::json!(agent.loop_limits),
            tools: agent.tools.as_ref().map(|tools| serde_json::json!(tools)),
            approvers: Some(serde_json::json!(agent.approvers)),
            created_at: agent.created_at,
            updated_at: agent.updated_at,
            archived_at: agent.archived_at,
        }
    }
}

impl Model {
    /// The agent, given its daily budget.
    pub(crate) fn with_budget(self, budget: Option<budget::Model>) -> Result<Agent, StoreError> {
        let budget =
            budget.ok_or_else(|| corrupt("agent", "budget", "the row is missing".into()))?;
        Ok(Agent {
            id: AgentId::from_uuid(self.id),
            tenant_id: TenantId::from_uuid(self.tenant_id),
            name: AgentName::parse(&self.name)
                .map_err(|error| corrupt("agent", "name", error.into()))?,
            model: self
                .model
                .map(|model| ModelRef::parse(&model))
                .transpose()
                .map_err(|error| corrupt("agent", "model", error.into()))?,
            instructions: self.instructions,
            enabled: self.enabled,
            reply_policy: word("agent", "reply_policy", &self.reply_policy)?,
            steering: word("agent", "steering", &self.steering)?,
            loop_limits: json("agent", "loop_limits", self.loop_limits)?,
            tools: self
                .tools
                .map(|tools| json("agent", "tools", tools))
                .transpose()?,
            approvers: self
                .approvers
                .map(|approvers| json("agent", "approvers", approvers))
                .transpose()?
                .unwrap_or_default(),
            daily_budget: budget.limit()?,
            created_at: self.created_at,
            updated_at: self.updated_at,
            archived_at: self.archived_at,
        })
    }
}
