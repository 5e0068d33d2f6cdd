//! Checkpoints: made, listed, restored, removed. What was begun goes on when nobody watches it.

use crate::{answer::Refusal, app::Target, body, ndjson, system};
use axum::{
    Json,
    body::Bytes,
    extract::{Path, Query},
    http::StatusCode,
    response::Response,
};
use ports::sandbox::{Checkpoint, Progress, SandboxError};
use sprites::wire::checkpoint::{self, CheckpointEvent, CheckpointsQuery, CreateCheckpoint};
use std::{sync::Arc, time::Duration};
use tokio::time::{MissedTickBehavior, interval};

/// How often something is said, so that no one in between takes the answer for dead.
const SILENCE: Duration = Duration::from_secs(15);

/// `POST …/checkpoint`.
pub(crate) async fn create(target: Target, given: Bytes) -> Result<Response, Refusal> {
    let asked: CreateCheckpoint = body::optional(&given)?;
    let sprite = Arc::clone(&target.sprite);
    Ok(told(&target, async move |lines| {
        let made = sprite.checkpoint(asked.comment, &lines).await?;
        Ok(format!("Checkpoint {} created", made.id))
    }))
}

/// `GET …/checkpoints`.
pub(crate) async fn list(
    target: Target,
    Query(query): Query<CheckpointsQuery>,
) -> Result<Json<Vec<checkpoint::Checkpoint>>, Refusal> {
    let checkpoints = target.sprite.checkpoints().await?;
    let shown = checkpoints
        .into_iter()
        .filter(|checkpoint| query.include_auto || !checkpoint.automatic);
    Ok(Json(shown.map(wire).collect()))
}

/// `GET …/checkpoints/{id}`.
pub(crate) async fn get(
    target: Target,
    Path((_, id)): Path<(String, String)>,
) -> Result<Json<checkpoint::Checkpoint>, Refusal> {
    find(&target, &id).await.map(wire).map(Json)
}

/// `POST …/checkpoints/{id}/restore`.
pub(crate) async fn restore(
    target: Target,
    Path((_, id)): Path<(String, String)>,
) -> Result<Response, Refusal> {
    find(&target, &id).await?;
    let sprite = Arc::clone(&target.sprite);
    Ok(told(&target, async move |lines| {
        sprite.restore(&id, &lines).await?;
        Ok(format!("Restored to {id}"))
    }))
}

/// `DELETE …/checkpoints/{id}`.
pub(crate) async fn delete(
    target: Target,
    Path((_, id)): Path<(String, String)>,
) -> Result<StatusCode, Refusal> {
    find(&target, &id).await?;
    target.sprite.delete_checkpoint(&id).await?;
    Ok(StatusCode::NO_CONTENT)
}

async fn find(target: &Target, id: &str) -> Result<Checkpoint, Refusal> {
    let checkpoints = target.sprite.checkpoints().await?;
    let found = checkpoints
        .into_iter()
        .find(|checkpoint| checkpoint.id == id);
    found.ok_or_else(|| Refusal::missing(format!("checkpoint not found: {id}")))
}

fn wire(checkpoint: Checkpoint) -> checkpoint::Checkpoint {
    checkpoint::Checkpoint {
        id: checkpoint.id,
        create_time: Some(checkpoint.created_at),
        comment: checkpoint.comment,
        is_auto: checkpoint.automatic,
        bytes: checkpoint.bytes,
    }
}

/// Lines for whoever watches.
#[derive(Clone)]
struct Told(Arc<ndjson::Lines<CheckpointEvent>>);

impl Progress for Told {
    fn line(&self, text: &str) {
        self.0.hint(&CheckpointEvent::Info {
            data: text.to_owned(),
            time: Some(system::now()),
        });
    }
}

/// Does long work and tells how it goes; the work decides the last line.
fn told<F>(target: &Target, work: impl FnOnce(Told) -> F + Send + 'static) -> Response
where
    F: Future<Output = Result<String, SandboxError>> + Send + 'static,
{
    let (lines, response) = ndjson::answer();
    let told = Told(Arc::new(lines));
    let used = target.used();
    target.app.tasks.spawn(async move {
        let work = work(told.clone());
        tokio::pin!(work);
        let mut silence = interval(SILENCE);
        silence.set_missed_tick_behavior(MissedTickBehavior::Delay);
        silence.reset();
        let done = loop {
            tokio::select! {
                done = &mut work => break done,
                _ = silence.tick() => told.line("still at it"),
            }
        };
        let time = Some(system::now());
        let last = match done {
            Ok(data) => CheckpointEvent::Complete { data, time },
            Err(error) => CheckpointEvent::Error {
                error: error.to_string(),
                time,
            },
        };
        told.0.write(&last).await;
        drop(used);
    });
    response
}
