//! Taking deliveries in: one multi-row statement per table, however many there are.
//!
//! The unique key of deliveries decides first what is new; nothing else is written for the rest. Rows
//! that several batches may touch are written in key order, so that two batches never wait for each other.

mod known;
mod sight;
mod stop;

use crate::{
    entity::{conversation, identity, inbound_event, lane, lane_entry, work_item},
    error::{backend, db_error, to_json},
    query::{excluded, insert_all, insert_new, upsert_all},
    tx::SqlTx,
};
use domain::{
    Timestamp,
    channel::Sender,
    id::{IntegrationId, WorkItemId},
    queue::EntryStatus,
    work::WorkItemStatus,
};
use ports::{
    ingest::{Accept, Accepted},
    store::StoreError,
};
use sea_orm::sea_query::{Expr, ExprTrait, OnConflict};
use sight::Sight;
use std::collections::{BTreeMap, HashMap, HashSet};
use uuid::Uuid;

/// A delivery that the batch holds once.
struct Delivery<'b> {
    accept: &'b Accept,
    event: Uuid,
    item: WorkItemId,
}

impl<'b> Delivery<'b> {
    /// What makes it the same as another one.
    fn key(&self) -> (IntegrationId, &'b str) {
        key(self.accept)
    }

    /// Where it was written, as the unique key of conversations has it.
    fn place(&self) -> (Uuid, &'b str, &'b str) {
        let place = &self.accept.message.place;
        (
            self.accept.integration_id.as_uuid(),
            &place.channel,
            place.thread.as_deref().unwrap_or_default(),
        )
    }
}

/// A delivery that waits for an agent.
struct Queued {
    tenant: Uuid,
    item: Uuid,
    lane: LaneKey,
    /// Whether it asks that the lane's job stops.
    stops: bool,
}

/// What is unique about a lane: conversation and agent.
type LaneKey = (Uuid, Uuid);

/// What is unique about a conversation: integration, channel and thread.
type Place = (Uuid, String, String);

/// Takes the batch in; one outcome per delivery, in order.
pub(crate) async fn ingest(
    tx: &SqlTx,
    now: Timestamp,
    batch: &[Accept],
) -> Result<Vec<Accepted>, StoreError> {
    let mut first: HashMap<(IntegrationId, &str), WorkItemId> = HashMap::new();
    let mut deliveries = Vec::with_capacity(batch.len());
    let mut repeated = Vec::with_capacity(batch.len());
    for accept in batch {
        let twin = first.contains_key(&key(accept));
        repeated.push(twin);
        if !twin {
            let delivery = Delivery {
                accept,
                event: tx.ids.next(),
                item: WorkItemId::from_uuid(tx.ids.next()),
            };
            first.insert(delivery.key(), delivery.item);
            deliveries.push(delivery);
        }
    }
    let new = insert_events(tx, now, &deliveries).await?;
    let (fresh, old): (Vec<_>, Vec<_>) = deliveries
        .into_iter()
        .partition(|delivery| new.contains(&delivery.event));
    let known = known::items(tx, &old).await?;
    if !fresh.is_empty() {
        write(tx, now, &fresh).await?;
    }
    batch
        .iter()
        .zip(repeated)
        .map(|(accept, repeated)| {
            let before = known.get(&key(accept)).copied();
            let item = before.or_else(|| first.get(&key(accept)).copied());
            Ok(Accepted {
                work_item_id: item.ok_or_else(|| backend("a delivery was lost in its batch"))?,
                duplicate: repeated || before.is_some(),
            })
        })
        .collect()
}

fn key(accept: &Accept) -> (IntegrationId, &str) {
    (accept.integration_id, &accept.message.event_id)
}

