//! Uses of tools.

use crate::error::{json, to_json, word};
use domain::{
    id::{JobId, MessageId, TenantId, ToolCallId},
    message::ToolCall,
};
use ports::store::StoreError;
use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "tool_calls")]
pub(crate) struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub(crate) id: Uuid,
    pub(crate) tenant_id: Uuid,
    pub(crate) job_id: Uuid,
    pub(crate) message_id: Uuid,
    pub(crate) position: i32,
    pub(crate) provider_call_id: String,
    pub(crate) name: String,
    #[sea_orm(column_type = "JsonBinary")]
    pub(crate) arguments: Json,
    pub(crate) status: String,
    pub(crate) result: Option<String>,
    #[sea_orm(column_type = "JsonBinary")]
    pub(crate) detail: Option<Json>,
    pub(crate) started_at: DateTimeUtc,
    pub(crate) finished_at: Option<DateTimeUtc>,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub(crate) enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

impl TryFrom<&ToolCall> for Model {
    type Error = StoreError;

    fn try_from(call: &ToolCall) -> Result<Self, StoreError> {
        Ok(Self {
            id: call.id.as_uuid(),
            tenant_id: call.tenant_id.as_uuid(),
            job_id: call.job_id.as_uuid(),
            message_id: call.message_id.as_uuid(),
            position: call.position,
            provider_call_id: call.provider_call_id.clone(),
            name: call.name.clone(),
            arguments: to_json(&call.arguments)?,
            status: call.status.as_str().to_owned(),
            result: call.result.clone(),
            detail: call.detail.clone(),
            started_at: call.started_at,
            finished_at: call.finished_at,
        })
    }
}

impl TryFrom<Model> for ToolCall {
    type Error = StoreError;

    fn try_from(row: Model) -> Result<Self, StoreError> {
        Ok(Self {
            id: ToolCallId::from_uuid(row.id),
            tenant_id: TenantId::from_uuid(row.tenant_id),
            job_id: JobId::from_uuid(row.job_id),
            message_id: MessageId::from_uuid(row.message_id),
            position: row.position,
            provider_call_id: row.provider_call_id,
            name: row.name,
            arguments: json("tool call", "arguments", row.arguments)?,
            status: word("tool call", "status", &row.status)?,
            result: row.result,
            detail: row.detail,
            started_at: row.started_at,
            finished_at: row.finished_at,
        })
    }
}
