//! Host and Origin: a page of somebody else, or a name that somebody else pointed at us, must not
//! reach the API through a person's browser.

use crate::{problem::ApiError, state::ApiState};
use axum::{
    extract::{Request, State},
    http::{StatusCode, Uri, header, uri::Authority},
    middleware::Next,
    response::Response,
};
use std::net::IpAddr;

/// Refuses names and origins that are not ours.
pub(crate) async fn same_site(
    State(state): State<ApiState>,
    request: Request,
    next: Next,
) -> Result<Response, ApiError> {
    let ours = state.platform.settings.public_url.as_deref().and_then(host);
    let headers = request.headers();
    let named = headers
        .get(header::HOST)
        .and_then(|value| value.to_str().ok())
        .or_else(|| request.uri().authority().map(Authority::as_str));
    let Some(named) = named else {
        return Err(ApiError::new(
            StatusCode::BAD_REQUEST,
            "bad_request",
            "the Host header is missing",
        ));
    };
    let name = host(&format!("http://{named}"));
    if !name
        .as_deref()
        .is_some_and(|name| is_ours(name, ours.as_deref()))
    {
        return Err(ApiError::new(
            StatusCode::FORBIDDEN,
            "foreign_host",
            "this server does not answer under that name; set APP_BASE_URL to the URL it is reached by",
        ));
    }
    let foreign_origin = headers.get(header::ORIGIN).is_some_and(|origin| {
        let origin = origin.to_str().ok().and_then(host);
        !origin
            .is_some_and(|origin| Some(&origin) == name.as_ref() || Some(&origin) == ours.as_ref())
    });
    if foreign_origin {
        return Err(ApiError::new(
            StatusCode::FORBIDDEN,
            "foreign_origin",
            "requests from pages of other sites are refused",
        ));
    }
    Ok(next.run(request).await)
}

/// A name nobody can point elsewhere: an address, this very machine, or the one the operator set.
fn is_ours(name: &str, ours: Option<&str>) -> bool {
    let bare = name.trim_start_matches('[').trim_end_matches(']');
    name == "localhost" || bare.parse::<IpAddr>().is_ok() || Some(name) == ours
}

/// The host of a URL, lower case, without the port.
fn host(url: &str) -> Option<String> {
    let url: Uri = url.parse().ok()?;
    Some(url.host()?.to_ascii_lowercase())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_names_that_nobody_can_point_elsewhere_are_ours() {
        for name in ["localhost", "127.0.0.1", "[::1]", "10.0.0.7", "jar.example"] {
            assert!(is_ours(name, Some("jar.example")), "{name}");
        }
        for name in [
            "evil.example",
            "localhost.evil.example",
            "127.0.0.1.nip.example",
        ] {
            assert!(!is_ours(name, Some("jar.example")), "{name}");
        }
        assert_eq!(host("http://[::1]:3000"), Some("[::1]".to_owned()));
        assert_eq!(
            host("https://Jar.Example/x"),
            Some("jar.example".to_owned())
        );
        assert_eq!(host("null"), Some("null".to_owned()));
    }
}
