//! The one error of every use case. What a caller may read is in the message; what only the
//! operator may read is the source, and never part of the message.

use domain::access::{Area, Right};
use ports::{BoxError, sandbox::SandboxError, store::StoreError};
use std::time::Duration;

/// Why a use case did not do what it was asked; named by what the caller can do about it.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// There is no such thing, or it belongs to somebody else, which looks the same.
    #[error("{what} not found")]
    NotFound {
        /// What was looked for.
        what: &'static str,
    },
    /// It is used up, or never was; both look the same.
    #[error("{message}")]
    Gone {
        /// Stable, snake case.
        code: &'static str,
        /// The way out.
        message: String,
    },
    /// It does not go together with how things stand.
    #[error("{message}")]
    Conflict {
        /// Stable, snake case.
        code: &'static str,
        /// What stands against it, and the way out.
        message: String,
    },
    /// The request cannot be read at all.
    #[error("{message}")]
    Malformed {
        /// What is wrong with it.
        message: String,
    },
    /// A value that cannot be accepted.
    #[error("{field}: {message}")]
    Invalid {
        /// The field, with dots for nesting.
        field: String,
        /// What is wrong with it and what would be right.
        message: String,
    },
    /// No credential, or one that opens nothing.
    #[error("a login or a valid bearer token is needed")]
    Unauthenticated,
    /// A login that was refused; what was wrong with it is told in no more detail than the code.
    #[error("{message}")]
    LoginRefused {
        /// Stable, snake case.
        code: &'static str,
        /// The way out.
        message: String,
    },
    /// The credential is good, but not for this.
    #[error("{message}")]
    Forbidden {
        /// Stable, snake case.
        code: &'static str,
        /// What it would need.
        message: String,
    },
    /// Too much, too fast or too large.
    #[error("{message}")]
    LimitReached {
        /// Which limit, and the way out.
        message: String,
        /// When to come back.
        retry_after: Option<Duration>,
    },
    /// It cannot be done now.
    #[error("{message}")]
    Unavailable {
        /// What is missing, and the way out.
        message: String,
        /// When to come back, when that is known.
        retry_after: Option<Duration>,
    },
    /// Our own fault.
    #[error("the server failed to do this; its log says why")]
    Internal(#[source] BoxError),
}

impl Error {
    /// A value that cannot be accepted.
    pub fn invalid(field: impl Into<String>, message: impl Into<String>) -> Self {
        Self::Invalid {
            field: field.into(),
            message: message.into(),
        }
    }

    /// A right that the caller does not carry.
    pub fn denied(area: Area, right: Right) -> Self {
        Self::Forbidden {
            code: "forbidden",
            message: format!(
                "this needs the right to {right} {area}: a role that carries it and, for a token with scopes, the scope `{area}:{right}`"
            ),
        }
    }

    /// Something that stands against the request.
    pub fn conflict(code: &'static str, message: impl Into<String>) -> Self {
        Self::Conflict {
            code,
            message: message.into(),
        }
    }
}

impl From<SandboxError> for Error {
    fn from(error: SandboxError) -> Self {
        match error {
            SandboxError::NotFound { .. } => Self::NotFound { what: "sprite" },
            SandboxError::Refused(text) => Self::invalid("sprite", text),
            SandboxError::Conflict(text) => Self::conflict("sprite_conflict", text),
            SandboxError::Exhausted {
                message,
                retry_after,
            } => Self::LimitReached {
                message,
                retry_after,
            },
            SandboxError::Lost(_) | SandboxError::Unavailable(_) => Self::Unavailable {
                message: error.to_string(),
                retry_after: None,
            },
        }
    }
}

impl From<StoreError> for Error {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Conflict { entity, .. } => Self::Conflict {
                code: "already_exists",
                message: format!("such a row of {entity} exists already"),
            },
            StoreError::Stale => Self::Conflict {
                code: "changed_meanwhile",
                message: "somebody else changed this at the same moment; look again and repeat"
                    .to_owned(),
            },
            StoreError::Corrupt { .. } | StoreError::Backend(_) => Self::Internal(Box::new(error)),
        }
    }
}

/// Turns an absent row into [`Error::NotFound`].
pub(crate) fn found<T>(row: Option<T>, what: &'static str) -> Result<T, Error> {
    row.ok_or(Error::NotFound { what })
}
