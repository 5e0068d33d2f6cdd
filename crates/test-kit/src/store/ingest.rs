//! Taking deliveries in.

use super::Harness;
use crate::builders;
use domain::{
    id::WorkItemId,
    page::PageRequest,
    queue::EntryStatus,
    work::{LaneOutcome, WorkItemStatus},
};
use futures_util::future::join_all;
use ports::{ingest::Accept, store::WorkFilter};
use std::collections::HashSet;

fn delivery(h: &Harness, event: &str, channel: &str) -> Accept {
    let message = builders::inbound(event, channel, "Hello", h.now());
    builders::accept(&h.integration, message)
}

/// A hundred at once: one item, and everybody is told which.
pub async fn identical_deliveries_make_one_item(h: &Harness) {
    let deliveries = (0..100).map(|_| h.store.ingest(vec![delivery(h, "same", "chat")]));
    let outcomes: Vec<_> = join_all(deliveries)
        .await
        .into_iter()
        .flat_map(|outcome| outcome.unwrap())
        .collect();
    assert_eq!(outcomes.len(), 100);
    let items: HashSet<WorkItemId> = outcomes.iter().map(|o| o.work_item_id).collect();
    assert_eq!(items.len(), 1);
    assert_eq!(outcomes.iter().filter(|o| !o.duplicate).count(), 1);
    let item = outcomes[0].work_item_id;
    let tx = h.read().await;
    let lanes = tx.work().lanes(h.tenant.id, item).await.unwrap();
    assert_eq!(lanes.len(), 1);
    let page = tx
        .work()
        .list(h.tenant.id, &WorkFilter::default(), PageRequest::first(10))
        .await;
    assert_eq!(page.unwrap().items.len(), 1);
    let told = h.commits.take();
    assert_eq!(told.iter().filter(|c| c.lanes_ready).count(), 1);
}

/// Duplicates inside one batch and of an earlier one; outcomes in order.
pub async fn a_batch_tells_new_from_known(h: &Harness) {
    let first = h
        .store
        .ingest(vec![delivery(h, "1", "chat")])
        .await
        .unwrap();
    let batch = ["2", "1", "2", "3"].map(|event| delivery(h, event, "chat"));
    let second = h.store.ingest(batch.to_vec()).await.unwrap();
    let duplicates: Vec<bool> = second.iter().map(|o| o.duplicate).collect();
    assert_eq!(duplicates, [false, true, true, false]);
    assert_eq!(second[1].work_item_id, first[0].work_item_id);
    assert_eq!(second[2].work_item_id, second[0].work_item_id);
    let again = h.store.ingest(batch.to_vec()).await.unwrap();
    assert!(again.iter().all(|o| o.duplicate));
    assert!(
        again
            .iter()
            .zip(&second)
            .all(|(a, b)| a.work_item_id == b.work_item_id)
    );
    assert_eq!(h.store.ingest(vec![]).await.unwrap(), vec![]);
}

/// No thread is a place of its own, and a title that comes later is kept.
pub async fn the_same_place_is_one_conversation_and_a_thread_another(h: &Harness) {
    let mut titled = delivery(h, "2", "chat");
    titled.message.title = Some("Team".to_owned());
    let mut threaded = delivery(h, "3", "chat");
    threaded.message.place.thread = Some("7".to_owned());
    threaded.message.sender.display_name = "Ada L".into();
    let batch = vec![
        delivery(h, "1", "chat"),
        titled,
        threaded,
        delivery(h, "4", "chat"),
    ];
    let outcomes = h.store.ingest(batch).await.unwrap();
    let tx = h.read().await;
    let mut conversations = Vec::new();
    for outcome in outcomes {
        let item = tx.work().find(h.tenant.id, outcome.work_item_id).await;
        conversations.push(item.unwrap().unwrap().conversation_id);
    }
    assert_eq!(conversations[0], conversations[1]);
    assert_ne!(conversations[0], conversations[2]);
    assert_eq!(conversations[0], conversations[3]);
    let found = tx.conversations().find(h.tenant.id, conversations[2]).await;
    let threaded = found.unwrap().unwrap();
    assert_eq!(threaded.place.thread.as_deref(), Some("7"));
    assert_eq!(threaded.integration_id, h.integration.id);
    let stranger = tx
        .conversations()
        .find(h.stranger(), conversations[0])
        .await;
    assert_eq!(stranger.unwrap(), None);
    let mut late = delivery(h, "5", "chat");
    late.message.title = Some("Team".to_owned());
    h.store.ingest(vec![late]).await.unwrap();
    let found = h
        .read()
        .await
        .conversations()
        .find(h.tenant.id, conversations[0])
        .await;
    let plain = found.unwrap().unwrap();
    assert_eq!(
        (plain.place.thread, plain.title.as_deref()),
        (None, Some("Team"))
    );
}

