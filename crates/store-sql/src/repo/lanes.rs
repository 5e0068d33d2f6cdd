//! Lanes and the work items that wait in them.

use crate::{
    entity::{job, lane, lane_entry, work_item},
    error::{corrupt, db_error},
    query::{is, is_any},
    repo::jobs::UNFINISHED,
    tx::SqlTx,
};
use async_trait::async_trait;
use domain::{
    Timestamp,
    id::{JobId, LaneEntryId, LaneId, TenantId, WorkItemId},
    job::{Job, JobStatus},
    queue::{EntryStatus, Fence, Lane, LaneEntry},
    work::WorkItem,
};
use ports::store::{LaneRepository, QueuedItem, StoreError};
use sea_orm::{
    ColumnTrait, EntityTrait, JoinType, QueryFilter, QueryOrder, QuerySelect, RelationDef, Select,
    UpdateMany,
    sea_query::{CaseStatement, Expr, ExprTrait, Query, SelectStatement},
};
use uuid::Uuid;

const LANE: &str = "lane";
const ENTRY: &str = "lane entry";

/// Jobs that a worker can go on with.
const GOES_ON: [&str; 2] = [JobStatus::Queued.as_str(), JobStatus::Running.as_str()];

pub(crate) struct SqlLanes<'t>(pub(crate) &'t SqlTx);

#[async_trait]
impl LaneRepository for SqlLanes<'_> {
    async fn lock(&self, tenant: TenantId, id: LaneId) -> Result<Option<Lane>, StoreError> {
        let mut rows = lane::Entity::find_by_id(id.as_uuid())
            .filter(lane::Column::TenantId.eq(tenant.as_uuid()))
            .lock_exclusive()
            .all(&self.0.conn)
            .await
            .map_err(db_error(LANE))?;
        Ok(rows.pop().map(Lane::from))
    }

    async fn queued(
        &self,
        tenant: TenantId,
        id: LaneId,
        limit: u32,
    ) -> Result<Vec<QueuedItem>, StoreError> {
        let what: RelationDef = lane_entry::Entity::belongs_to(work_item::Entity)
            .from(lane_entry::Column::WorkItemId)
            .to(work_item::Column::Id)
            .into();
        entries(tenant)
            .filter(lane_entry::Column::LaneId.eq(id.as_uuid()))
            .filter(is(lane_entry::Column::Status, EntryStatus::Queued.as_str()))
            .order_by_asc(lane_entry::Column::Id)
            .limit(u64::from(limit))
            .join(JoinType::InnerJoin, what)
            .select_also(work_item::Entity)
            .all(&self.0.conn)
            .await
            .map_err(db_error(ENTRY))?
            .into_iter()
            .map(|(entry, item)| {
                let item =
                    item.ok_or_else(|| corrupt(ENTRY, "work_item_id", "no such item".into()))?;
                Ok(QueuedItem {
                    entry: LaneEntry::try_from(entry)?,
                    item: WorkItem::try_from(item)?,
                })
            })
            .collect()
    }

    async fn head(&self, tenant: TenantId, id: LaneId) -> Result<Option<Job>, StoreError> {
        job::Entity::find()
            .filter(job::Column::LaneId.eq(id.as_uuid()))
            .filter(job::Column::TenantId.eq(tenant.as_uuid()))
            .filter(is_any(job::Column::Status, &UNFINISHED))
            .order_by_asc(job::Column::Id)
            .all(&self.0.conn)
            .await
            .map_err(db_error("job"))?
            .into_iter()
            .next()
            .map(Job::try_from)
            .transpose()
    }

    async fn entry(
        &self,
        tenant: TenantId,
        id: LaneId,
        item: WorkItemId,
    ) -> Result<Option<LaneEntry>, StoreError> {
        entries(tenant)
            .filter(lane_entry::Column::LaneId.eq(id.as_uuid()))
            .filter(lane_entry::Column::WorkItemId.eq(item.as_uuid()))
            .all(&self.0.conn)
            .await
            .map_err(db_error(ENTRY))?
            .pop()
            .map(LaneEntry::try_from)
            .transpose()
    }

    async fn set_entry(
        &self,
        tenant: TenantId,
        entry: LaneEntryId,
        status: EntryStatus,
        job: Option<JobId>,
    ) -> Result<(), StoreError> {
        use lane_entry::Column;
        lane_entry::Entity::update_many()
            .col_expr(Column::Status, Expr::value(status.as_str()))
            .col_expr(Column::JobId, Expr::value(job.map(JobId::as_uuid)))
            .filter(Column::Id.eq(entry.as_uuid()))
            .filter(Column::TenantId.eq(tenant.as_uuid()))
            .exec(&self.0.conn)
            .await
            .map_err(db_error(ENTRY))?;
        Ok(())
    }

    async fn finish_entries(
        &self,
        tenant: TenantId,
        job: JobId,
    ) -> Result<Vec<WorkItemId>, StoreError> {
        use lane_entry::Column;
        let taken = [
            EntryStatus::Running.as_str(),
            EntryStatus::Absorbed.as_str(),
        ];
        let mut done = lane_entry::Entity::update_many()
            .col_expr(Column::Status, Expr::value(EntryStatus::Done.as_str()))
            .filter(Column::JobId.eq(job.as_uuid()))
            .filter(Column::TenantId.eq(tenant.as_uuid()))
            .filter(is_any(Column::Status, &taken))
            .exec_with_returning(&self.0.conn)
            .await
            .map_err(db_error(ENTRY))?;
        done.sort_unstable_by_key(|entry| entry.id);
        Ok(done
            .into_iter()
            .map(|entry| WorkItemId::from_uuid(entry.work_item_id))
            .collect())
    }

    async fn items_of(&self, tenant: TenantId, job: JobId) -> Result<Vec<WorkItemId>, StoreError> {
        let items: Vec<Uuid> = entries(tenant)
            .filter(lane_entry::Column::JobId.eq(job.as_uuid()))
            .order_by_asc(lane_entry::Column::Id)
            .select_only()
            .column(lane_entry::Column::WorkItemId)
            .into_tuple()
            .all(&self.0.conn)
            .await
            .map_err(db_error(ENTRY))?;
        Ok(items.into_iter().map(WorkItemId::from_uuid).collect())
    }

    async fn make_ready(
        &self,
        tenant: TenantId,
        id: LaneId,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        // A lane that is ready already keeps its place among those that wait.
        let ready = this(tenant, id)
            .col_expr(
                lane::Column::ReadyAt,
                Expr::col(lane::Column::ReadyAt).if_null(now),
            )
            .exec(&self.0.conn)
            .await
            .map_err(db_error(LANE))?;
        if ready.rows_affected > 0 {
            self.0.note(|c| c.lanes_ready = true);
        }
        Ok(())
    }

    async fn release(
        &self,
        tenant: TenantId,
        id: LaneId,
        fence: Fence,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        // Kept when it was made ready while it was held: that may have been a wake-up.
        let released = this(tenant, id)
            .col_expr(
                lane::Column::ReadyAt,
                Expr::col(lane::Column::ReadyAt).if_null(ready_again(now)),
            )
            .col_expr(lane::Column::LeaseWorker, Expr::value(None::<Uuid>))
            .filter(lane::Column::Fence.eq(fence.0))
            .filter(lane::Column::LeaseWorker.is_not_null())
            .exec_with_returning(&self.0.conn)
            .await
            .map_err(db_error(LANE))?;
        if released.iter().any(|lane| lane.ready_at.is_some()) {
            self.0.note(|c| c.lanes_ready = true);
        }
        Ok(())
    }
}

