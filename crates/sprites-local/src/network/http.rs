//! The proxy's HTTP side: CONNECT for tunnels and absolute-form requests for plain HTTP. Each
//! request is decided by itself, also on a connection that is kept.

use super::{denial::Denial, destination::Destination, gate::Gate};
use bytes::Bytes;
use http_body_util::{Either, Full};
use hyper::{
    HeaderMap, Method, Request, Response, StatusCode, Uri,
    body::Incoming,
    client,
    ext::ReasonPhrase,
    header::{self, HeaderName, HeaderValue},
    http::uri::{Authority, Scheme},
    server,
    service::service_fn,
};
use hyper_util::rt::{TokioIo, TokioTimer};
use std::{convert::Infallible, sync::Arc};
use tokio::{
    io::{AsyncRead, AsyncWrite, copy_bidirectional},
    sync::OwnedSemaphorePermit,
    time::timeout,
};

/// The most that a request line and its headers may take, in bytes.
const HEAD: usize = 16 << 10;
/// Headers that are between us and one side, and not for the other.
static HOP_BY_HOP: [HeaderName; 10] = [
    header::CONNECTION,
    header::EXPECT,
    header::PROXY_AUTHENTICATE,
    header::PROXY_AUTHORIZATION,
    header::TE,
    header::TRAILER,
    header::TRANSFER_ENCODING,
    header::UPGRADE,
    HeaderName::from_static("keep-alive"),
    HeaderName::from_static("proxy-connection"),
];

type Answer = Response<Either<Full<Bytes>, Incoming>>;

/// Serves one client for as long as it keeps its connection.
pub(super) async fn serve(
    client: impl AsyncRead + AsyncWrite + Send + Unpin + 'static,
    gate: Arc<Gate>,
    place: Arc<OwnedSemaphorePermit>,
) -> hyper::Result<()> {
    let head = gate.limits.head;
    let service = service_fn(|request| {
        let (gate, place) = (Arc::clone(&gate), Arc::clone(&place));
        async move {
            let answered = if request.method() == Method::CONNECT {
                tunnel(&gate, request, place).await
            } else {
                forward(&gate, request).await
            };
            Ok::<_, Infallible>(answered.unwrap_or_else(|denial| refusal(&denial)))
        }
    });
    server::conn::http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(head)
        .max_header_size(HEAD)
        .serve_connection(TokioIo::new(client), service)
        .with_upgrades()
        .await
}

/// Opens a tunnel. It outlives the request, so it holds the client's place.
async fn tunnel(
    gate: &Arc<Gate>,
    mut request: Request<Incoming>,
    place: Arc<OwnedSemaphorePermit>,
) -> Result<Answer, Denial> {
    let to = destination(request.uri().authority(), None)?;
    let (mut stream, lease) = gate.connect(&to).await?;
    let upgrade = hyper::upgrade::on(&mut request);
    gate.tasks.spawn(lease.carry(async move {
        if let Ok(client) = upgrade.await {
            // Either side may break off; that is the end of a tunnel like any other.
            drop(copy_bidirectional(&mut TokioIo::new(client), &mut stream).await);
        }
        drop(place);
    }));
    Ok(Response::new(Either::Left(Full::default())))
}

/// Passes one request on, over a connection of its own.
async fn forward(gate: &Arc<Gate>, mut request: Request<Incoming>) -> Result<Answer, Denial> {
    if request.uri().scheme() != Some(&Scheme::HTTP) {
        let text = "this is a proxy: it takes CONNECT, and requests with a whole http:// address";
        return Err(Denial::Malformed(text.into()));
    }
    let authority = request.uri().authority().cloned();
    let to = destination(authority.as_ref(), Some(80))?;
    let (stream, lease) = gate.connect(&to).await?;
    let broken = |error: hyper::Error| Denial::Unreachable {
        host: to.host.clone(),
        source: Some(std::io::Error::other(error)),
    };
    let (mut sender, connection) = client::conn::http1::handshake(TokioIo::new(stream))
        .await
        .map_err(broken)?;
    gate.tasks.spawn(lease.carry(connection));
    prepare(&mut request, &to, authority.as_ref())?;
    let patience = timeout(gate.limits.idle, sender.send_request(request));
    let answered = patience
        .await
        .map_err(|_elapsed| Denial::TimedOut(to.host.clone()))?;
    let mut response = answered.map_err(broken)?;
    strip(response.headers_mut());
    Ok(response.map(Either::Right))
}

/// Makes a request to a proxy one to the server.
fn prepare(
    request: &mut Request<Incoming>,
    to: &Destination,
    authority: Option<&Authority>,
) -> Result<(), Denial> {
    let bad = || Denial::Malformed(format!("not a request to {}", to.host));
    let path = request.uri().path_and_query().cloned();
    *request.uri_mut() = path.map_or_else(|| Uri::from_static("/"), Uri::from);
    strip(request.headers_mut());
    let host = authority.map(|authority| authority.as_str().rsplit('@').next().unwrap_or_default());
    let host = HeaderValue::from_str(host.unwrap_or(&to.host)).map_err(|_invalid| bad())?;
    request.headers_mut().insert(header::HOST, host);
    Ok(())
}

fn strip(headers: &mut HeaderMap) {
    let named: Vec<HeaderName> = headers
        .get_all(header::CONNECTION)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .filter_map(|name| name.trim().parse().ok())
        .filter(|name| name != header::CONTENT_LENGTH && name != header::HOST)
        .collect();
    for name in named.iter().chain(&HOP_BY_HOP) {
        headers.remove(name);
    }
}

fn destination(authority: Option<&Authority>, port: Option<u16>) -> Result<Destination, Denial> {
    let named = authority.and_then(|authority| {
        let port = authority
            .port_u16()
            .or(port.filter(|_| authority.port().is_none()));
        Some((authority.host(), port?))
    });
    let (host, port) =
        named.ok_or_else(|| Denial::Malformed("no host and port to go to".into()))?;
    Destination::new(host, port)
}

/// The reason stands in the status line too, because that is what most clients show of a proxy.
fn refusal(denial: &Denial) -> Answer {
    let reason = denial.to_string();
    let body = Full::from(format!("{reason}\n"));
    let mut response = Response::new(Either::Left(body));
    *response.status_mut() = denial.status();
    if let Ok(phrase) = ReasonPhrase::try_from(reason) {
        response.extensions_mut().insert(phrase);
    }
    let text = HeaderValue::from_static("text/plain; charset=utf-8");
    response.headers_mut().insert(header::CONTENT_TYPE, text);
    if response.status() == StatusCode::BAD_REQUEST {
        let close = HeaderValue::from_static("close");
        response.headers_mut().insert(header::CONNECTION, close);
    }
    response
}
