//! Work items and decisions.

use super::Harness;
use crate::builders;
use domain::{
    access::Hidden,
    effect::EffectStatus,
    id::{ConversationId, DecisionId},
    job::JobStatus,
    page::PageRequest,
    queue::EntryStatus,
    work::{DecidedBy, Decision, Verdict, WorkItemStatus},
};
use ports::{
    ids::Ids,
    store::{StoreError, WorkFilter},
};

/// Every filter narrows; text is found literally and without regard to case, beyond ASCII too.
pub async fn items_are_filtered_and_paged(h: &Harness) {
    let batch: Vec<_> = ["Größe 100%", "grösse", "other"]
        .iter()
        .enumerate()
        .map(|(n, text)| {
            let message = builders::inbound(&n.to_string(), "chat", text, h.now());
            builders::accept(&h.integration, message)
        })
        .collect();
    let ids: Vec<_> = h.store.ingest(batch).await.unwrap();
    let tx = h.read().await;
    let list = async |filter: WorkFilter, limit: u32| {
        let page = tx
            .work()
            .list(h.tenant.id, &filter, PageRequest::first(limit))
            .await
            .unwrap();
        let items: Vec<_> = page.items.iter().map(|item| item.id).collect();
        (items, page.next.is_some())
    };
    let text = |text: &str| WorkFilter {
        text: Some(text.to_owned()),
        ..WorkFilter::default()
    };
    let id = |n: usize| ids[n].work_item_id;
    assert_eq!(list(text("GRÖ"), 10).await, (vec![id(1), id(0)], false));
    assert_eq!(list(text("100%"), 10).await, (vec![id(0)], false));
    assert_eq!(list(text("1%"), 10).await, (vec![], false));
    assert_eq!(
        list(WorkFilter::default(), 2).await,
        (vec![id(2), id(1)], true)
    );
    let first = tx.work().find(h.tenant.id, id(0)).await.unwrap().unwrap();
    let conversation = first.conversation_id;
    let both = WorkFilter {
        integration_id: Some(h.integration.id),
        agent_id: Some(h.agent.id),
        conversation_id: Some(conversation),
        status: Some(WorkItemStatus::Open),
        text: None,
        hidden: Hidden::default(),
    };
    assert_eq!(list(both.clone(), 2).await, (vec![id(2), id(1)], true));
    let elsewhere = WorkFilter {
        conversation_id: Some(ConversationId::from_uuid(h.ids.next())),
        ..both.clone()
    };
    assert_eq!(list(elsewhere, 2).await, (vec![], false));
    let closed = WorkFilter {
        status: Some(WorkItemStatus::Failed),
        ..both.clone()
    };
    assert_eq!(list(closed, 2).await, (vec![], false));
    let stranger = tx
        .work()
        .list(h.stranger(), &both, PageRequest::first(2))
        .await;
    assert_eq!(stranger.unwrap().items, vec![]);
    assert_eq!(tx.work().find(h.stranger(), id(0)).await.unwrap(), None);
}

/// Open while the job runs, replied when the answer arrived, open again while a retry runs.
pub async fn an_item_ends_as_its_lanes_do_and_reopens_for_a_retry(h: &Harness) {
    let c = h.claimed("chat").await;
    let (tenant, now) = (h.tenant.id, h.now());
    let tx = h.write().await;
    let (work, lanes, effects) = (tx.work(), tx.lanes(), tx.effects());
    let entry = lanes
        .entry(tenant, c.lane.id, c.item.id)
        .await
        .unwrap()
        .unwrap();
    let running = EntryStatus::Running;
    lanes
        .set_entry(tenant, entry.id, running, Some(c.job.id))
        .await
        .unwrap();
    let open = work.settle(tenant, c.item.id, None, now).await.unwrap();
    assert_eq!(open, WorkItemStatus::Open);
    let mut job = c.job.clone();
    job.start(now).unwrap();
    job.complete(now).unwrap();
    tx.jobs().update(&job).await.unwrap();
    let mut reply = builders::reply(&*h.ids, &job, &c.item, now);
    effects.insert(&reply).await.unwrap();
    let done = lanes.finish_entries(tenant, job.id).await.unwrap();
    assert_eq!(done, vec![c.item.id]);
    let open = work.settle(tenant, c.item.id, None, now).await.unwrap();
    assert_eq!(open, WorkItemStatus::Open);
    reply.status = EffectStatus::Sent;
    effects.update(&reply, EffectStatus::Pending).await.unwrap();
    let replied = work
        .settle(tenant, c.item.id, Some("sent"), now)
        .await
        .unwrap();
    assert_eq!(replied, WorkItemStatus::Replied);
    let item = work.find(tenant, c.item.id).await.unwrap().unwrap();
    assert_eq!(
        (item.status, item.reason.as_deref(), item.closed_at),
        (WorkItemStatus::Replied, None, Some(now))
    );
    let mut retry = builders::job(&*h.ids, &c.lane, c.item.id, now);
    retry.attempt = 2;
    retry.retry_of = Some(job.id);
    let unlimited = domain::budget::Limit::Unlimited;
    tx.jobs().insert(&retry, unlimited).await.unwrap();
    lanes
        .set_entry(tenant, entry.id, running, Some(retry.id))
        .await
        .unwrap();
    let open = work.settle(tenant, c.item.id, None, now).await.unwrap();
    assert_eq!(open, WorkItemStatus::Open);
    let item = work.find(tenant, c.item.id).await.unwrap().unwrap();
    assert_eq!((item.reason, item.closed_at), (None, None));
}

