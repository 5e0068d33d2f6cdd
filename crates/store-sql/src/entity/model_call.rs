//! Calls of models.

use crate::error::{corrupt, word};
use domain::{
    budget::Micros,
    id::{AgentId, JobId, ModelCallId, TenantId, WorkItemId},
    model::{ModelCall, ModelRef, Usage},
};
use ports::store::StoreError;
use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "model_calls")]
pub(crate) struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub(crate) id: Uuid,
    pub(crate) tenant_id: Uuid,
    pub(crate) work_item_id: Uuid,
    pub(crate) agent_id: Uuid,
    pub(crate) job_id: Option<Uuid>,
    pub(crate) purpose: String,
    pub(crate) model: String,
    pub(crate) status: String,
    pub(crate) reserved_micros: i64,
    pub(crate) cost_micros: i64,
    pub(crate) input_tokens: i64,
    pub(crate) output_tokens: i64,
    pub(crate) cache_read_tokens: i64,
    pub(crate) cache_write_tokens: i64,
    pub(crate) outcome: Option<String>,
    pub(crate) started_at: DateTimeUtc,
    pub(crate) finished_at: Option<DateTimeUtc>,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub(crate) enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

impl From<(&ModelCall, AgentId)> for Model {
    fn from((call, agent): (&ModelCall, AgentId)) -> Self {
        Self {
            id: call.id.as_uuid(),
            tenant_id: call.tenant_id.as_uuid(),
            work_item_id: call.work_item_id.as_uuid(),
            agent_id: agent.as_uuid(),
            job_id: call.job_id.map(JobId::as_uuid),
            purpose: call.purpose.as_str().to_owned(),
            model: call.model.to_string(),
            status: call.status.as_str().to_owned(),
            reserved_micros: call.reserved.0,
            cost_micros: call.cost.0,
            input_tokens: call.usage.input,
            output_tokens: call.usage.output,
            cache_read_tokens: call.usage.cache_read,
            cache_write_tokens: call.usage.cache_write,
            outcome: call.outcome.clone(),
            started_at: call.started_at,
            finished_at: call.finished_at,
        }
    }
}

impl TryFrom<Model> for ModelCall {
    type Error = StoreError;

    fn try_from(row: Model) -> Result<Self, StoreError> {
        Ok(Self {
            id: ModelCallId::from_uuid(row.id),
            tenant_id: TenantId::from_uuid(row.tenant_id),
            work_item_id: WorkItemId::from_uuid(row.work_item_id),
            job_id: row.job_id.map(JobId::from_uuid),
            purpose: word("model call", "purpose", &row.purpose)?,
            model: ModelRef::parse(&row.model)
                .map_err(|error| corrupt("model call", "model", error.into()))?,
            status: word("model call", "status", &row.status)?,
            reserved: Micros(row.reserved_micros),
            cost: Micros(row.cost_micros),
            usage: Usage {
                input: row.input_tokens,
                output: row.output_tokens,
                cache_read: row.cache_read_tokens,
                cache_write: row.cache_write_tokens,
            },
            outcome: row.outcome,
            started_at: row.started_at,
            finished_at: row.finished_at,
        })
    }
}
