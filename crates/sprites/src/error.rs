//! What can go wrong with the service, by kind. Texts never hold the token, an address or a query.

use crate::wire::error::ErrorBody;
use ports::sandbox::SandboxError;
use std::time::Duration;

/// Why a request did not work out.
#[derive(Debug, thiserror::Error)]
pub enum SpritesError {
    /// 404: the sprite, or what was asked of it, is not there.
    #[error("the Sprites API does not know it: {}", words(.body))]
    NotFound {
        /// What it said.
        body: Box<ErrorBody>,
    },
    /// 401 or 403.
    #[error("the Sprites API refused the token ({status}); check that it is right and not expired")]
    Unauthorized {
        /// Which.
        status: u16,
        /// What it said.
        body: Box<ErrorBody>,
    },
    /// 409: there is one already, or it is not in the state for it.
    #[error("{}", words(.body))]
    Conflict {
        /// What it said.
        body: Box<ErrorBody>,
    },
    /// 410: it was there.
    #[error("it has ended: {}", words(.body))]
    Gone {
        /// What it said.
        body: Box<ErrorBody>,
    },
    /// 429: too many requests, or too many sprites.
    #[error("the Sprites API has a limit: {}", words(.body))]
    TooMany {
        /// What it said, with the limit where it named it.
        body: Box<ErrorBody>,
        /// When it is worth to try again.
        retry_after: Option<Duration>,
    },
    /// Any other refusal.
    #[error("the Sprites API refused it ({status}): {}", words(.body))]
    Refused {
        /// The status.
        status: u16,
        /// What it said.
        body: Box<ErrorBody>,
    },
    /// 5xx.
    #[error("the Sprites API failed ({status}): {}", words(.body))]
    Failed {
        /// The status.
        status: u16,
        /// What it said.
        body: Box<ErrorBody>,
    },
    /// No connection; nothing was asked.
    #[error("the Sprites API cannot be reached; check its address and the network")]
    NotReached(#[source] reqwest::Error),
    /// The connection broke, or the answer took too long; what was asked may have been done.
    #[error("the connection to the Sprites API broke: {0}")]
    Interrupted(String),
    /// The answer makes no sense.
    #[error("the Sprites API answered what is not understood: {0}")]
    Protocol(String),
}

fn words(body: &ErrorBody) -> &str {
    body.words().unwrap_or("it did not say why")
}

impl SpritesError {
    /// What a client reports, by whether the service can have heard of the request.
    pub(crate) fn from_client(error: reqwest::Error) -> Self {
        // An address holds a command's environment.
        let error = error.without_url();
        if error.is_connect() {
            return Self::NotReached(error);
        }
        let mut text = error.to_string();
        let mut source = std::error::Error::source(&error);
        while let Some(cause) = source {
            text = cause.to_string();
            source = cause.source();
        }
        Self::Interrupted(text)
    }

    /// What the service said, if it did.
    pub fn body(&self) -> Option<&ErrorBody> {
        match self {
            Self::NotFound { body }
            | Self::Unauthorized { body, .. }
            | Self::Conflict { body }
            | Self::Gone { body }
            | Self::TooMany { body, .. }
            | Self::Refused { body, .. }
            | Self::Failed { body, .. } => Some(body),
            Self::NotReached(_) | Self::Interrupted(_) | Self::Protocol(_) => None,
        }
    }

    /// Whether it is the sprite itself that is not there.
    pub(crate) fn sprite_is_gone(&self) -> bool {
        match self {
            Self::NotFound { body } => words(body)
                .to_ascii_lowercase()
                .contains("sprite not found"),
            _ => false,
        }
    }
}

impl From<SpritesError> for SandboxError {
    fn from(error: SpritesError) -> Self {
        let text = error.to_string();
        match error {
            SpritesError::NotFound { .. }
            | SpritesError::Gone { .. }
            | SpritesError::Interrupted(_)
            | SpritesError::Protocol(_) => Self::Lost(text),
            SpritesError::Conflict { .. } => Self::Conflict(text),
            SpritesError::TooMany { retry_after, .. } => Self::Exhausted {
                message: text,
                retry_after,
            },
            SpritesError::Refused { body, .. } => match body.words() {
                Some(words) => Self::Refused(words.to_owned()),
                None => Self::Refused(text),
            },
            SpritesError::Unauthorized { .. }
            | SpritesError::Failed { .. }
            | SpritesError::NotReached(_) => Self::Unavailable(text),
        }
    }
}
