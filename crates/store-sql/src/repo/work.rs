//! Work items and decisions; ingest makes the items.

use crate::{
    entity::{decision, effect, job, lane_entry, work_item},
    error::{db_error, word},
    hidden, ingest,
    query::{anywhere, insert, narrow, page},
    tx::SqlTx,
};
use async_trait::async_trait;
use domain::{
    Timestamp,
    access::Hidden,
    effect::{EffectStatus, REPLY_SLOT},
    id::{ConversationId, IntegrationId, JobId, TenantId, WorkItemId},
    job::JobStatus,
    page::{Page, PageRequest},
    work::{Decision, LaneOutcome, STOPPED, Verdict, WITHDRAWN, WorkItem, WorkItemStatus, outcome},
};
use ports::{
    ingest::{Accept, Accepted},
    store::{StoreError, WorkFilter, WorkRepository},
};
use sea_orm::{
    ColumnTrait, EntityTrait, FromQueryResult, IntoSimpleExpr, JoinType, QueryFilter, QueryOrder,
    QuerySelect, RelationDef, Select,
    sea_query::{Expr, ExprTrait, IntoCondition, LockType},
};
use uuid::Uuid;

const ENTITY: &str = "work item";

pub(crate) struct SqlWork<'t>(pub(crate) &'t SqlTx);

