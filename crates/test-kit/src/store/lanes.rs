//! Lanes: claims, fences and entries.

use super::{Claimed, Harness};
use crate::builders;
use domain::{
    budget::Limit,
    job::JobStatus,
    queue::{EntryStatus, Fence},
};
use futures_util::future::join_all;
use ports::store::StoreError;
use std::{collections::HashSet, time::Duration};

/// Whether a lane can be claimed again by how its only job and its only entry stand.
pub(super) const READY: [(JobStatus, EntryStatus, bool); 7] = [
    (JobStatus::Queued, EntryStatus::Running, true),
    (JobStatus::Running, EntryStatus::Running, true),
    (JobStatus::Running, EntryStatus::Queued, true),
    (JobStatus::Waiting, EntryStatus::Running, false),
    (JobStatus::Waiting, EntryStatus::Queued, false),
    (JobStatus::Completed, EntryStatus::Queued, true),
    (JobStatus::Completed, EntryStatus::Done, false),
];

/// Writes how the job and the entry of its item stand.
pub(super) async fn stand(h: &Harness, c: &Claimed, status: JobStatus, entry: EntryStatus) {
    let tx = h.write().await;
    let mut job = c.job.clone();
    job.status = status;
    tx.jobs().update(&job).await.unwrap();
    let found = tx.lanes().entry(h.tenant.id, c.lane.id, c.item.id).await;
    let id = found.unwrap().unwrap().id;
    let set = tx
        .lanes()
        .set_entry(h.tenant.id, id, entry, Some(job.id))
        .await;
    set.unwrap();
    tx.commit().await.unwrap();
}

/// Eight at once, five at a time, until nothing is left: every lane once, with a new fence.
pub async fn ready_lanes_are_claimed_exactly_once(h: &Harness) {
    let batch = (0..100).map(|n| {
        let message = builders::inbound(&n.to_string(), &format!("chat {n}"), "Hi", h.now());
        builders::accept(&h.integration, message)
    });
    h.store.ingest(batch.collect()).await.unwrap();
    let mut workers = Vec::new();
    for n in 0..8 {
        workers.push(h.worker(&n.to_string()).await);
    }
    let claims = workers.iter().map(|worker| async {
        let mut mine = Vec::new();
        loop {
            let lanes = h.store.claim_lanes(*worker, h.now(), 5).await.unwrap();
            assert!(lanes.len() <= 5);
            if lanes.is_empty() {
                return mine;
            }
            assert!(
                lanes
                    .iter()
                    .all(|l| l.lease == Some(*worker) && l.fence == Fence(1))
            );
            mine.extend(lanes.into_iter().map(|lane| lane.id));
        }
    });
    let claimed: Vec<_> = join_all(claims).await.into_iter().flatten().collect();
    assert_eq!(claimed.len(), 100);
    assert_eq!(claimed.iter().collect::<HashSet<_>>().len(), 100);
}

/// Whoever lost the lane writes nothing more, and cannot give it up for the one who has it.
pub async fn an_old_fence_is_stale(h: &Harness) {
    let c = h.claimed("chat").await;
    let (tenant, lane) = (h.tenant.id, c.lane.id);
    let tx = h.write().await;
    tx.fenced(tenant, lane, c.lane.fence).await.unwrap();
    let foreign = tx.fenced(h.stranger(), lane, c.lane.fence).await;
    assert!(matches!(foreign, Err(StoreError::Stale)));
    tx.lanes()
        .release(tenant, lane, c.lane.fence, h.now())
        .await
        .unwrap();
    let released = tx.fenced(tenant, lane, c.lane.fence).await;
    assert!(matches!(released, Err(StoreError::Stale)));
    tx.commit().await.unwrap();
    let again = h.store.claim_lanes(c.worker, h.now(), 1).await.unwrap();
    assert_eq!(again[0].fence, Fence(c.lane.fence.0 + 1));
    let tx = h.write().await;
    let stale = tx.fenced(tenant, lane, c.lane.fence).await;
    assert!(matches!(stale, Err(StoreError::Stale)));
    tx.lanes()
        .release(tenant, lane, c.lane.fence, h.now())
        .await
        .unwrap();
    tx.fenced(tenant, lane, again[0].fence).await.unwrap();
}

