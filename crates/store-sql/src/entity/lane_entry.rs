//! Work items in lanes; `agent_id` repeats the lane's.

use crate::error::word;
use domain::{
    id::{JobId, LaneEntryId, LaneId, WorkItemId},
    queue::LaneEntry,
};
use ports::store::StoreError;
use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "lane_entries")]
pub(crate) struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub(crate) id: Uuid,
    pub(crate) tenant_id: Uuid,
    pub(crate) lane_id: Uuid,
    pub(crate) agent_id: Uuid,
    pub(crate) work_item_id: Uuid,
    pub(crate) status: String,
    pub(crate) job_id: Option<Uuid>,
    pub(crate) created_at: DateTimeUtc,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub(crate) enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

impl TryFrom<Model> for LaneEntry {
    type Error = StoreError;

    fn try_from(row: Model) -> Result<Self, StoreError> {
        Ok(Self {
            id: LaneEntryId::from_uuid(row.id),
            lane_id: LaneId::from_uuid(row.lane_id),
            work_item_id: WorkItemId::from_uuid(row.work_item_id),
            status: word("lane entry", "status", &row.status)?,
            job_id: row.job_id.map(JobId::from_uuid),
            created_at: row.created_at,
        })
    }
}
