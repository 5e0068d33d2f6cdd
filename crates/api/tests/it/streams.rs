//! Server-sent events: nothing is missed, nothing comes twice, and a stream knows when to end.

use crate::harness::App;
use api::Phase;
use axum::{
    body::BodyDataStream,
    http::{Method, StatusCode},
};
use domain::{event::NewEvent, job::Job};
use futures_util::StreamExt;
use ports::{
    clock::Clock,
    live::{Delta, DeltaTarget, Live},
    store::{Prunable, Prune},
};
use serde_json::Value;
use services::events;
use test_kit::builders;

/// One event as a client reads it.
#[derive(Debug, PartialEq)]
struct Seen {
    name: String,
    id: Option<i64>,
    data: Value,
}

struct Client {
    body: BodyDataStream,
    text: String,
}

impl Client {
    async fn connect(app: &App, path: &str, after: Option<i64>) -> Self {
        let mut request = app.request(&Method::GET, path, &Value::Null);
        if let Some(after) = after {
            request.headers_mut().insert("last-event-id", after.into());
        }
        let response = app.raw(request).await;
        assert_eq!(response.status(), StatusCode::OK);
        assert_eq!(response.headers()["content-type"], "text/event-stream");
        Self {
            body: response.into_body().into_data_stream(),
            text: String::new(),
        }
    }

    /// The next event; `None` at the end.
    async fn next(&mut self) -> Option<Seen> {
        loop {
            if let Some((block, rest)) = self.text.split_once("\n\n") {
                let (block, rest) = (block.to_owned(), rest.to_owned());
                self.text = rest;
                if !block.starts_with(':') {
                    return Some(parse(&block));
                }
                continue;
            }
            let bytes = self.body.next().await?.unwrap();
            self.text.push_str(std::str::from_utf8(&bytes).unwrap());
        }
    }

    /// The next stored event.
    async fn row(&mut self) -> Seen {
        loop {
            let seen = self.next().await.unwrap();
            if seen.id.is_some() {
                return seen;
            }
        }
    }

    async fn ids(&mut self, count: usize) -> Vec<i64> {
        let mut ids = Vec::new();
        while ids.len() < count {
            let seen = self.next().await.unwrap();
            ids.extend(seen.id);
        }
        ids
    }

    async fn rest(&mut self) -> Vec<i64> {
        let mut ids = Vec::new();
        while let Some(seen) = self.next().await {
            ids.extend(seen.id);
        }
        ids
    }
}

fn parse(block: &str) -> Seen {
    let field = |name: &str| {
        let prefix = format!("{name}: ");
        block.lines().find_map(|line| line.strip_prefix(&prefix))
    };
    Seen {
        name: field("event").unwrap().to_owned(),
        id: field("id").map(|id| id.parse().unwrap()),
        data: serde_json::from_str(field("data").unwrap()).unwrap(),
    }
}

async fn append(app: &App, job: &Job, news: Vec<NewEvent>) {
    let now = app.clock.now();
    app.write(async |tx| {
        tx.events()
            .append(job.tenant_id, job.id, news, now)
            .await
            .unwrap();
    })
    .await;
}

fn news(job: &Job, count: usize) -> Vec<NewEvent> {
    (0..count).map(|_| events::job_status(job)).collect()
}

fn delta(job: &Job, offset: usize, text: &str) -> Delta {
    Delta {
        tenant_id: job.tenant_id,
        job_id: job.id,
        target: DeltaTarget::Text,
        offset,
        text: text.to_owned(),
    }
}