async fn insert_events(
    tx: &SqlTx,
    now: Timestamp,
    deliveries: &[Delivery<'_>],
) -> Result<HashSet<Uuid>, StoreError> {
    use inbound_event::Column;
    let mut rows: Vec<_> = deliveries
        .iter()
        .map(|delivery| inbound_event::Model {
            id: delivery.event,
            tenant_id: delivery.accept.tenant_id.as_uuid(),
            integration_id: delivery.accept.integration_id.as_uuid(),
            provider_event_id: delivery.accept.message.event_id.clone(),
            received_at: now,
        })
        .collect();
    rows.sort_unstable_by(|a, b| {
        (a.integration_id, &a.provider_event_id).cmp(&(b.integration_id, &b.provider_event_id))
    });
    let once = OnConflict::columns([Column::IntegrationId, Column::ProviderEventId])
        .do_nothing()
        .to_owned();
    let new = insert_new(&tx.conn, rows, &once)
        .await
        .map_err(db_error("inbound event"))?;
    Ok(new.into_iter().collect())
}

async fn write(tx: &SqlTx, now: Timestamp, fresh: &[Delivery<'_>]) -> Result<(), StoreError> {
    let sight = Sight::of(tx, fresh).await?;
    write_identities(tx, fresh, &sight).await?;
    let conversations = write_conversations(tx, now, fresh).await?;
    let mut items = Vec::with_capacity(fresh.len());
    let mut queue = Vec::new();
    for delivery in fresh {
        let conversation = *conversations
            .get(&owned(delivery.place()))
            .ok_or_else(|| backend("a conversation was lost in its batch"))?;
        let before = queue.len();
        queue.extend(sight.agents(delivery.accept).map(|agent| Queued {
            tenant: delivery.accept.tenant_id.as_uuid(),
            item: delivery.item.as_uuid(),
            lane: (conversation, agent.as_uuid()),
            stops: delivery.accept.message.is_stop(),
        }));
        let seen = queue.len() > before;
        items.push(work_item_row(delivery, conversation, seen, now)?);
    }
    insert_all(&tx.conn, items, None)
        .await
        .map_err(db_error("work item"))?;
    let tenants = fresh.iter().map(|delivery| delivery.accept.tenant_id);
    tx.note(|c| c.work.extend(tenants));
    if !queue.is_empty() {
        let lanes = write_lanes(tx, now, &queue).await?;
        write_entries(tx, now, &queue, &lanes).await?;
        stop::ask(tx, now, &queue, &lanes).await?;
        tx.note(|c| c.lanes_ready = true);
    }
    Ok(())
}

async fn write_identities(
    tx: &SqlTx,
    fresh: &[Delivery<'_>],
    sight: &Sight,
) -> Result<(), StoreError> {
    use identity::Column;
    let mut senders = BTreeMap::new();
    for Delivery { accept, .. } in fresh {
        let sender = &accept.message.sender;
        let tenant = accept.tenant_id.as_uuid();
        let provider = sight.channel(accept.integration_id)?;
        senders.insert(
            (tenant, provider, sender.external_id.as_str()),
            &sender.display_name,
        );
    }
    let rows = senders
        .into_iter()
        .map(
            |((tenant_id, provider, external_id), name)| identity::Model {
                id: tx.ids.next(),
                tenant_id,
                provider: provider.to_owned(),
                external_id: external_id.to_owned(),
                display_name: name.clone(),
                user_id: None,
                linked_at: None,
            },
        )
        .collect();
    let renamed = OnConflict::columns([Column::TenantId, Column::Provider, Column::ExternalId])
        .update_column(Column::DisplayName)
        .action_and_where(
            Expr::col((identity::Entity, Column::DisplayName)).ne(excluded(Column::DisplayName)),
        )
        .to_owned();
    insert_all(&tx.conn, rows, Some(renamed))
        .await
        .map_err(db_error("identity"))
}

fn owned((integration, channel, thread): (Uuid, &str, &str)) -> Place {
    (integration, channel.to_owned(), thread.to_owned())
}

async fn write_conversations(
    tx: &SqlTx,
    now: Timestamp,
    fresh: &[Delivery<'_>],
) -> Result<HashMap<Place, Uuid>, StoreError> {
    use conversation::Column;
    let places: BTreeMap<_, _> = fresh.iter().map(|d| (d.place(), d.accept)).collect();
    let rows = places
        .into_iter()
        .map(
            |((integration_id, channel, thread), accept)| conversation::Model {
                id: tx.ids.next(),
                tenant_id: accept.tenant_id.as_uuid(),
                integration_id,
                channel: channel.to_owned(),
                thread: thread.to_owned(),
                chat: accept.message.chat.as_str().to_owned(),
                title: accept.message.title.clone(),
                agent_id: None,
                created_at: now,
            },
        )
        .collect();
    // An update rather than nothing, so that known ones are returned too.
    let title = Expr::col((conversation::Entity, Column::Title));
    let known = OnConflict::columns([Column::IntegrationId, Column::Channel, Column::Thread])
        .value(Column::Title, excluded(Column::Title).if_null(title))
        .to_owned();
    let stored = upsert_all(&tx.conn, rows, &known)
        .await
        .map_err(db_error("conversation"))?;
    Ok(stored
        .into_iter()
        .map(|row| ((row.integration_id, row.channel, row.thread), row.id))
        .collect())
}

fn work_item_row(
    delivery: &Delivery<'_>,
    conversation: Uuid,
    seen: bool,
    now: Timestamp,
) -> Result<work_item::Model, StoreError> {
    let Delivery {
        accept,
        event,
        item,
    } = delivery;
    let status = if seen {
        WorkItemStatus::Open
    } else {
        WorkItemStatus::Passed
    };
    Ok(work_item::Model {
        id: item.as_uuid(),
        tenant_id: accept.tenant_id.as_uuid(),
        integration_id: accept.integration_id.as_uuid(),
        conversation_id: conversation,
        inbound_event_id: *event,
        message: to_json(&accept.message)?,
        text: accept.message.text.to_lowercase(),
        assigned: to_json(&accept.assigned)?,
        status: status.as_str().to_owned(),
        reason: (!seen).then(|| "no agent".to_owned()),
        created_at: now,
        closed_at: (!seen).then_some(now),
        bot: bot(&accept.message.sender),
    })
}

fn bot(sender: &Sender) -> Option<String> {
    sender.is_bot.then(|| sender.external_id.clone())
}

async fn write_lanes(
    tx: &SqlTx,
    now: Timestamp,
    queue: &[Queued],
) -> Result<HashMap<LaneKey, Uuid>, StoreError> {
    use lane::Column;
    let tenants: BTreeMap<_, _> = queue.iter().map(|q| (q.lane, q.tenant)).collect();
    let rows = tenants
        .into_iter()
        .map(|((conversation_id, agent_id), tenant_id)| lane::Model {
            id: tx.ids.next(),
            tenant_id,
            conversation_id,
            agent_id,
            lease_worker: None,
            fence: 0,
            ready_at: Some(now),
        })
        .collect();
    // A lane that is ready already keeps its place among those that wait.
    let ready = Expr::col((lane::Entity, Column::ReadyAt)).if_null(excluded(Column::ReadyAt));
    let known = OnConflict::columns([Column::ConversationId, Column::AgentId])
        .value(Column::ReadyAt, ready)
        .to_owned();
    let stored = upsert_all(&tx.conn, rows, &known)
        .await
        .map_err(db_error("lane"))?;
    Ok(stored
        .into_iter()
        .map(|row| ((row.conversation_id, row.agent_id), row.id))
        .collect())
}

async fn write_entries(
    tx: &SqlTx,
    now: Timestamp,
    queue: &[Queued],
    lanes: &HashMap<LaneKey, Uuid>,
) -> Result<(), StoreError> {
    let rows = queue
        .iter()
        .map(|queued| {
            let lane = lanes
                .get(&queued.lane)
                .ok_or_else(|| backend("a lane was lost in its batch"))?;
            Ok(lane_entry::Model {
                id: tx.ids.next(),
                tenant_id: queued.tenant,
                lane_id: *lane,
                agent_id: queued.lane.1,
                work_item_id: queued.item,
                status: EntryStatus::Queued.as_str().to_owned(),
                job_id: None,
                created_at: now,
            })
        })
        .collect::<Result<Vec<_>, StoreError>>()?;
    insert_all(&tx.conn, rows, None)
        .await
        .map_err(db_error("lane entry"))
}