/// What the last lane has to say is no reason for what another one brought about.
pub async fn a_reason_explains_how_the_whole_item_ended(h: &Harness) {
    let c = h.claimed("chat").await;
    let (tenant, now) = (h.tenant.id, h.now());
    let tx = h.write().await;
    let (work, lanes) = (tx.work(), tx.lanes());
    let found = lanes.entry(tenant, c.lane.id, c.item.id).await;
    let entry = found.unwrap().unwrap().id;
    let settle = async |reason| {
        let status = work.settle(tenant, c.item.id, reason, now).await.unwrap();
        let item = work.find(tenant, c.item.id).await.unwrap().unwrap();
        assert_eq!(item.status, status);
        (status, item.reason)
    };
    let some = |reason: &str| Some(reason.to_owned());
    let open = settle(Some("another agent passed")).await;
    assert_eq!(open, (WorkItemStatus::Open, None));
    let (done, running) = (EntryStatus::Done, EntryStatus::Running);
    lanes.set_entry(tenant, entry, done, None).await.unwrap();
    let passed = settle(Some("small talk")).await;
    assert_eq!(passed, (WorkItemStatus::Passed, some("small talk")));
    let passed = settle(None).await;
    assert_eq!(passed, (WorkItemStatus::Passed, some("small talk")));
    let mut job = c.job.clone();
    lanes
        .set_entry(tenant, entry, running, Some(job.id))
        .await
        .unwrap();
    assert_eq!(settle(None).await, (WorkItemStatus::Open, None));
    job.start(now).unwrap();
    job.complete(now).unwrap();
    tx.jobs().update(&job).await.unwrap();
    lanes.finish_entries(tenant, job.id).await.unwrap();
    let replied = settle(None).await;
    assert_eq!(replied, (WorkItemStatus::Replied, None));
    let replied = settle(Some("another agent passed later")).await;
    assert_eq!(replied, (WorkItemStatus::Replied, None));
    job.status = JobStatus::Failed;
    tx.jobs().update(&job).await.unwrap();
    let failed = settle(Some("it broke")).await;
    assert_eq!(failed, (WorkItemStatus::Failed, some("it broke")));
    let failed = settle(None).await;
    assert_eq!(failed, (WorkItemStatus::Failed, some("it broke")));
}

/// The second decision is refused.
pub async fn an_agent_decides_once(h: &Harness) {
    let item = h.receive("1", "chat").await;
    let decision = || Decision {
        id: DecisionId::from_uuid(h.ids.next()),
        tenant_id: h.tenant.id,
        work_item_id: item.id,
        agent_id: h.agent.id,
        verdict: Verdict::Pass,
        decided_by: DecidedBy::Model,
        reason: "small talk".to_owned(),
        created_at: h.now(),
    };
    let first = decision();
    h.commits.take();
    let tx = h.write().await;
    tx.work().insert_decision(&first).await.unwrap();
    tx.commit().await.unwrap();
    let told = h.commits.take();
    assert_eq!(told[0].work, [h.tenant.id].into(), "no job tells of it");
    let refused = h.write().await.work().insert_decision(&decision()).await;
    assert!(matches!(
        refused,
        Err(StoreError::Conflict {
            entity: "decision",
            ..
        })
    ));
    let tx = h.read().await;
    let found = tx.work().decisions(h.tenant.id, item.id).await.unwrap();
    assert_eq!(found, vec![first]);
    assert_eq!(
        tx.work().decisions(h.stranger(), item.id).await.unwrap(),
        vec![]
    );
}