#[tokio::test]
async fn the_stream_of_a_job_replays_follows_and_ends_with_the_job() {
    let app = App::start().await;
    let (mut job, _) = app.job().await;
    let path = format!("/api/v1/jobs/{}/events", job.id);
    append(&app, &job, news(&job, 450)).await;
    let mut client = Client::connect(&app, &path, None).await;
    assert_eq!(client.ids(451).await, (1..=451).collect::<Vec<_>>());
    app.feed.push(Live::Delta(delta(&job, 0, "hel")));
    let open = client.next().await.unwrap();
    assert_eq!((open.name.as_str(), open.id), ("message.delta", None));
    assert_eq!(
        (&open.data["offset"], &open.data["text"]),
        (&0.into(), &"hel".into())
    );
    let message = builders::message(app.platform.ids.as_ref(), &job, 1, "hello");
    append(&app, &job, vec![events::message(&message)]).await;
    let row = client.next().await.unwrap();
    assert_eq!((row.name.as_str(), row.id), ("message", Some(452)));
    assert_eq!(row.data, events::message(&message).payload);
    app.finish(&mut job).await;
    assert_eq!(client.rest().await, [453]);

    let mut late = Client::connect(&app, &path, Some(450)).await;
    assert_eq!(late.rest().await, [451, 452, 453]);
    let mut request = app.request(&Method::GET, &path, &Value::Null);
    request.headers_mut().insert("last-event-id", 453.into());
    assert_eq!(app.send(request).await.status, StatusCode::NO_CONTENT);
    let mut by_query = Client::connect(&app, &format!("{path}?last_event_id=452"), None).await;
    assert_eq!(by_query.rest().await, [453]);
}

#[tokio::test]
async fn a_client_that_drops_fifty_times_sees_every_event_once() {
    let app = App::start().await;
    let (mut job, _) = app.job().await;
    let path = format!("/api/v1/jobs/{}/events", job.id);
    let mut seen = Vec::new();
    for round in 1..=50 {
        let mut client = Client::connect(&app, &path, seen.last().copied()).await;
        append(&app, &job, news(&job, round % 3 + 1)).await;
        seen.extend(client.ids(1 + round % 2).await);
    }
    app.finish(&mut job).await;
    let mut client = Client::connect(&app, &path, seen.last().copied()).await;
    seen.extend(client.rest().await);
    let now = app.store_events(&job).await;
    assert_eq!(seen, now);
}

#[tokio::test]
async fn a_slow_reader_reads_the_rows_again() {
    let app = App::start().await;
    let (job, _) = app.job().await;
    let path = format!("/api/v1/jobs/{}/events", job.id);
    let mut client = Client::connect(&app, &path, None).await;
    assert_eq!(client.ids(1).await, [1]);
    append(&app, &job, news(&job, 1_500)).await;
    assert_eq!(client.ids(1_500).await, (2..=1_501).collect::<Vec<_>>());
    app.feed.push(Live::Lagged);
    append(&app, &job, news(&job, 1)).await;
    assert_eq!(client.ids(1).await, [1_502]);
}

#[tokio::test]
async fn open_text_comes_first_unless_a_row_holds_it_already() {
    let app = App::start().await;
    let (job, _) = app.job().await;
    let path = format!("/api/v1/jobs/{}/events", job.id);
    app.feed.open.lock().unwrap().push(delta(&job, 0, "so far"));
    let mut client = Client::connect(&app, &path, Some(1)).await;
    assert_eq!(client.next().await.unwrap().data["text"], "so far");

    // The row is committed after the subscription and before the rows are read.
    let mut client = Client::connect(&app, &path, Some(1)).await;
    let message = builders::message(app.platform.ids.as_ref(), &job, 1, "so far and on");
    append(&app, &job, vec![events::message(&message)]).await;
    app.feed.push(Live::Delta(delta(&job, 0, "next")));
    assert_eq!(client.next().await.unwrap().id, Some(2));
    assert_eq!(client.next().await.unwrap().data["text"], "next");
}

#[tokio::test]
async fn the_stream_of_a_tenant_starts_now_and_outlives_jobs() {
    let app = App::start().await;
    let (mut first, _) = app.job().await;
    let mut client = Client::connect(&app, "/api/v1/events", None).await;
    app.finish(&mut first).await;
    let (second, _) = app.job().await;
    let a = client.row().await;
    let b = client.row().await;
    assert_eq!(
        (a.id, &a.data["job_id"]),
        (Some(2), &serde_json::json!(first.id))
    );
    assert_eq!(
        (b.id, &b.data["job_id"]),
        (Some(3), &serde_json::json!(second.id))
    );
    let mut replay = Client::connect(&app, "/api/v1/events", Some(0)).await;
    assert_eq!(replay.ids(3).await, [1, 2, 3]);

    let stranger = app.stranger();
    let mut other = Client::connect(&stranger, "/api/v1/events", Some(0)).await;
    append(&app, &second, news(&second, 1)).await;
    assert_eq!(client.ids(1).await, [4]);
    stranger.phase.send_replace(Phase::Stopping);
    assert_eq!(other.rest().await, [0; 0]);
}

