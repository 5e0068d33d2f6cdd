//! Why agents acted or did not.

use crate::error::word;
use domain::{
    id::{AgentId, DecisionId, TenantId, WorkItemId},
    work::Decision,
};
use ports::store::StoreError;
use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "decisions")]
pub(crate) struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub(crate) id: Uuid,
    pub(crate) tenant_id: Uuid,
    pub(crate) work_item_id: Uuid,
    pub(crate) agent_id: Uuid,
    pub(crate) verdict: String,
    pub(crate) decided_by: String,
    pub(crate) reason: String,
    pub(crate) created_at: DateTimeUtc,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub(crate) enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

impl From<&Decision> for Model {
    fn from(decision: &Decision) -> Self {
        Self {
            id: decision.id.as_uuid(),
            tenant_id: decision.tenant_id.as_uuid(),
            work_item_id: decision.work_item_id.as_uuid(),
            agent_id: decision.agent_id.as_uuid(),
            verdict: decision.verdict.as_str().to_owned(),
            decided_by: decision.decided_by.as_str().to_owned(),
            reason: decision.reason.clone(),
            created_at: decision.created_at,
        }
    }
}

impl TryFrom<Model> for Decision {
    type Error = StoreError;

    fn try_from(row: Model) -> Result<Self, StoreError> {
        Ok(Self {
            id: DecisionId::from_uuid(row.id),
            tenant_id: TenantId::from_uuid(row.tenant_id),
            work_item_id: WorkItemId::from_uuid(row.work_item_id),
            agent_id: AgentId::from_uuid(row.agent_id),
            verdict: word("decision", "verdict", &row.verdict)?,
            decided_by: word("decision", "decided_by", &row.decided_by)?,
            reason: row.reason,
            created_at: row.created_at,
        })
    }
}
