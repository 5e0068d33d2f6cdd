//! The web app: its files are part of the binary, packed when they were built, and every address that
//! is not the API's opens it. It asks the public API for everything, so nothing here knows any data.

use axum::{
    Router,
    body::Body,
    extract::Request,
    http::{HeaderMap, HeaderValue, Method, StatusCode, header},
    middleware::{self, Next},
    response::{Html, IntoResponse, Response},
};
use flate2::read::GzDecoder;
use rust_embed::{Embed, EmbeddedFile};
use std::{borrow::Cow, io::Read as _};

/// What the build wrote. Without it the server is built all the same, and says how to get it.
#[derive(Embed)]
#[folder = "../web/dist/"]
#[allow_missing = true]
#[include = "index.html"]
#[include = "*.svg"]
#[include = "assets/*.br"]
#[include = "assets/*.gz"]
struct Files;

/// Everything but these belongs to the app: its addresses are its own affair.
const NOT_THE_APP: [&str; 7] = [
    "api", "docs", "healthz", "metrics", "readyz", "startupz", "webhooks",
];
/// Below this every name holds a hash of what is in the file.
const HASHED: &str = "assets/";
/// Where the page has room for the nonce.
const NONCE: &str = r#"<meta name="csp-nonce" content="" />"#;
const NOT_BUILT: &str = include_str!("web_missing.html");

/// Puts the app over the routes of the server.
pub(crate) fn over(router: Router) -> Router {
    router.layer(middleware::from_fn(serve))
}

async fn serve(request: Request, next: Next) -> Response {
    let reads = matches!(*request.method(), Method::GET | Method::HEAD);
    let path = request.uri().path().trim_start_matches('/');
    let first = path.split('/').next().unwrap_or_default();
    if !reads || NOT_THE_APP.contains(&first) {
        return next.run(request).await;
    }
    if path.starts_with(HASHED) {
        return asset(path, request.headers());
    }
    match Files::get(path).filter(|_| path != "index.html") {
        Some(file) => plain(path, file),
        None => page(),
    }
}

/// A file whose name changes with its content, in the best encoding the client takes.
fn asset(path: &str, headers: &HeaderMap) -> Response {
    let kept = (header::CACHE_CONTROL, "public, max-age=31536000, immutable");
    for (encoding, ending) in [("br", ".br"), ("gzip", ".gz")] {
        if !accepts(headers, encoding) {
            continue;
        }
        if let Some(file) = Files::get(&format!("{path}{ending}")) {
            let encoded = (header::CONTENT_ENCODING, encoding);
            return answer(path, file.data, [kept, encoded]);
        }
    }
    match Files::get(&format!("{path}.gz")).map(|file| unpacked(&file)) {
        Some(Ok(content)) => answer(
            path,
            content.into(),
            [kept, (header::VARY, "accept-encoding")],
        ),
        Some(Err(error)) => {
            tracing::error!(%error, path, "a file of the web app cannot be unpacked");
            StatusCode::INTERNAL_SERVER_ERROR.into_response()
        }
        None => StatusCode::NOT_FOUND.into_response(),
    }
}

/// Whether the client takes the encoding; `q=0` refuses it.
fn accepts(headers: &HeaderMap, encoding: &str) -> bool {
    let accepted = headers.get(header::ACCEPT_ENCODING);
    let accepted = accepted.and_then(|value| value.to_str().ok());
    accepted.is_some_and(|accepted| {
        accepted.split(',').any(|one| {
            let (name, quality) = one.split_once(';').unwrap_or((one, ""));
            let refused = matches!(
                quality.replace(' ', "").as_str(),
                "q=0" | "q=0.0" | "q=0.00" | "q=0.000"
            );
            name.trim().eq_ignore_ascii_case(encoding) && !refused
        })
    })
}

/// For the few clients that take no encoding.
fn unpacked(file: &EmbeddedFile) -> std::io::Result<Vec<u8>> {
    let mut content = Vec::new();
    GzDecoder::new(file.data.as_ref()).read_to_end(&mut content)?;
    Ok(content)
}

/// A file whose name stays the same.
fn plain(path: &str, file: EmbeddedFile) -> Response {
    let fresh = (header::CACHE_CONTROL, "public, max-age=3600");
    answer(path, file.data, [fresh])
}

