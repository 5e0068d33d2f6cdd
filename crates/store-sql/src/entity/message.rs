//! Transcripts.

use crate::error::{json, to_json, word};
use domain::{
    id::{JobId, MessageId, TenantId},
    message::Message,
};
use ports::store::StoreError;
use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "messages")]
pub(crate) struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub(crate) id: Uuid,
    pub(crate) tenant_id: Uuid,
    pub(crate) job_id: Uuid,
    pub(crate) seq: i64,
    pub(crate) role: String,
    #[sea_orm(column_type = "JsonBinary")]
    pub(crate) parts: Json,
    pub(crate) created_at: DateTimeUtc,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub(crate) enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

impl TryFrom<&Message> for Model {
    type Error = StoreError;

    fn try_from(message: &Message) -> Result<Self, StoreError> {
        Ok(Self {
            id: message.id.as_uuid(),
            tenant_id: message.tenant_id.as_uuid(),
            job_id: message.job_id.as_uuid(),
            seq: message.seq,
            role: message.role.as_str().to_owned(),
            parts: to_json(&message.parts)?,
            created_at: message.created_at,
        })
    }
}

impl TryFrom<Model> for Message {
    type Error = StoreError;

    fn try_from(row: Model) -> Result<Self, StoreError> {
        Ok(Self {
            id: MessageId::from_uuid(row.id),
            tenant_id: TenantId::from_uuid(row.tenant_id),
            job_id: JobId::from_uuid(row.job_id),
            seq: row.seq,
            role: word("message", "role", &row.role)?,
            parts: json("message", "parts", row.parts)?,
            created_at: row.created_at,
        })
    }
}
