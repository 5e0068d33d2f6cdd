//! The URL of a sprite: requests for its own host name go to the port of the service that has one,
//! or to 8080. This server's token opens it and goes no further; what answers is the sprite's.

use crate::{
    answer::Refusal,
    app::{Shared, Target, no_sprite},
    guard,
};
use axum::{
    body::Body,
    extract::Request,
    http::{HeaderMap, HeaderName, StatusCode, Uri, header},
    response::{IntoResponse as _, Response},
};
use bytes::Bytes;
use futures_util::StreamExt as _;
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use ports::sandbox::{Tunnel, TunnelInput};
use sprites::wire::sprite::UrlAuth;
use std::sync::Arc;
use tokio::io::{
    AsyncReadExt as _, AsyncWriteExt as _, DuplexStream, ReadHalf, WriteHalf, duplex, split,
};

/// The port of a sprite whose services name none.
const USUAL_PORT: u16 = 8080;
/// How much is on its way between us and the sprite.
const BUFFER: usize = 64 << 10;

/// Passes a request on to what a sprite serves.
pub(crate) async fn forward(app: &Shared, name: &str, request: Request) -> Response {
    let good = guard::has_token(app, request.headers());
    let target = app.target(name);
    let public = target
        .as_ref()
        .is_some_and(|target| target.record.url_settings.auth == UrlAuth::Public);
    if !(good || public) {
        return guard::unauthorized();
    }
    let Some(target) = target else {
        return no_sprite(name).into_response();
    };
    match pass(&target, request, good).await {
        Ok(response) => response,
        Err(refusal) => refusal.into_response(),
    }
}

async fn pass(target: &Target, mut request: Request, ours: bool) -> Result<Response, Refusal> {
    let services = target.sprite.services().await?;
    let port = services
        .iter()
        .find_map(|service| service.definition.http_port);
    let port = port.unwrap_or(USUAL_PORT);
    let unreachable = |text: String| {
        let message = format!("port {port} of sprite `{}`: {text}", target.record.name);
        Refusal::new(StatusCode::BAD_GATEWAY, "nothing answers", &message)
    };
    let used = target.used();
    let tunnel = target.sprite.connect("localhost", port).await;
    let tunnel = tunnel.map_err(|error| unreachable(error.to_string()))?;
    let (near, far) = duplex(BUFFER);
    let tasks = &target.app.tasks;
    tasks.spawn(carry(tunnel, far));
    let (mut sender, connection) = http1::handshake(TokioIo::new(near))
        .await
        .map_err(|error| unreachable(error.to_string()))?;
    tasks.spawn(async move {
        if let Err(error) = connection.with_upgrades().await {
            tracing::debug!(%error, "a sprite's answer ended badly");
        }
        drop(used);
    });
    let client = hyper::upgrade::on(&mut request);
    let response = sender
        .send_request(inward(request, ours)?)
        .await
        .map_err(|error| unreachable(error.to_string()))?;
    Ok(outward(target, response, client))
}

/// The request as the sprite gets it.
fn inward(request: Request, ours: bool) -> Result<Request, Refusal> {
    let (mut parts, body) = request.into_parts();
    let path = parts.uri.path_and_query().map_or("/", |path| path.as_str());
    parts.uri = path
        .parse::<Uri>()
        .map_err(|error| Refusal::bad(format!("the path cannot be passed on: {error}")))?;
    parts.version = axum::http::Version::HTTP_11;
    if ours {
        // Whoever holds it could do anything here; it is not for what runs in a sprite.
        parts.headers.remove(header::AUTHORIZATION);
    }
    let upgrade = parts.headers.get(header::UPGRADE).cloned();
    strip(&mut parts.headers);
    if let Some(upgrade) = upgrade {
        parts.headers.insert(header::UPGRADE, upgrade);
        let connection = header::HeaderValue::from_static("upgrade");
        parts.headers.insert(header::CONNECTION, connection);
    }
    Ok(Request::from_parts(parts, body))
}

/// The answer as the client gets it; after 101 both talk without us.
fn outward(
    target: &Target,
    mut response: hyper::Response<hyper::body::Incoming>,
    client: hyper::upgrade::OnUpgrade,
) -> Response {
    if response.status() == StatusCode::SWITCHING_PROTOCOLS {
        let sprite = hyper::upgrade::on(&mut response);
        let stopping = target.app.stopping.clone();
        target.app.tasks.spawn(async move {
            let talk = async {
                let (client, sprite) = (client.await?, sprite.await?);
                let (mut client, mut sprite) = (TokioIo::new(client), TokioIo::new(sprite));
                tokio::io::copy_bidirectional(&mut client, &mut sprite).await?;
                Ok::<_, Box<dyn std::error::Error + Send + Sync>>(())
            };
            if let Some(Err(error)) = stopping.run_until_cancelled(talk).await {
                tracing::debug!(error, "a conversation with a sprite ended badly");
            }
        });
    } else {
        strip(response.headers_mut());
    }
    response.map(Body::new).into_response()
}

/// Headers that are for one connection alone (RFC 9110, 7.6.1).
fn strip(headers: &mut HeaderMap) {
    let named: Vec<_> = headers
        .get_all(header::CONNECTION)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .filter_map(|name| name.trim().parse::<HeaderName>().ok())
        .collect();
    for name in named {
        headers.remove(name);
    }
    for name in [
        header::CONNECTION,
        header::UPGRADE,
        header::TE,
        header::TRAILER,
        header::TRANSFER_ENCODING,
        header::PROXY_AUTHENTICATE,
        header::PROXY_AUTHORIZATION,
        HeaderName::from_static("keep-alive"),
    ] {
        headers.remove(name);
    }
}

/// Moves bytes between a connection of ours and the sprite's port.
async fn carry(tunnel: Tunnel, far: DuplexStream) {
    let Tunnel { input, mut output } = tunnel;
    let (from_us, mut to_us) = split(far);
    let sending = send(from_us, input);
    let receiving = async {
        while let Some(Ok(bytes)) = output.next().await {
            if to_us.write_all(&bytes).await.is_err() {
                return;
            }
        }
        finish(&mut to_us).await;
    };
    tokio::join!(sending, receiving);
}

async fn send(mut from_us: ReadHalf<DuplexStream>, input: Arc<dyn TunnelInput>) {
    let mut piece = vec![0; BUFFER];
    while let Ok(read @ 1..) = from_us.read(&mut piece).await {
        let bytes = Bytes::copy_from_slice(piece.get(..read).unwrap_or_default());
        if let Err(error) = input.write(bytes).await {
            tracing::debug!(%error, "a port takes nothing more");
            return;
        }
    }
    if let Err(error) = input.finish().await {
        tracing::debug!(%error, "a port was closed already");
    }
}

async fn finish(to_us: &mut WriteHalf<DuplexStream>) {
    if let Err(error) = to_us.shutdown().await {
        tracing::debug!(%error, "our end was closed already");
    }
}
