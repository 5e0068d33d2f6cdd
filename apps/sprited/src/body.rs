//! The bodies of requests: JSON whatever its content type says, and bytes up to a limit.

use crate::answer::Refusal;
use axum::{body::Body, http::StatusCode};
use bytes::{Bytes, BytesMut};
use futures_util::StreamExt as _;
use serde::de::DeserializeOwned;

/// The JSON of a body.
pub(crate) fn json<T: DeserializeOwned>(body: &[u8]) -> Result<T, Refusal> {
    serde_json::from_slice(body)
        .map_err(|error| Refusal::bad(format!("the body is not what is expected: {error}")))
}

/// The JSON of a body that may be left out.
pub(crate) fn optional<T: DeserializeOwned + Default>(body: &[u8]) -> Result<T, Refusal> {
    if body.trim_ascii().is_empty() {
        return Ok(T::default());
    }
    json(body)
}

/// A body of at most `limit` bytes. A longer one is still read, up to a point: whoever is cut off
/// while sending does not see the answer.
pub(crate) async fn limited(body: Body, limit: usize) -> Result<Bytes, Refusal> {
    const PATIENCE: usize = 4;
    let mut pieces = body.into_data_stream();
    let (mut kept, mut length) = (BytesMut::new(), 0_usize);
    while let Some(piece) = pieces.next().await {
        let piece = piece.map_err(|error| Refusal::bad(format!("the body broke off: {error}")))?;
        length = length.saturating_add(piece.len());
        if length <= limit {
            kept.extend_from_slice(&piece);
        } else if length > limit.saturating_mul(PATIENCE) {
            break;
        }
    }
    if length > limit {
        let message = format!("the body has more than the {limit} bytes allowed here");
        return Err(Refusal::bad(message).status(StatusCode::PAYLOAD_TOO_LARGE));
    }
    Ok(kept.freeze())
}
