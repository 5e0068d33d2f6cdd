//! How the file API refuses: a code that clients act on, the path, and words.

use crate::answer::Refusal;
use axum::{
    Json,
    http::StatusCode,
    response::{IntoResponse, Response},
};
use ports::sandbox::SandboxError;
use sprites::wire::error::{ErrorBody, FileCode};

/// Why something was not done to a file.
#[derive(Debug)]
pub(crate) enum FileRefusal {
    /// In the words of files.
    File(StatusCode, Box<ErrorBody>),
    /// It has nothing to do with a file.
    Other(Refusal),
}

impl FileRefusal {
    pub(super) fn new(code: FileCode, path: &str, text: impl Into<String>) -> Self {
        let body = ErrorBody::file(code, path, text);
        Self::File(status(code), Box::new(body))
    }

    /// What the sandbox says of a path.
    pub(super) fn of(path: &str, error: SandboxError) -> Self {
        match error {
            SandboxError::NotFound { .. } => Self::new(FileCode::NotFound, path, error.to_string()),
            SandboxError::Refused(text) => Self::new(code(&text), path, text),
            SandboxError::Conflict(text) => Self::new(FileCode::Exists, path, text),
            SandboxError::Exhausted { message, .. } => {
                let body = ErrorBody::file(FileCode::Io, path, message);
                Self::File(StatusCode::INSUFFICIENT_STORAGE, Box::new(body))
            }
            error @ (SandboxError::Lost(_) | SandboxError::Unavailable(_)) => {
                Self::Other(error.into())
            }
        }
    }
}

impl From<Refusal> for FileRefusal {
    fn from(refusal: Refusal) -> Self {
        Self::Other(refusal)
    }
}

impl IntoResponse for FileRefusal {
    fn into_response(self) -> Response {
        match self {
            Self::File(status, body) => (status, Json(body)).into_response(),
            Self::Other(refusal) => refusal.into_response(),
        }
    }
}

const fn status(code: FileCode) -> StatusCode {
    match code {
        FileCode::NotFound => StatusCode::NOT_FOUND,
        FileCode::Denied | FileCode::NotPermitted => StatusCode::FORBIDDEN,
        FileCode::Exists | FileCode::NotEmpty => StatusCode::CONFLICT,
        FileCode::NotDirectory | FileCode::IsDirectory | FileCode::Invalid => {
            StatusCode::BAD_REQUEST
        }
        FileCode::Io => StatusCode::INTERNAL_SERVER_ERROR,
    }
}

/// The sandbox speaks to people; the code is found in its words, the system's own among them.
fn code(text: &str) -> FileCode {
    let words = [
        ("not permitted", FileCode::NotPermitted),
        ("ermission denied", FileCode::Denied),
        ("ead-only", FileCode::Denied),
        ("not empty", FileCode::NotEmpty),
        ("not a directory", FileCode::NotDirectory),
        ("Not a directory", FileCode::NotDirectory),
        ("s a directory", FileCode::IsDirectory),
        ("exists already", FileCode::Exists),
        ("File exists", FileCode::Exists),
        ("disk is full", FileCode::Io),
    ];
    let found = words.into_iter().find(|(words, _)| text.contains(words));
    found.map_or(FileCode::Invalid, |(_, code)| code)
}