#[tokio::test]
async fn work_that_leads_to_no_job_is_told_without_saying_whose_it_is() {
    let app = App::start().await;
    let stranger = app.stranger();
    let mut client = Client::connect(&app, "/api/v1/events", None).await;
    let mut other = Client::connect(&stranger, "/api/v1/events", None).await;
    let (job, _) = app.job().await;
    let of_job = format!("/api/v1/jobs/{}/events", job.id);
    let mut narrow = Client::connect(&app, &of_job, Some(1)).await;
    let changed = Seen {
        name: "work.changed".to_owned(),
        id: None,
        data: serde_json::json!({}),
    };
    // Rows are read before anything live is given.
    assert_eq!(client.next().await.unwrap().id, Some(1));
    assert_eq!(client.next().await, Some(changed));
    app.post("/api/v1/work-items", serde_json::json!({"text": "more"}))
        .await;
    assert_eq!(client.next().await.unwrap().name, "work.changed");
    append(&app, &job, news(&job, 1)).await;
    assert_eq!(narrow.next().await.unwrap().name, "job.status");
    stranger.phase.send_replace(Phase::Stopping);
    assert_eq!(other.next().await, None);

    // It is no row, so whoever was away, or too slow, is told once.
    let mut back = Client::connect(&app, "/api/v1/events", Some(1)).await;
    assert_eq!(back.next().await.unwrap().name, "work.changed");
    assert_eq!(back.ids(1).await, [2]);
    app.feed.push(Live::Lagged);
    assert_eq!(back.next().await.unwrap().name, "work.changed");
}

#[tokio::test]
async fn streams_end_when_the_server_does_and_leave_nothing_behind() {
    let app = App::start().await;
    let (job, _) = app.job().await;
    let path = format!("/api/v1/jobs/{}/events", job.id);
    let mut client = Client::connect(&app, &path, None).await;
    assert_eq!(client.ids(1).await, [1]);
    app.phase.send_replace(Phase::Stopping);
    assert_eq!(client.next().await, None);
    drop(client);
    assert_eq!(app.feed.readers(), 0);
    let bad = app.get(&format!("{path}?last_event_id=x")).await;
    bad.is_problem(422, "validation_failed");
}

#[tokio::test]
async fn streams_go_on_where_old_events_were_forgotten() {
    let app = App::start().await;
    let (mut old, _) = app.job().await;
    append(&app, &old, news(&old, 3)).await;
    app.finish(&mut old).await;
    let (running, _) = app.job().await;
    append(&app, &running, news(&running, 2)).await;
    app.clock.advance(std::time::Duration::from_hours(48));
    let forget = Prune {
        what: Prunable::Events,
        before: app.clock.now(),
        rows: 100,
        marker: "",
    };
    while app.store.prune(forget).await.unwrap().more {}
    assert_eq!(app.store_events(&old).await, Vec::<i64>::new());

    let path = format!("/api/v1/jobs/{}/events", old.id);
    assert_eq!(app.get(&path).await.status, StatusCode::NO_CONTENT);
    let kept = app.store_events(&running).await.len();
    let mut client = Client::connect(&app, "/api/v1/events", Some(1)).await;
    let replayed = client.ids(kept).await;
    append(&app, &running, news(&running, 1)).await;
    let live = client.ids(1).await;
    assert_eq!(live[0], replayed[kept - 1] + 1);
}

#[tokio::test]
async fn a_position_from_before_a_restore_counts_as_the_end() {
    let app = App::start().await;
    let (job, _) = app.job().await;
    append(&app, &job, news(&job, 2)).await;
    let mut client = Client::connect(&app, "/api/v1/events", Some(10_000)).await;
    append(&app, &job, news(&job, 1)).await;
    let event = client.row().await;
    assert!(event.id.unwrap() < 10_000);
}
