//! `GET …/fs/watch`.

use crate::{answer::Refusal, app::Target};
use axum::http::StatusCode;

/// The executor cannot be told to tell of changes, and looking at all files again and again would
/// keep every watched sprite at work.
pub(crate) async fn watch(_target: Target) -> Refusal {
    let message = "this server does not tell of changes to files; run inotifywait or a loop in the sprite instead";
    Refusal::new(
        StatusCode::NOT_IMPLEMENTED,
        "fs/watch is not supported",
        message,
    )
}
