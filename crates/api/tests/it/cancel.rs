//! Stopping a job that nobody runs yet while somebody takes it up. Either it never begins, or whoever holds its
//! lane is the one to stop it.

use crate::harness::App;
use axum::http::StatusCode;
use domain::{
    id::WorkerId,
    job::{Job, JobStatus},
};
use futures_util::future::join;
use ports::{
    clock::Clock as _,
    store::{LeaseStore, Worker},
};
use serde_json::Value;

async fn worker(app: &App) -> WorkerId {
    let worker = Worker {
        id: WorkerId::from_uuid(app.platform.ids.next()),
        instance: app.platform.ids.next().to_string(),
        started_at: app.clock.now(),
    };
    let leases: &dyn LeaseStore = app.store.as_ref();
    leases.register(&worker).await.unwrap();
    worker.id
}

/// Claims what is ready; whether the job is then the one to run in its lane.
async fn takes_up(app: &App, worker: WorkerId, job: &Job) -> bool {
    let leases: &dyn LeaseStore = app.store.as_ref();
    let lanes = leases.claim_lanes(worker, app.clock.now(), 100).await;
    if lanes.unwrap().iter().all(|lane| lane.id != job.lane_id) {
        return false;
    }
    let tx = app.store.read(job.tenant_id).await.unwrap();
    let head = tx.lanes().head(job.tenant_id, job.lane_id).await.unwrap();
    head.is_some_and(|head| head.id == job.id)
}

async fn cancel(app: &App, job: &Job) -> Job {
    let path = format!("/api/v1/jobs/{}/cancel", job.id);
    let answer = app.post(&path, Value::Null).await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.body);
    let tx = app.store.read(job.tenant_id).await.unwrap();
    tx.jobs()
        .find(job.tenant_id, job.id)
        .await
        .unwrap()
        .unwrap()
}

#[tokio::test]
async fn a_queued_job_whose_lane_is_held_is_stopped_by_who_holds_it() {
    let app = App::start().await;
    let (job, _) = app.job().await;
    let worker = worker(&app).await;
    assert!(takes_up(&app, worker, &job).await);
    let asked = cancel(&app, &job).await;
    assert_eq!(asked.status, JobStatus::Queued);
    assert_eq!(asked.cancel_requested_at, Some(app.clock.now()));
    let leases: &dyn LeaseStore = app.store.as_ref();
    assert_eq!(leases.stop_requests(worker).await.unwrap(), [job.id]);
}

#[tokio::test]
async fn a_job_that_is_cancelled_and_claimed_at_the_same_moment_is_stopped_once() {
    let app = App::start().await;
    let worker = worker(&app).await;
    for _round in 0..20 {
        let (job, _) = app.job().await;
        let (stopped, taken_up) = join(cancel(&app, &job), takes_up(&app, worker, &job)).await;
        let expected = if taken_up {
            (JobStatus::Queued, Some(app.clock.now()))
        } else {
            (JobStatus::Cancelled, None)
        };
        assert_eq!((stopped.status, stopped.cancel_requested_at), expected);
        // Nobody runs it: the next round has the lanes of its own only.
        let leases: &dyn LeaseStore = app.store.as_ref();
        leases
            .let_go_lanes(worker, &[], app.clock.now())
            .await
            .unwrap();
    }
}