#[async_trait]
impl WorkRepository for SqlWork<'_> {
    async fn ingest(&self, batch: &[Accept], now: Timestamp) -> Result<Vec<Accepted>, StoreError> {
        ingest::ingest(self.0, now, batch).await
    }

    async fn find(&self, tenant: TenantId, id: WorkItemId) -> Result<Option<WorkItem>, StoreError> {
        of(tenant)
            .filter(work_item::Column::Id.eq(id.as_uuid()))
            .all(&self.0.conn)
            .await
            .map_err(db_error(ENTITY))?
            .pop()
            .map(WorkItem::try_from)
            .transpose()
    }

    async fn is_hidden(
        &self,
        tenant: TenantId,
        id: WorkItemId,
        hidden: &Hidden,
    ) -> Result<bool, StoreError> {
        let seen = of(tenant)
            .filter(work_item::Column::Id.eq(id.as_uuid()))
            .filter(hidden::items(hidden))
            .all(&self.0.conn)
            .await
            .map_err(db_error(ENTITY))?;
        Ok(seen.is_empty())
    }

    async fn list(
        &self,
        tenant: TenantId,
        filter: &WorkFilter,
        request: PageRequest,
    ) -> Result<Page<WorkItem>, StoreError> {
        let mut select = narrow(
            of(tenant),
            work_item::Column::IntegrationId,
            filter.integration_id.map(IntegrationId::as_uuid),
        );
        select = narrow(
            select,
            work_item::Column::ConversationId,
            filter.conversation_id.map(ConversationId::as_uuid),
        );
        if let Some(status) = filter.status {
            select = select.filter(work_item::Column::Status.eq(status.as_str()));
        }
        if let Some(text) = &filter.text {
            let text = anywhere(&text.to_lowercase());
            select = select.filter(work_item::Column::Text.into_simple_expr().like(text));
        }
        select = select.filter(hidden::items(&filter.hidden));
        if let Some(agent) = filter.agent_id {
            let theirs = lane_entry::Column::AgentId.eq(agent.as_uuid());
            // Joined, SQLite would sort all of the agent's items for every page.
            select = select.filter(Expr::exists(hidden::entries(theirs)));
        }
        let items = page(select, work_item::Column::Id, request)
            .all(&self.0.conn)
            .await
            .map_err(db_error(ENTITY))?
            .into_iter()
            .map(WorkItem::try_from)
            .collect::<Result<Vec<_>, _>>()?;
        Ok(Page::from_overfetch(items, request.limit, |i| {
            i.id.as_uuid()
        }))
    }

    async fn lanes(
        &self,
        tenant: TenantId,
        id: WorkItemId,
    ) -> Result<Vec<LaneOutcome>, StoreError> {
        self.standings(tenant, id)
            .await?
            .iter()
            .map(LaneOutcome::try_from)
            .collect()
    }

    async fn settle(
        &self,
        tenant: TenantId,
        id: WorkItemId,
        reason: Option<&str>,
        now: Timestamp,
    ) -> Result<WorkItemStatus, StoreError> {
        use work_item::Column;
        let before = self.lock(tenant, id).await?;
        let standings = self.standings(tenant, id).await?;
        let lanes: Vec<LaneOutcome> = standings
            .iter()
            .map(LaneOutcome::try_from)
            .collect::<Result<_, _>>()?;
        let status = outcome(&lanes);
        let reason = match status {
            // Whoever calls may be a lane that passed: what failed speaks for itself.
            WorkItemStatus::Failed => lanes
                .iter()
                .zip(standings)
                .find_map(|(lane, standing)| standing.why(lane))
                .or(reason.map(str::to_owned)),
            WorkItemStatus::Passed => reason.map(str::to_owned),
            WorkItemStatus::Open | WorkItemStatus::Replied => None,
        };
        let closed_at = match status {
            WorkItemStatus::Open => Expr::value(None::<Timestamp>),
            WorkItemStatus::Replied | WorkItemStatus::Passed | WorkItemStatus::Failed => {
                Expr::col(Column::ClosedAt).if_null(now)
            }
        };
        let reason = match (status, reason) {
            (WorkItemStatus::Open | WorkItemStatus::Replied, _) => Expr::value(None::<&str>),
            (WorkItemStatus::Passed | WorkItemStatus::Failed, Some(reason)) => Expr::value(reason),
            (WorkItemStatus::Passed | WorkItemStatus::Failed, None) => Expr::col(Column::Reason),
        };
        work_item::Entity::update_many()
            .col_expr(Column::Status, Expr::value(status.as_str()))
            .col_expr(Column::Reason, reason)
            .col_expr(Column::ClosedAt, closed_at)
            .filter(Column::Id.eq(id.as_uuid()))
            .filter(Column::TenantId.eq(tenant.as_uuid()))
            .exec(&self.0.conn)
            .await
            .map_err(db_error(ENTITY))?;
        if before.as_deref() != Some(status.as_str()) {
            self.changed(tenant);
        }
        Ok(status)
    }

    async fn bots(
        &self,
        tenant: TenantId,
        item: &WorkItem,
        limit: u32,
    ) -> Result<Vec<bool>, StoreError> {
        let bots: Vec<Option<String>> = until(tenant, item)
            .limit(u64::from(limit))
            .select_only()
            .column(work_item::Column::Bot)
            .into_tuple()
            .all(&self.0.conn)
            .await
            .map_err(db_error(ENTITY))?;
        Ok(bots.iter().map(Option::is_some).collect())
    }

    async fn bot_arrivals(
        &self,
        tenant: TenantId,
        item: &WorkItem,
        since: Timestamp,
        limit: u32,
    ) -> Result<Vec<Timestamp>, StoreError> {
        use work_item::Column;
        let arrivals: Vec<Timestamp> = until(tenant, item)
            .filter(Column::Bot.eq(item.message.sender.external_id.as_str()))
            .limit(u64::from(limit))
            .select_only()
            .column(Column::CreatedAt)
            .into_tuple()
            .all(&self.0.conn)
            .await
            .map_err(db_error(ENTITY))?;
        Ok(arrivals.into_iter().take_while(|at| *at >= since).collect())
    }

    async fn insert_decision(&self, decision: &Decision) -> Result<(), StoreError> {
        insert(&self.0.conn, decision::Model::from(decision))
            .await
            .map_err(db_error("decision"))?;
        // One that acts comes with a job, whose events say so.
        if decision.verdict == Verdict::Pass {
            self.changed(decision.tenant_id);
        }
        Ok(())
    }

    async fn decisions(
        &self,
        tenant: TenantId,
        id: WorkItemId,
    ) -> Result<Vec<Decision>, StoreError> {
        decision::Entity::find()
            .filter(decision::Column::WorkItemId.eq(id.as_uuid()))
            .filter(decision::Column::TenantId.eq(tenant.as_uuid()))
            .order_by_asc(decision::Column::Id)
            .all(&self.0.conn)
            .await
            .map_err(db_error("decision"))?
            .into_iter()
            .map(Decision::try_from)
            .collect()
    }
}

