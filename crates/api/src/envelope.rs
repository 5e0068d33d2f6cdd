//! What surrounds every request: an id, a span, a measure, and errors in one form.

use crate::{problem, state::ApiState};
use axum::{
    extract::{MatchedPath, Request, State},
    http::{HeaderName, HeaderValue, Method},
    middleware::Next,
    response::Response,
};
use std::time::Instant;
use tracing::Instrument as _;

const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// What the log calls a request.
#[derive(Clone)]
pub(crate) struct RequestId(pub(crate) String);

/// Runs a request in its envelope.
pub(crate) async fn envelope(
    State(state): State<ApiState>,
    mut request: Request,
    next: Next,
) -> Response {
    let id = given_id(&request).unwrap_or_else(|| state.platform.ids.next().to_string());
    let method = request.method().clone();
    let route = request
        .extensions()
        .get::<MatchedPath>()
        .map_or_else(|| "unknown".to_owned(), |path| path.as_str().to_owned());
    let span = tracing::info_span!("http.request", request.id = %id, http.method = %method, http.route = route);
    request.extensions_mut().insert(RequestId(id.clone()));
    let started = Instant::now();
    let response = next.run(request).instrument(span).await;
    measure(known(&method), route, response.status().as_u16(), started);
    let mut response = problem::complete(response, &id);
    if let Ok(id) = HeaderValue::from_str(&id) {
        response.headers_mut().insert(REQUEST_ID, id);
    }
    response
}

/// An id that a proxy gave the request, if it can be trusted to be no more than an id.
fn given_id(request: &Request) -> Option<String> {
    let id = request.headers().get(REQUEST_ID)?.to_str().ok()?;
    let sound = !id.is_empty()
        && id.len() <= 64
        && id
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.'));
    sound.then(|| id.to_owned())
}

/// A method that this API has; HTTP lets a caller make up any other.
fn known(method: &Method) -> &'static str {
    const METHODS: [&str; 7] = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"];
    let known = METHODS.into_iter().find(|name| *name == method.as_str());
    known.unwrap_or("other")
}

/// Paths are counted by their pattern, and methods by those there are, so that a stranger cannot invent labels:
/// every one of them would stay in memory.
fn measure(method: &'static str, route: String, status: u16, started: Instant) {
    let labels = [
        ("method", method.to_owned()),
        ("route", route),
        ("status", status.to_string()),
    ];
    metrics::counter!("http_requests_total", &labels).increment(1);
    metrics::histogram!("http_request_duration_seconds", &labels)
        .record(started.elapsed().as_secs_f64());
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_method_that_a_caller_made_up_is_no_label() {
        let made_up = Method::from_bytes(b"KNOCK").unwrap();
        assert_eq!(known(&made_up), "other");
        assert_eq!(known(&Method::PATCH), "PATCH");
    }
}