/// It ends at once, with its reason.
pub async fn an_item_nobody_sees_is_passed(h: &Harness) {
    let mut agent = h.agent.clone();
    agent.enabled = false;
    let tx = h.write().await;
    tx.agents().update(&agent).await.unwrap();
    tx.commit().await.unwrap();
    h.commits.take();
    let item = h.receive("1", "chat").await;
    assert_eq!(item.status, WorkItemStatus::Passed);
    assert_eq!(item.reason.as_deref(), Some("no agent"));
    assert_eq!(item.closed_at, Some(h.now()));
    let told = h.commits.take();
    assert!(told.iter().all(|c| !c.lanes_ready));
    assert_eq!(told[0].work, [h.tenant.id].into(), "no job tells of it");
}

/// Named agents get it, others do not, and a disabled one is nobody.
pub async fn work_handed_over_by_name_reaches_only_enabled_agents_of_that_name(h: &Harness) {
    let eve = builders::agent(&*h.ids, h.tenant.id, "Eve", h.now());
    let mut off = builders::agent(&*h.ids, h.tenant.id, "Off", h.now());
    off.enabled = false;
    let tx = h.write().await;
    tx.agents().insert(&eve).await.unwrap();
    tx.agents().insert(&off).await.unwrap();
    tx.commit().await.unwrap();
    let mut named = delivery(h, "1", "chat");
    named.assigned = vec![eve.id, off.id];
    let mut nobody = delivery(h, "2", "chat");
    nobody.assigned = vec![off.id];
    let batch = vec![named, nobody, delivery(h, "3", "chat")];
    let outcomes = h.store.ingest(batch).await.unwrap();
    let tx = h.read().await;
    let queued = LaneOutcome {
        entry: EntryStatus::Queued,
        job: None,
        job_status: None,
        reply: None,
    };
    for (outcome, lanes) in outcomes.iter().zip([1, 0, 2]) {
        let found = tx.work().lanes(h.tenant.id, outcome.work_item_id).await;
        assert_eq!(found.unwrap(), vec![queued.clone(); lanes]);
    }
    let item = tx.work().find(h.tenant.id, outcomes[0].work_item_id).await;
    assert_eq!(item.unwrap().unwrap().assigned, vec![eve.id, off.id]);
    let filter = WorkFilter {
        agent_id: Some(eve.id),
        ..WorkFilter::default()
    };
    let page = tx
        .work()
        .list(h.tenant.id, &filter, PageRequest::first(10))
        .await;
    let listed: Vec<_> = page.unwrap().items.iter().map(|item| item.id).collect();
    let expected = vec![outcomes[2].work_item_id, outcomes[0].work_item_id];
    assert_eq!(listed, expected);
}

/// Taken in within a transaction of the caller's: undone with it, and told of with it.
pub async fn a_transaction_takes_in_whole_or_not_at_all(h: &Harness) {
    let batch = [delivery(h, "1", "chat")];
    let tx = h.write().await;
    let lost = tx.work().ingest(&batch, h.now()).await.unwrap()[0];
    drop(tx);
    assert!(h.commits.take().is_empty());
    let tx = h.write().await;
    assert_eq!(
        tx.work()
            .find(h.tenant.id, lost.work_item_id)
            .await
            .unwrap(),
        None
    );
    let kept = tx.work().ingest(&batch, h.now()).await.unwrap()[0];
    assert!(!kept.duplicate);
    tx.commit().await.unwrap();
    assert!(h.commits.take().iter().any(|told| told.lanes_ready));
    let again = h.store.ingest(batch.to_vec()).await.unwrap()[0];
    assert!(again.duplicate);
    assert_eq!(again.work_item_id, kept.work_item_id);
}
