//! Deliveries that came before: which work items they made.

use super::Delivery;
use crate::{
    entity::{inbound_event, work_item},
    error::db_error,
    tx::SqlTx,
};
use domain::id::{IntegrationId, WorkItemId};
use ports::store::StoreError;
use sea_orm::{
    ColumnTrait, Condition, EntityTrait, JoinType, QueryFilter, QuerySelect, RelationDef,
};
use std::collections::HashMap;
use uuid::Uuid;

/// The work item of every given delivery, by what makes it the same.
pub(super) async fn items<'b>(
    tx: &SqlTx,
    old: &[Delivery<'b>],
) -> Result<HashMap<(IntegrationId, &'b str), WorkItemId>, StoreError> {
    use inbound_event::Column;
    if old.is_empty() {
        return Ok(HashMap::new());
    }
    let mut events: HashMap<Uuid, Vec<&str>> = HashMap::new();
    for delivery in old {
        let (integration, event) = delivery.key();
        events.entry(integration.as_uuid()).or_default().push(event);
    }
    // One branch per integration, for SQLite takes no list of pairs.
    let mut any = Condition::any();
    for (integration, events) in events {
        any = any.add(
            Condition::all()
                .add(Column::IntegrationId.eq(integration))
                .add(Column::ProviderEventId.is_in(events)),
        );
    }
    let made: RelationDef = inbound_event::Entity::belongs_to(work_item::Entity)
        .from(Column::Id)
        .to(work_item::Column::InboundEventId)
        .into();
    let rows: Vec<(Uuid, String, Uuid)> = inbound_event::Entity::find()
        .select_only()
        .column(Column::IntegrationId)
        .column(Column::ProviderEventId)
        .column_as(work_item::Column::Id, "item")
        .join(JoinType::InnerJoin, made)
        .filter(any)
        .into_tuple()
        .all(&tx.conn)
        .await
        .map_err(db_error("work item"))?;
    let rows: HashMap<(Uuid, String), Uuid> = rows
        .into_iter()
        .map(|(integration, event, item)| ((integration, event), item))
        .collect();
    Ok(old
        .iter()
        .filter_map(|delivery| {
            let (integration, event) = delivery.key();
            let item = rows.get(&(integration.as_uuid(), event.to_owned()))?;
            Some((delivery.key(), WorkItemId::from_uuid(*item)))
        })
        .collect())
}
