//! Checkpoints, made and restored with their progress as the service tells it.

use crate::{
    api::{Lines, Twice},
    error::SpritesError,
    sprite::{Place, RemoteSprite},
    wire::{
        NDJSON,
        checkpoint::{Checkpoint as Listed, CheckpointEvent, CheckpointsQuery, CreateCheckpoint},
    },
};
use async_trait::async_trait;
use ports::sandbox::{Checkpoint, Checkpoints, Progress, SandboxError};
use reqwest::{Method, RequestBuilder, header};

/// The service's word for what there is now; it is none that can be gone back to.
const NOW: &str = "Current";

impl Place {
    fn checkpoints(&self, method: Method, rest: &[&str]) -> RequestBuilder {
        self.door.api.request(method, &self.path(rest))
    }

    /// Follows long work to its end, and gives the last line.
    async fn follow(
        &self,
        request: RequestBuilder,
        progress: &dyn Progress,
    ) -> Result<String, SpritesError> {
        let api = &self.door.api;
        let request = request.header(header::ACCEPT, NDJSON);
        let mut lines = Lines::new(api.send(request, Twice::Differs).await?);
        while let Some(event) = lines.next(api).await? {
            match event {
                CheckpointEvent::Info { data, .. } => progress.line(&data),
                CheckpointEvent::Complete { data, .. } => {
                    progress.line(&data);
                    return Ok(data);
                }
                CheckpointEvent::Error { error, .. } => {
                    return Err(SpritesError::Refused {
                        status: 200,
                        body: Box::new(crate::wire::error::ErrorBody::text(error)),
                    });
                }
                CheckpointEvent::Unknown => {}
            }
        }
        let text = "the progress of a checkpoint ended before it was done";
        Err(SpritesError::Interrupted(text.into()))
    }

    fn about(&self, id: &str, error: SpritesError) -> SandboxError {
        self.noticed(error, |error| match error {
            SpritesError::NotFound { .. } => SandboxError::NotFound {
                path: format!("checkpoint {id}"),
            },
            error => error.into(),
        })
    }
}

fn checkpoint_of(listed: Listed) -> Checkpoint {
    Checkpoint {
        automatic: listed.is_auto || listed.id.starts_with("auto-"),
        created_at: listed.create_time.unwrap_or_default(),
        comment: listed.comment.filter(|comment| !comment.is_empty()),
        bytes: listed.bytes,
        id: listed.id,
    }
}

/// The id in `Checkpoint v8 created`.
fn id_in(text: &str) -> Option<&str> {
    let mut words = text.split(|c: char| !c.is_ascii_alphanumeric());
    words.find(|word| {
        let number = word.strip_prefix('v').unwrap_or_default();
        !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit())
    })
}

#[async_trait]
impl Checkpoints for RemoteSprite {
    async fn checkpoint(
        &self,
        comment: Option<String>,
        progress: &dyn Progress,
    ) -> Result<Checkpoint, SandboxError> {
        let place = self.place().await?;
        let request = place.checkpoints(Method::POST, &["checkpoint"]);
        let request = request.json(&CreateCheckpoint { comment });
        let done = place.follow(request, progress).await;
        let done = done.map_err(|error| place.failed(error))?;
        let Some(id) = id_in(&done) else {
            let text = format!("the service does not say which checkpoint it made: {done}");
            return Err(SandboxError::Lost(text));
        };
        let request = place.checkpoints(Method::GET, &["checkpoints", id]);
        let listed: Result<Listed, _> = self.api().json(request, Twice::Same).await;
        listed
            .map(checkpoint_of)
            .map_err(|error| place.about(id, error))
    }

    async fn checkpoints(&self) -> Result<Vec<Checkpoint>, SandboxError> {
        let Some(place) = self.existing().await? else {
            return Ok(Vec::new());
        };
        let query = CheckpointsQuery { include_auto: true };
        let request = place
            .checkpoints(Method::GET, &["checkpoints"])
            .query(&query);
        let listed: Result<Option<Vec<Listed>>, _> = self.api().json(request, Twice::Same).await;
        let listed = listed.map_err(|error| place.failed(error))?;
        let listed = listed.into_iter().flatten();
        Ok(listed
            .filter(|it| it.id != NOW)
            .map(checkpoint_of)
            .collect())
    }

    async fn restore(&self, id: &str, progress: &dyn Progress) -> Result<(), SandboxError> {
        let place = self.place().await?;
        let request = place.checkpoints(Method::POST, &["checkpoints", id, "restore"]);
        let done = place.follow(request, progress).await;
        done.map(drop).map_err(|error| place.about(id, error))
    }

    async fn delete_checkpoint(&self, id: &str) -> Result<(), SandboxError> {
        let place = self.place().await?;
        let request = place.checkpoints(Method::DELETE, &["checkpoints", id]);
        let sent = self.api().send(request, Twice::Differs).await;
        sent.map(drop).map_err(|error| place.about(id, error))
    }
}

#[cfg(test)]
mod tests {
    use super::id_in;

    #[test]
    fn the_id_is_found_in_the_last_line() {
        for (text, id) in [
            ("Checkpoint v8 created", Some("v8")),
            ("Restored to v5.", Some("v5")),
            ("done: v12", Some("v12")),
            ("very done, v", None),
            ("", None),
        ] {
            assert_eq!(id_in(text), id, "{text}");
        }
    }
}
