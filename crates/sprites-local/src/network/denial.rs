//! Why the proxy does not carry something, in the words and the codes of its protocols.

use hyper::StatusCode;
use std::{io, net::IpAddr};

/// A refusal.
#[derive(Debug, thiserror::Error)]
pub(super) enum Denial {
    #[error("{0} is not allowed by this sprite's network policy")]
    NotAllowed(String),
    #[error("{host} leads to {address}, which is not a public address; sprites reach no others")]
    NotPublic { host: String, address: IpAddr },
    #[error("{0} is no longer allowed by this sprite's network policy")]
    Cut(String),
    #[error("{0}")]
    Malformed(String),
    #[error("{host} has no address")]
    Unresolved {
        host: String,
        #[source]
        source: Option<io::Error>,
    },
    #[error("{host} cannot be reached")]
    Unreachable {
        host: String,
        #[source]
        source: Option<io::Error>,
    },
    #[error("{0} did not answer in time")]
    TimedOut(String),
}

impl Denial {
    pub(super) fn status(&self) -> StatusCode {
        match self {
            Self::NotAllowed(_) | Self::NotPublic { .. } | Self::Cut(_) => StatusCode::FORBIDDEN,
            Self::Malformed(_) => StatusCode::BAD_REQUEST,
            Self::Unresolved { .. } | Self::Unreachable { .. } => StatusCode::BAD_GATEWAY,
            Self::TimedOut(_) => StatusCode::GATEWAY_TIMEOUT,
        }
    }

    /// The reply code of SOCKS5 (RFC 1928).
    pub(super) fn socks(&self) -> u8 {
        match self {
            Self::NotAllowed(_) | Self::NotPublic { .. } | Self::Cut(_) => 2,
            Self::Unresolved { .. } | Self::TimedOut(_) => 4,
            Self::Unreachable { .. } => 5,
            Self::Malformed(_) => 1,
        }
    }
}