/// Not before its time, and not when nothing waits; longest waiting first.
pub async fn a_released_lane_is_ready_while_entries_wait(h: &Harness) {
    let c = h.claimed("chat").await;
    let (tenant, id) = (h.tenant.id, c.lane.id);
    let claim = async || h.store.claim_lanes(c.worker, h.now(), 1).await.unwrap();
    assert_eq!(claim().await, vec![]);
    let tx = h.write().await;
    tx.lanes()
        .release(tenant, id, c.lane.fence, h.now())
        .await
        .unwrap();
    tx.commit().await.unwrap();
    assert!(h.commits.take()[0].lanes_ready);
    let lane = claim().await[0];
    let tx = h.write().await;
    let entry = tx
        .lanes()
        .entry(tenant, id, c.item.id)
        .await
        .unwrap()
        .unwrap();
    let done = EntryStatus::Done;
    let mut ended = c.job.clone();
    ended.cancel(h.now()).unwrap();
    tx.jobs().update(&ended).await.unwrap();
    tx.lanes()
        .set_entry(tenant, entry.id, done, None)
        .await
        .unwrap();
    tx.lanes()
        .release(tenant, id, lane.fence, h.now())
        .await
        .unwrap();
    tx.commit().await.unwrap();
    assert_eq!(h.commits.take(), vec![]);
    assert_eq!(claim().await, vec![]);
    let found = h
        .write()
        .await
        .lanes()
        .lock(tenant, id)
        .await
        .unwrap()
        .unwrap();
    assert_eq!((found.lease, found.fence), (None, lane.fence));

    h.clock.advance(Duration::from_secs(1));
    h.receive("late", "chat 2").await;
    let tx = h.write().await;
    let earlier = h.now() - Duration::from_millis(500);
    tx.lanes().make_ready(tenant, id, earlier).await.unwrap();
    tx.commit().await.unwrap();
    assert_eq!(claim().await[0].id, id);
    assert_ne!(claim().await[0].id, id);
    assert_eq!(claim().await, vec![]);
}

/// Nobody else would take its job up again. What waits behind a waiting job is no reason: the lane
/// would be claimed and given up for as long as that job waits.
pub async fn a_released_lane_is_ready_while_a_worker_can_do_something(h: &Harness) {
    let c = h.claimed("chat").await;
    let (tenant, mut lane) = (h.tenant.id, c.lane);
    let claim = async || h.store.claim_lanes(c.worker, h.now(), 1).await.unwrap();
    for (job, entry, ready) in READY {
        stand(h, &c, job, entry).await;
        let tx = h.write().await;
        let released = tx
            .lanes()
            .release(tenant, lane.id, lane.fence, h.now())
            .await;
        released.unwrap();
        tx.commit().await.unwrap();
        let mut claimed = claim().await;
        assert_eq!(!claimed.is_empty(), ready, "{job} {entry}");
        if claimed.is_empty() {
            let tx = h.write().await;
            let made = tx.lanes().make_ready(tenant, lane.id, h.now()).await;
            made.unwrap();
            tx.commit().await.unwrap();
            claimed = claim().await;
        }
        lane = claimed[0];
    }
}

/// Queued, taken, absorbed, done; items of a job oldest first.
pub async fn entries_move_with_their_job(h: &Harness) {
    let c = h.claimed("chat").await;
    let second = h.receive("second", "chat").await;
    let (tenant, lane) = (h.tenant.id, c.lane.id);
    let tx = h.write().await;
    let lanes = tx.lanes();
    let queued = lanes.queued(tenant, lane, 10).await.unwrap();
    let items: Vec<_> = queued.iter().map(|q| q.item.clone()).collect();
    assert_eq!(items, vec![c.item.clone(), second.clone()]);
    assert_eq!(lanes.queued(tenant, lane, 1).await.unwrap(), queued[..1]);
    assert_eq!(lanes.queued(h.stranger(), lane, 1).await.unwrap(), vec![]);
    assert_eq!(lanes.head(tenant, lane).await.unwrap(), Some(c.job.clone()));
    let job = Some(c.job.id);
    for (queued, status) in queued
        .iter()
        .zip([EntryStatus::Running, EntryStatus::Absorbed])
    {
        lanes
            .set_entry(tenant, queued.entry.id, status, job)
            .await
            .unwrap();
    }
    assert_eq!(lanes.queued(tenant, lane, 10).await.unwrap(), vec![]);
    let taken = vec![c.item.id, second.id];
    assert_eq!(lanes.items_of(tenant, c.job.id).await.unwrap(), taken);
    assert_eq!(lanes.finish_entries(tenant, c.job.id).await.unwrap(), taken);
    assert_eq!(
        lanes.finish_entries(tenant, c.job.id).await.unwrap(),
        vec![]
    );
    let entry = lanes.entry(tenant, lane, second.id).await.unwrap().unwrap();
    assert_eq!((entry.status, entry.job_id), (EntryStatus::Done, job));
    let mut ended = c.job.clone();
    ended.cancel(h.now()).unwrap();
    tx.jobs().update(&ended).await.unwrap();
    assert_eq!(lanes.head(tenant, lane).await.unwrap(), None);
    let next = builders::job(&*h.ids, &c.lane, second.id, h.now());
    tx.jobs().insert(&next, Limit::Unlimited).await.unwrap();
    assert_eq!(lanes.head(tenant, lane).await.unwrap(), Some(next));
}
