//! Reading a file as it comes, so that one that is too large is never held.

use super::{failure, query, stat};
use crate::{api::Twice, sprite::Place};
use bytes::{Bytes, BytesMut};
use ports::sandbox::SandboxError;
use reqwest::{Method, header};

/// Its bytes, when there are at most `limit`.
pub(crate) async fn read(place: &Place, path: &str, limit: u64) -> Result<Bytes, SandboxError> {
    let oversized = |size: u64| {
        let text = format!("{path}: the file has {size} bytes, more than the {limit} allowed here");
        SandboxError::Refused(text)
    };
    let failed = |error| failure(place, path, error);
    let query = query(place, place.absolute(path), false);
    let request = place
        .request(Method::GET, "read")
        .query(&query)
        // The length that is told is then the file's.
        .header(header::ACCEPT_ENCODING, "identity");
    let api = &place.door.api;
    let mut response = api.send(request, Twice::Same).await.map_err(failed)?;
    let told = response.content_length();
    if let Some(size) = told.filter(|size| *size > limit) {
        return Err(oversized(size));
    }
    let mut content = BytesMut::new();
    while let Some(piece) = api.piece(&mut response).await.map_err(failed)? {
        content.extend_from_slice(&piece);
        let came = u64::try_from(content.len()).unwrap_or(u64::MAX);
        if came > limit {
            let size = stat(place, path).await.map_or(came, |entry| entry.bytes);
            return Err(oversized(size.max(came)));
        }
    }
    Ok(content.freeze())
}