/// When the lane that the statement around this is about can be claimed again: at once when there is
/// something a worker can do. Entries behind a job that waits are nothing of the kind: a worker would
/// only claim the lane and give it up, again and again.
pub(crate) fn ready_again(now: Timestamp) -> CaseStatement {
    let goes_on = is_any(job::Column::Status, &GOES_ON);
    let waits = is(job::Column::Status, JobStatus::Waiting.as_str());
    let begins = Expr::exists(queued_in_lane()).and(Expr::exists(job_in_lane(waits)).not());
    CaseStatement::new().case(Expr::exists(job_in_lane(goes_on)).or(begins), now)
}

fn job_in_lane(stands: Expr) -> SelectStatement {
    let of_lane = |column: job::Column, lanes: lane::Column| {
        Expr::col((job::Entity, column)).equals((lane::Entity, lanes))
    };
    Query::select()
        .expr(Expr::value(1))
        .from(job::Entity)
        .and_where(of_lane(job::Column::TenantId, lane::Column::TenantId))
        .and_where(of_lane(job::Column::LaneId, lane::Column::Id))
        // The words of the partial index, which is not used for fewer of them.
        .and_where(is_any(job::Column::Status, &UNFINISHED))
        .and_where(stands)
        .to_owned()
}

fn queued_in_lane() -> SelectStatement {
    Query::select()
        .expr(Expr::value(1))
        .from(lane_entry::Entity)
        .and_where(
            Expr::col((lane_entry::Entity, lane_entry::Column::LaneId))
                .equals((lane::Entity, lane::Column::Id)),
        )
        .and_where(is(lane_entry::Column::Status, EntryStatus::Queued.as_str()))
        .to_owned()
}

fn entries(tenant: TenantId) -> Select<lane_entry::Entity> {
    lane_entry::Entity::find().filter(lane_entry::Column::TenantId.eq(tenant.as_uuid()))
}

fn this(tenant: TenantId, id: LaneId) -> UpdateMany<lane::Entity> {
    lane::Entity::update_many()
        .filter(lane::Column::Id.eq(id.as_uuid()))
        .filter(lane::Column::TenantId.eq(tenant.as_uuid()))
}
