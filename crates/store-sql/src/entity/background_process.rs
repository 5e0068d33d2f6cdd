//! Commands that outlive their job.

use crate::error::word;
use domain::{
    id::{AgentId, BackgroundProcessId, ConversationId, JobId, TenantId},
    sprite::BackgroundProcess,
};
use ports::store::StoreError;
use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "background_processes")]
pub(crate) struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub(crate) id: Uuid,
    pub(crate) tenant_id: Uuid,
    pub(crate) agent_id: Uuid,
    pub(crate) conversation_id: Uuid,
    pub(crate) job_id: Uuid,
    pub(crate) process: Option<String>,
    pub(crate) command: String,
    pub(crate) status: String,
    pub(crate) exit_code: Option<i32>,
    pub(crate) output: Option<String>,
    pub(crate) created_at: DateTimeUtc,
    pub(crate) ended_at: Option<DateTimeUtc>,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub(crate) enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

impl From<&BackgroundProcess> for Model {
    fn from(process: &BackgroundProcess) -> Self {
        Self {
            id: process.id.as_uuid(),
            tenant_id: process.tenant_id.as_uuid(),
            agent_id: process.agent_id.as_uuid(),
            conversation_id: process.conversation_id.as_uuid(),
            job_id: process.job_id.as_uuid(),
            process: process.process.clone(),
            command: process.command.clone(),
            status: process.status.as_str().to_owned(),
            exit_code: process.exit_code,
            output: process.output.clone(),
            created_at: process.created_at,
            ended_at: process.ended_at,
        }
    }
}

impl TryFrom<Model> for BackgroundProcess {
    type Error = StoreError;

    fn try_from(row: Model) -> Result<Self, StoreError> {
        Ok(Self {
            id: BackgroundProcessId::from_uuid(row.id),
            tenant_id: TenantId::from_uuid(row.tenant_id),
            agent_id: AgentId::from_uuid(row.agent_id),
            conversation_id: ConversationId::from_uuid(row.conversation_id),
            job_id: JobId::from_uuid(row.job_id),
            process: row.process,
            command: row.command,
            status: word("background process", "status", &row.status)?,
            exit_code: row.exit_code,
            output: row.output,
            created_at: row.created_at,
            ended_at: row.ended_at,
        })
    }
}
