//! What the file API says about a path, in the words of the port.

use crate::{error::SpritesError, sprite::Place, wire::error::FileCode};
use ports::sandbox::SandboxError;

/// A failure of a request about a path, as it was given.
pub(crate) fn failure(place: &Place, path: &str, error: SpritesError) -> SandboxError {
    place.noticed(error, |error| about(path, error))
}

fn about(path: &str, error: SpritesError) -> SandboxError {
    let refused = |text: &str| SandboxError::Refused(format!("{path}: {text}"));
    let body = error.body();
    let code = body.and_then(|body| FileCode::parse(body.code.as_deref()?));
    match (code, &error) {
        (Some(FileCode::NotFound), _) | (None, SpritesError::NotFound { .. }) => {
            SandboxError::NotFound {
                path: path.to_owned(),
            }
        }
        (Some(FileCode::NotDirectory), _) => refused("a part of the path is not a directory"),
        (Some(FileCode::IsDirectory), _) => refused("it is a directory"),
        (Some(FileCode::Denied | FileCode::NotPermitted), _) => refused("permission denied"),
        (Some(FileCode::Exists), _) => refused("it exists already"),
        (Some(FileCode::NotEmpty), _) => refused("the directory is not empty"),
        (Some(FileCode::Invalid | FileCode::Io), _)
        | (None, SpritesError::Refused { .. } | SpritesError::Conflict { .. }) => {
            match body.and_then(|body| body.words()) {
                Some(words) if words.starts_with(path) => SandboxError::Refused(words.to_owned()),
                Some(words) => refused(words),
                None => refused("it cannot be done"),
            }
        }
        (None, _) => error.into(),
    }
}
