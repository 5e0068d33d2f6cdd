//! Processes and what they hold.

use super::{Claimed, Harness, lanes};
use crate::builders;
use domain::{
    effect::{Effect, EffectAction, EffectStatus},
    event::EventKind,
    id::WorkerId,
    job::JobStatus,
    queue::EntryStatus,
};
use ports::store::Swept;
use std::time::Duration;

/// A job that runs, with an edit of its progress message mid-send, all held by one process.
async fn busy(h: &Harness) -> (Claimed, Effect) {
    let c = h.claimed("chat").await;
    let mut job = c.job.clone();
    job.start(h.now()).unwrap();
    let mut edit = builders::reply(&*h.ids, &job, &c.item, h.now());
    edit.action = EffectAction::Progress {
        markdown: "…".to_owned(),
        edit: Some("1".to_owned()),
    };
    let tx = h.write().await;
    tx.jobs().update(&job).await.unwrap();
    let found = tx.lanes().entry(h.tenant.id, c.lane.id, c.item.id).await;
    let (entry, running) = (found.unwrap().unwrap(), EntryStatus::Running);
    tx.lanes()
        .set_entry(h.tenant.id, entry.id, running, Some(job.id))
        .await
        .unwrap();
    tx.effects().insert(&edit).await.unwrap();
    tx.commit().await.unwrap();
    let claimed = h.store.claim_effects(c.worker, h.now(), 9).await.unwrap();
    assert_eq!(claimed.len(), 1);
    h.commits.take();
    (c, edit)
}

async fn status(h: &Harness, effect: &Effect) -> EffectStatus {
    let found = h.read().await.effects().find(h.tenant.id, effect.id).await;
    found.unwrap().unwrap().status
}

async fn claim(h: &Harness, worker: WorkerId) -> usize {
    h.store.claim_lanes(worker, h.now(), 9).await.unwrap().len()
}

/// The answer to a claim may be lost: what the process does not know of must not stay with it.
pub async fn what_a_process_holds_without_knowing_can_be_given_back(h: &Harness) {
    let (c, edit) = busy(h).await;
    h.store
        .let_go_lanes(c.worker, &[c.lane.id], h.now())
        .await
        .unwrap();
    h.store.let_go_effects(c.worker, &[edit.id]).await.unwrap();
    assert_eq!(claim(h, c.worker).await, 0);
    assert_eq!(status(h, &edit).await, EffectStatus::Sending);
    h.commits.take();

    h.store.let_go_lanes(c.worker, &[], h.now()).await.unwrap();
    h.store.let_go_effects(c.worker, &[]).await.unwrap();
    let told = h.commits.take();
    assert!(told[0].lanes_ready && told[1].effects_ready, "{told:?}");
    assert_eq!(status(h, &edit).await, EffectStatus::Pending);
    assert_eq!(claim(h, c.worker).await, 1);
}

/// A job is asked to stop wherever somebody is; the process that runs it must find out without being told.
pub async fn requests_to_stop_are_found_by_the_process_that_runs_the_job(h: &Harness) {
    let c = h.claimed("chat").await;
    let other = h.worker("other").await;
    assert_eq!(h.store.stop_requests(c.worker).await.unwrap(), []);
    let tx = h.write().await;
    let jobs = tx.jobs();
    assert!(
        jobs.request_cancel(h.tenant.id, c.job.id, h.now())
            .await
            .unwrap()
    );
    drop(jobs);
    tx.commit().await.unwrap();
    assert_eq!(h.store.stop_requests(c.worker).await.unwrap(), [c.job.id]);
    assert_eq!(h.store.stop_requests(other).await.unwrap(), []);
    let mut job = c.job.clone();
    job.cancel(h.now()).unwrap();
    let tx = h.write().await;
    tx.jobs().update(&job).await.unwrap();
    tx.commit().await.unwrap();
    assert_eq!(h.store.stop_requests(c.worker).await.unwrap(), []);
}

/// A restart needs no sweep: the same instance says itself that the old process is gone.
pub async fn a_new_process_of_an_instance_frees_what_the_old_one_held(h: &Harness) {
    let (c, edit) = busy(h).await;
    let other = h.worker("other").await;
    assert_eq!(claim(h, other).await, 0);
    let worker = ports::store::Worker {
        id: WorkerId::from_uuid(ports::ids::Ids::next(&*h.ids)),
        instance: "instance of chat".to_owned(),
        started_at: h.now(),
    };
    let swept = h.store.register(&worker).await.unwrap();
    assert_eq!(
        swept,
        Swept {
            lanes: 1,
            effects: 1
        }
    );
    assert_eq!(status(h, &edit).await, EffectStatus::Pending);
    assert!(!h.store.heartbeat(c.worker, h.now()).await.unwrap());
    assert!(h.store.heartbeat(worker.id, h.now()).await.unwrap());
    assert_eq!(claim(h, c.worker).await, 0);
    assert_eq!(claim(h, worker.id).await, 1);
}

