//! Stored events.

use crate::error::word;
use domain::{
    event::JobEvent,
    id::{JobId, TenantId},
};
use ports::store::StoreError;
use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "job_events")]
pub(crate) struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub(crate) job_id: Uuid,
    #[sea_orm(primary_key, auto_increment = false)]
    pub(crate) seq: i64,
    pub(crate) tenant_id: Uuid,
    pub(crate) feed_seq: i64,
    pub(crate) kind: String,
    #[sea_orm(column_type = "JsonBinary")]
    pub(crate) payload: Json,
    pub(crate) created_at: DateTimeUtc,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub(crate) enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

impl From<&JobEvent> for Model {
    fn from(event: &JobEvent) -> Self {
        Self {
            job_id: event.job_id.as_uuid(),
            seq: event.seq,
            tenant_id: event.tenant_id.as_uuid(),
            feed_seq: event.feed_seq,
            kind: event.kind.as_str().to_owned(),
            payload: event.payload.clone(),
            created_at: event.created_at,
        }
    }
}

impl TryFrom<Model> for JobEvent {
    type Error = StoreError;

    fn try_from(row: Model) -> Result<Self, StoreError> {
        Ok(Self {
            tenant_id: TenantId::from_uuid(row.tenant_id),
            job_id: JobId::from_uuid(row.job_id),
            seq: row.seq,
            feed_seq: row.feed_seq,
            kind: word("event", "kind", &row.kind)?,
            payload: row.payload,
            created_at: row.created_at,
        })
    }
}