impl SqlWork<'_> {
    fn changed(&self, tenant: TenantId) {
        self.0.note(|c| {
            c.work.insert(tenant);
        });
    }

    /// Of two lanes that end at the same moment, the second must see how the first one did. Says how the item
    /// stood until now.
    async fn lock(&self, tenant: TenantId, id: WorkItemId) -> Result<Option<String>, StoreError> {
        let statuses: Vec<String> = of(tenant)
            .filter(work_item::Column::Id.eq(id.as_uuid()))
            .select_only()
            .column(work_item::Column::Status)
            .lock(LockType::NoKeyUpdate)
            .into_tuple()
            .all(&self.0.conn)
            .await
            .map_err(db_error(ENTITY))?;
        Ok(statuses.into_iter().next())
    }

    async fn standings(
        &self,
        tenant: TenantId,
        id: WorkItemId,
    ) -> Result<Vec<Standing>, StoreError> {
        let taken: RelationDef = lane_entry::Entity::belongs_to(job::Entity)
            .from(lane_entry::Column::JobId)
            .to(job::Column::Id)
            .into();
        let reply: RelationDef = lane_entry::Entity::belongs_to(effect::Entity)
            .from(lane_entry::Column::JobId)
            .to(effect::Column::JobId)
            .on_condition(|_, effect| {
                Expr::col((effect, effect::Column::Slot))
                    .eq(REPLY_SLOT)
                    .into_condition()
            })
            .into();
        lane_entry::Entity::find()
            .select_only()
            .column_as(lane_entry::Column::Status, "entry")
            .column_as(lane_entry::Column::JobId, "job")
            .column_as(job::Column::Status, "job_status")
            .column_as(effect::Column::Status, "reply")
            .column_as(job::Column::FailureMessage, "failure")
            .column_as(effect::Column::Detail, "detail")
            .join(JoinType::LeftJoin, taken)
            .join(JoinType::LeftJoin, reply)
            .filter(lane_entry::Column::WorkItemId.eq(id.as_uuid()))
            .filter(lane_entry::Column::TenantId.eq(tenant.as_uuid()))
            .order_by_asc(lane_entry::Column::Id)
            .into_model::<Standing>()
            .all(&self.0.conn)
            .await
            .map_err(db_error("lane entry"))
    }
}

#[derive(FromQueryResult)]
struct Standing {
    entry: String,
    job: Option<Uuid>,
    job_status: Option<String>,
    reply: Option<String>,
    /// What the job says of its failure.
    failure: Option<String>,
    /// What was last said of the reply.
    detail: Option<String>,
}

impl Standing {
    /// Why a lane that failed did so, as far as its rows tell.
    fn why(self, lane: &LaneOutcome) -> Option<String> {
        match (lane.job_status, lane.reply) {
            (Some(JobStatus::Failed), _) => self.failure,
            (Some(JobStatus::Cancelled), _) => Some(STOPPED.to_owned()),
            (Some(JobStatus::Completed), Some(EffectStatus::Failed)) => self.detail,
            (Some(JobStatus::Completed), Some(EffectStatus::Cancelled)) => {
                self.detail.or_else(|| Some(WITHDRAWN.to_owned()))
            }
            _ => None,
        }
    }
}

impl TryFrom<&Standing> for LaneOutcome {
    type Error = StoreError;

    fn try_from(row: &Standing) -> Result<Self, StoreError> {
        Ok(Self {
            entry: word("lane entry", "status", &row.entry)?,
            job: row.job.map(JobId::from_uuid),
            job_status: row
                .job_status
                .as_deref()
                .map(|status| word("job", "status", status))
                .transpose()?,
            reply: row
                .reply
                .as_deref()
                .map(|status| word("effect", "status", status))
                .transpose()?,
        })
    }
}

fn of(tenant: TenantId) -> Select<work_item::Entity> {
    work_item::Entity::find().filter(work_item::Column::TenantId.eq(tenant.as_uuid()))
}

/// The items of an item's conversation up to it, newest first.
fn until(tenant: TenantId, item: &WorkItem) -> Select<work_item::Entity> {
    use work_item::Column;
    of(tenant)
        .filter(Column::ConversationId.eq(item.conversation_id.as_uuid()))
        .filter(Column::Id.lte(item.id.as_uuid()))
        .order_by_desc(Column::Id)
}
