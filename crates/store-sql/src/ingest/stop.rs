//! Messages that ask a job to stop: it is asked in the commit that takes the message in, for the message
//! itself waits until the job is over.

use super::{LaneKey, Queued};
use crate::{
    entity::job,
    error::db_error,
    query::is_any,
    repo::jobs::{UNFINISHED, ask_to_stop},
    tx::SqlTx,
};
use domain::{Timestamp, id::JobId};
use ports::store::StoreError;
use sea_orm::{ColumnTrait, QueryFilter};
use std::collections::{HashMap, HashSet};
use uuid::Uuid;

/// Asks the jobs of every lane that was told to stop.
pub(super) async fn ask(
    tx: &SqlTx,
    now: Timestamp,
    queue: &[Queued],
    lanes: &HashMap<LaneKey, Uuid>,
) -> Result<(), StoreError> {
    let told = queue.iter().filter(|queued| queued.stops);
    let tenants: HashSet<Uuid> = told.clone().map(|queued| queued.tenant).collect();
    let told: HashSet<Uuid> = told
        .filter_map(|queued| lanes.get(&queued.lane).copied())
        .collect();
    if told.is_empty() {
        return Ok(());
    }
    let asked = ask_to_stop(now)
        .filter(job::Column::TenantId.is_in(tenants))
        .filter(job::Column::LaneId.is_in(told))
        .filter(is_any(job::Column::Status, &UNFINISHED))
        .exec_with_returning(&tx.conn)
        .await
        .map_err(db_error("job"))?;
    tx.note(|c| {
        c.cancelled
            .extend(asked.iter().map(|job| JobId::from_uuid(job.id)));
    });
    Ok(())
}
