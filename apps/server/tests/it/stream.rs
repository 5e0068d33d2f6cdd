//! Server-sent events: live, replayed, and the same both times.

use crate::app::{App, Event};

#[tokio::test]
async fn a_finished_job_replays_what_was_live_and_closes() {
    let app = App::start().await;
    app.agent("Ada").await;
    let mut all = app.events("/api/v1/events", None).await;
    app.hand_in("run `echo streamed`").await;
    let first = all.until(|event| event.data["job_id"].is_string()).await;
    let job = first.data["job_id"].as_str().unwrap().to_owned();
    let path = format!("/api/v1/jobs/{job}/events");
    let live = app.events(&path, Some("0")).await.rest().await;
    assert!(
        live.iter()
            .any(|e| e.name == "message.delta" || e.name == "message")
    );
    let stored: Vec<&Event> = live.iter().filter(|e| e.id.is_some()).collect();
    let ids: Vec<i64> = stored
        .iter()
        .map(|e| e.id.as_ref().unwrap().parse().unwrap())
        .collect();
    assert_eq!(
        ids,
        (1..=i64::try_from(ids.len()).unwrap()).collect::<Vec<_>>(),
        "gapless, in order, once each"
    );
    assert_eq!(stored.last().unwrap().name, "job.status");

    let replayed = app.events(&path, None).await.rest().await;
    let names = |events: &[Event]| {
        events
            .iter()
            .filter(|e| e.id.is_some())
            .map(|e| e.name.clone())
            .collect::<Vec<_>>()
    };
    assert_eq!(names(&replayed), names(&live));
    let tail = app.events(&path, Some("3")).await.rest().await;
    assert_eq!(tail[0].id.as_deref(), Some("4"));
}

#[tokio::test]
async fn output_of_a_running_command_is_seen_before_it_ends() {
    let app = App::start().await;
    app.agent("Ada").await;
    let mut all = app.events("/api/v1/events", None).await;
    app.hand_in("run `echo early; exec sleep 30`").await;
    let output = all.until(|e| e.name == "tool.output").await;
    assert!(output.id.is_none(), "deltas are not rows");
    assert!(
        output.data["text"].as_str().unwrap().contains("early"),
        "{output:?}"
    );
    assert_eq!(output.data["offset"], 0);
}
