//! Jobs; `event_seq` counts their events, `resumes` how often they were resumed at message `resumed_seq`.

use crate::error::{corrupt, word};
use domain::{
    budget::Micros,
    id::{AgentId, ConversationId, JobId, LaneId, TenantId, WorkItemId},
    job::{Job, JobFailure},
    model::{ModelRef, Usage},
};
use ports::store::StoreError;
use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "jobs")]
pub(crate) struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub(crate) id: Uuid,
    pub(crate) tenant_id: Uuid,
    pub(crate) work_item_id: Uuid,
    pub(crate) agent_id: Uuid,
    pub(crate) lane_id: Uuid,
    pub(crate) conversation_id: Uuid,
    pub(crate) attempt: i32,
    pub(crate) status: String,
    pub(crate) model: String,
    pub(crate) parent_id: Option<Uuid>,
    pub(crate) root_id: Uuid,
    pub(crate) retry_of: Option<Uuid>,
    pub(crate) cancel_requested_at: Option<DateTimeUtc>,
    pub(crate) failure_code: Option<String>,
    pub(crate) failure_message: Option<String>,
    pub(crate) input_tokens: i64,
    pub(crate) output_tokens: i64,
    pub(crate) cache_read_tokens: i64,
    pub(crate) cache_write_tokens: i64,
    pub(crate) cost_micros: i64,
    pub(crate) event_seq: i64,
    pub(crate) resumes: i32,
    pub(crate) resumed_seq: i64,
    pub(crate) created_at: DateTimeUtc,
    pub(crate) started_at: Option<DateTimeUtc>,
    pub(crate) finished_at: Option<DateTimeUtc>,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub(crate) enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

impl From<&Job> for Model {
    fn from(job: &Job) -> Self {
        Self {
            id: job.id.as_uuid(),
            tenant_id: job.tenant_id.as_uuid(),
            work_item_id: job.work_item_id.as_uuid(),
            agent_id: job.agent_id.as_uuid(),
            lane_id: job.lane_id.as_uuid(),
            conversation_id: job.conversation_id.as_uuid(),
            attempt: job.attempt,
            status: job.status.as_str().to_owned(),
            model: job.model.to_string(),
            parent_id: job.parent_id.map(JobId::as_uuid),
            root_id: job.root_id.as_uuid(),
            retry_of: job.retry_of.map(JobId::as_uuid),
            cancel_requested_at: job.cancel_requested_at,
            failure_code: job.failure.as_ref().map(|f| f.code.clone()),
            failure_message: job.failure.as_ref().map(|f| f.message.clone()),
            input_tokens: job.usage.input,
            output_tokens: job.usage.output,
            cache_read_tokens: job.usage.cache_read,
            cache_write_tokens: job.usage.cache_write,
            cost_micros: job.cost.0,
            event_seq: 0,
            resumes: 0,
            resumed_seq: 0,
            created_at: job.created_at,
            started_at: job.started_at,
            finished_at: job.finished_at,
        }
    }
}

impl TryFrom<Model> for Job {
    type Error = StoreError;

    fn try_from(row: Model) -> Result<Self, StoreError> {
        let failure = row.failure_code.map(|code| JobFailure {
            code,
            message: row.failure_message.unwrap_or_default(),
        });
        Ok(Self {
            id: JobId::from_uuid(row.id),
            tenant_id: TenantId::from_uuid(row.tenant_id),
            work_item_id: WorkItemId::from_uuid(row.work_item_id),
            agent_id: AgentId::from_uuid(row.agent_id),
            lane_id: LaneId::from_uuid(row.lane_id),
            conversation_id: ConversationId::from_uuid(row.conversation_id),
            attempt: row.attempt,
            status: word("job", "status", &row.status)?,
            model: ModelRef::parse(&row.model)
                .map_err(|error| corrupt("job", "model", error.into()))?,
            parent_id: row.parent_id.map(JobId::from_uuid),
            root_id: JobId::from_uuid(row.root_id),
            retry_of: row.retry_of.map(JobId::from_uuid),
            cancel_requested_at: row.cancel_requested_at,
            failure,
            usage: Usage {
                input: row.input_tokens,
                output: row.output_tokens,
                cache_read: row.cache_read_tokens,
                cache_write: row.cache_write_tokens,
            },
            cost: Micros(row.cost_micros),
            created_at: row.created_at,
            started_at: row.started_at,
            finished_at: row.finished_at,
        })
    }
}