/// What may have been seen is not sent again: it is shown instead.
pub async fn silent_processes_are_swept_and_may_not_go_on(h: &Harness) {
    let c = h.claimed("chat").await;
    let reply = builders::reply(&*h.ids, &c.job, &c.item, h.now());
    let tx = h.write().await;
    tx.effects().insert(&reply).await.unwrap();
    tx.commit().await.unwrap();
    h.store.claim_effects(c.worker, h.now(), 9).await.unwrap();
    h.clock.advance(Duration::from_secs(10));
    let alive = h.worker("alive").await;
    h.commits.take();
    let expired = h.now() - Duration::from_secs(7);
    let swept = h.store.sweep(expired, h.now()).await.unwrap();
    assert_eq!(
        swept,
        Swept {
            lanes: 1,
            effects: 1
        }
    );
    let again = h.store.sweep(expired, h.now()).await.unwrap();
    assert_eq!(again, Swept::default());
    assert_eq!(status(h, &reply).await, EffectStatus::Unknown);
    let heard = h.commits.take();
    assert_eq!(heard.len(), 1);
    assert!(heard[0].lanes_ready);
    let event = &heard[0].events[0];
    assert_eq!((event.kind, event.job_id), (EventKind::Effect, c.job.id));
    assert_eq!(event.payload["status"], "unknown");
    assert_eq!(event.payload["effect_id"], reply.id.to_string());
    let tx = h.write().await;
    assert!(
        tx.fenced(h.tenant.id, c.lane.id, c.lane.fence)
            .await
            .is_err()
    );
    drop(tx);
    assert!(!h.store.heartbeat(c.worker, h.now()).await.unwrap());
    assert_eq!(claim(h, alive).await, 1);
}

/// A clean goodbye leaves nothing to wait for.
pub async fn retiring_frees_everything(h: &Harness) {
    let (c, edit) = busy(h).await;
    let swept = h.store.retire(c.worker, h.now()).await.unwrap();
    assert_eq!(
        swept,
        Swept {
            lanes: 1,
            effects: 1
        }
    );
    assert_eq!(status(h, &edit).await, EffectStatus::Pending);
    let other = h.worker("other").await;
    assert_eq!(claim(h, other).await, 1);
    let again = h.store.retire(c.worker, h.now()).await.unwrap();
    assert_eq!(again, Swept::default());
}

/// It waits for something else than a worker.
pub async fn a_waiting_job_does_not_make_its_lane_ready(h: &Harness) {
    let (c, _) = busy(h).await;
    let tx = h.write().await;
    let mut job = tx
        .jobs()
        .find(h.tenant.id, c.job.id)
        .await
        .unwrap()
        .unwrap();
    job.status = JobStatus::Waiting;
    tx.jobs().update(&job).await.unwrap();
    tx.commit().await.unwrap();
    let swept = h.store.retire(c.worker, h.now()).await.unwrap();
    assert_eq!(swept.lanes, 1);
    let other = h.worker("other").await;
    assert_eq!(claim(h, other).await, 0);
    let tx = h.write().await;
    tx.lanes()
        .make_ready(h.tenant.id, c.lane.id, h.now())
        .await
        .unwrap();
    tx.commit().await.unwrap();
    assert_eq!(claim(h, other).await, 1);
}

/// The same as for a lane that was given up.
pub async fn a_freed_lane_is_ready_while_a_worker_can_do_something(h: &Harness) {
    let c = h.claimed("chat").await;
    let mut holder = c.worker;
    for (n, (job, entry, ready)) in lanes::READY.into_iter().enumerate() {
        lanes::stand(h, &c, job, entry).await;
        h.store.retire(holder, h.now()).await.unwrap();
        holder = h.worker(&n.to_string()).await;
        assert_eq!(claim(h, holder).await == 1, ready, "{job} {entry}");
        if !ready {
            let tx = h.write().await;
            let made = tx.lanes().make_ready(h.tenant.id, c.lane.id, h.now()).await;
            made.unwrap();
            tx.commit().await.unwrap();
            assert_eq!(claim(h, holder).await, 1);
        }
    }
}

/// One holder at a time, for as long as it lives.
pub async fn a_single_lease_passes_on_when_its_holder_is_silent(h: &Harness) {
    let (a, b) = (h.worker("a").await, h.worker("b").await);
    let hold = async |worker| {
        let expired = h.now() - Duration::from_secs(7);
        h.store.hold("poller", worker, expired).await.unwrap()
    };
    assert!(hold(a).await);
    assert!(hold(a).await);
    assert!(!hold(b).await);
    h.clock.advance(Duration::from_secs(8));
    assert!(h.store.heartbeat(b, h.now()).await.unwrap());
    assert!(hold(b).await);
    assert!(!hold(a).await);
    h.store.retire(b, h.now()).await.unwrap();
    assert!(!hold(b).await);
    assert!(hold(a).await);
}