fn answer<const N: usize>(
    path: &str,
    content: Cow<'static, [u8]>,
    more: [(header::HeaderName, &'static str); N],
) -> Response {
    let kind = [
        (header::CONTENT_TYPE, content_type(path)),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    ];
    let body = match content {
        Cow::Borrowed(bytes) => Body::from(bytes),
        Cow::Owned(bytes) => Body::from(bytes),
    };
    let mut response = (kind, more, body).into_response();
    if path.starts_with(HASHED) {
        let headers = response.headers_mut();
        headers.insert(header::VARY, HeaderValue::from_static("accept-encoding"));
    }
    response
}

fn content_type(path: &str) -> &'static str {
    match path.rsplit('.').next() {
        Some("js") => "text/javascript; charset=utf-8",
        Some("css") => "text/css; charset=utf-8",
        Some("svg") => "image/svg+xml",
        _ => "application/octet-stream",
    }
}

/// The one page. Its policy allows no script and no style that is not a file of ours, but for the
/// style element of the theme, which carries the nonce of this answer.
fn page() -> Response {
    let nonce = crypto::random_secret();
    let nonce = nonce.expose();
    let file = Files::get("index.html");
    let text = file.as_ref().map_or(Cow::Borrowed(NOT_BUILT), |file| {
        String::from_utf8_lossy(&file.data)
    });
    let filled = NONCE.replace(r#""""#, &format!("\"{nonce}\""));
    let headers = [
        (header::CONTENT_SECURITY_POLICY, policy(nonce)),
        (header::CACHE_CONTROL, "no-cache".to_owned()),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff".to_owned()),
        (header::X_FRAME_OPTIONS, "DENY".to_owned()),
        (header::REFERRER_POLICY, "same-origin".to_owned()),
    ];
    (headers, Html(text.replace(NONCE, &filled))).into_response()
}

fn policy(nonce: &str) -> String {
    format!(
        "default-src 'none'; script-src 'self'; style-src 'self' 'nonce-{nonce}'; img-src 'self' data:; \
         font-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
    )
}

#[cfg(test)]
mod tests {
    use super::{HeaderMap, NONCE, NOT_BUILT, accepts, header, over, page};
    use axum::{
        Router,
        body::{Body, to_bytes},
        http::{Request, StatusCode},
        routing::any,
    };
    use tower::ServiceExt as _;

    async fn get(path: &str) -> (StatusCode, HeaderMap, String) {
        let below = Router::new().fallback(any(async || (StatusCode::IM_A_TEAPOT, "below")));
        let request = Request::get(path).body(Body::empty()).unwrap();
        let response = over(below).oneshot(request).await.unwrap();
        let (parts, body) = response.into_parts();
        let body = to_bytes(body, usize::MAX).await.unwrap();
        let text = String::from_utf8_lossy(&body).into_owned();
        (parts.status, parts.headers, text)
    }

    #[tokio::test]
    async fn every_address_of_the_app_opens_the_page_and_no_other_does() {
        for path in [
            "/",
            "/inbox",
            "/jobs/0198c0de-0000-7000-8000-000000000001",
            "/apis",
            "/index.html",
        ] {
            let (status, headers, page) = get(path).await;
            assert_eq!(status, StatusCode::OK, "{path}");
            assert_eq!(headers[header::CACHE_CONTROL], "no-cache", "{path}");
            assert!(page.contains("Nitejar"), "{path}: {page}");
        }
        for path in [
            "/api",
            "/api/v1/nothing",
            "/docs/",
            "/healthz",
            "/webhooks/telegram/1",
            "/metrics",
        ] {
            assert_eq!(get(path).await.0, StatusCode::IM_A_TEAPOT, "{path}");
        }
        assert_eq!(get("/assets/none.js").await.0, StatusCode::NOT_FOUND);
    }

    #[tokio::test]
    async fn the_page_carries_the_nonce_of_its_policy_and_allows_nothing_inline() {
        let (_, headers, text) = get("/").await;
        let policy = headers[header::CONTENT_SECURITY_POLICY].to_str().unwrap();
        assert!(!policy.contains("unsafe"), "{policy}");
        let nonce = policy
            .split("'nonce-")
            .nth(1)
            .unwrap()
            .split('\'')
            .next()
            .unwrap();
        assert!(text.contains(&format!("content=\"{nonce}\"")), "{text}");
        assert!(
            !text.contains("<style") && !text.contains(" style="),
            "{text}"
        );
        let (_, again, _) = get("/").await;
        assert_ne!(
            headers[header::CONTENT_SECURITY_POLICY],
            again[header::CONTENT_SECURITY_POLICY]
        );
    }

    #[test]
    fn both_pages_have_room_for_the_nonce() {
        let built = include_str!("../../web/index.html");
        assert!(built.contains(NONCE) && NOT_BUILT.contains(NONCE));
        assert_eq!(page().status(), StatusCode::OK);
    }

    #[test]
    fn an_encoding_is_used_only_where_it_is_taken() {
        let mut headers = HeaderMap::new();
        assert!(!accepts(&headers, "br"));
        headers.insert(
            header::ACCEPT_ENCODING,
            "gzip, deflate, BR;q=0.9".parse().unwrap(),
        );
        assert!(accepts(&headers, "br") && accepts(&headers, "gzip"));
        headers.insert(header::ACCEPT_ENCODING, "gzip, br; q=0".parse().unwrap());
        assert!(!accepts(&headers, "br"));
    }
}
