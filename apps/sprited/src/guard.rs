//! Who may ask at all: requests that name this server, from no foreign web page, with a token. The
//! token is looked at before any path is, so that nothing is told to those who have none.

use crate::{answer::Refusal, app::Shared, url};
use axum::{
    extract::{Request, State},
    http::{HeaderMap, HeaderValue, StatusCode, header, uri::Authority},
    middleware::Next,
    response::{IntoResponse as _, Response},
};
use sprites::wire;
use std::net::IpAddr;
use tokio::time::Instant;

/// Says the version with every answer and notes each request, without its query: that holds the
/// environment of commands.
pub(crate) async fn note(request: Request, next: Next) -> Response {
    let (method, path) = (request.method().clone(), request.uri().path().to_owned());
    let began = Instant::now();
    let mut response = next.run(request).await;
    response.headers_mut().insert(
        wire::VERSION_HEADER,
        HeaderValue::from_static(wire::VERSION),
    );
    tracing::debug!(
        http.method = %method, http.path = path, http.status = response.status().as_u16(),
        http.millis = began.elapsed().as_secs_f64() * 1e3, "request answered"
    );
    response
}

/// Lets through what is meant for this server, and what is meant for a sprite's own URL to there.
pub(crate) async fn admit(State(app): State<Shared>, request: Request, next: Next) -> Response {
    let Some(host) = host(&request) else {
        return Refusal::bad("the request names no host").into_response();
    };
    if let Some(name) = host.strip_suffix(".localhost") {
        let name = name.to_owned();
        return url::forward(&app, &name, request).await;
    }
    let literal = host.trim_matches(['[', ']']).parse::<IpAddr>().is_ok();
    let named = app
        .settings
        .hosts
        .iter()
        .any(|known| known.eq_ignore_ascii_case(&host));
    if !(literal || named || host == "localhost") {
        let message =
            format!("`{host}` is not a name of this server; add it to SPRITED_HOSTS if it is");
        return Refusal::new(StatusCode::FORBIDDEN, "host not allowed", &message).into_response();
    }
    if let Some(origin) = request.headers().get(header::ORIGIN)
        && !app
            .settings
            .origins
            .iter()
            .any(|known| origin == known.as_str())
    {
        let message = "requests of web pages are refused; add the page's origin to SPRITED_ORIGINS to allow them";
        return Refusal::new(StatusCode::FORBIDDEN, "origin not allowed", message).into_response();
    }
    if request.uri().path() != "/healthz" && !has_token(&app, request.headers()) {
        return unauthorized();
    }
    next.run(request).await
}

/// Whether a request carries one of the tokens.
pub(crate) fn has_token(app: &Shared, headers: &HeaderMap) -> bool {
    let given = headers.get(header::AUTHORIZATION);
    let token = given.and_then(|value| {
        let (scheme, token) = value.to_str().ok()?.split_once(' ')?;
        scheme
            .eq_ignore_ascii_case("bearer")
            .then_some(token.trim())
    });
    token.is_some_and(|token| app.tokens.accept(token))
}

/// The answer without a good token.
pub(crate) fn unauthorized() -> Response {
    let message = "send `Authorization: Bearer <token>` with a token of this server";
    let refusal = Refusal::new(StatusCode::UNAUTHORIZED, "unauthorized", message);
    let challenge = [(header::WWW_AUTHENTICATE, "Bearer")];
    (challenge, refusal).into_response()
}

/// The host that a request is for, lower case and without a port.
fn host(request: &Request) -> Option<String> {
    let authority = match request.headers().get(header::HOST) {
        Some(value) => value.to_str().ok()?.parse::<Authority>().ok()?,
        None => request.uri().authority()?.clone(),
    };
    Some(authority.host().to_ascii_lowercase())
}
