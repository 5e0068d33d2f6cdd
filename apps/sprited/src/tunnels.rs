//! The ports of a sprite: connections to them, and news of them.

use crate::{
    answer::Refusal,
    app::{App, Target},
    exec::{self, Upgrade},
};
use axum::{
    extract::ws::{CloseFrame, Message, WebSocket, close_code},
    http::StatusCode,
    response::Response,
};
use futures_util::{
    SinkExt as _, StreamExt as _,
    stream::{SplitSink, SplitStream},
};
use ports::sandbox::{ListeningPort, Sprite, Tunnel, TunnelInput};
use serde::Serialize;
use sprites::wire::{
    network::{Port, PortMessage},
    proxy::{CONNECTED, ProxyAnswer, ProxyRequest},
};
use std::{collections::HashSet, sync::Arc, time::Duration};
use tokio::time::{interval, timeout};

/// How long a client has to say where to, and to close after us.
const PATIENCE: Duration = Duration::from_secs(10);
/// How often ports are looked at while somebody watches.
const LOOK: Duration = Duration::from_millis(500);

/// The way to the client is gone.
struct Gone;

/// `GET …/proxy`: one TCP connection to a port inside.
pub(crate) async fn proxy(target: Target, upgrade: Upgrade) -> Result<Response, Refusal> {
    let upgrade = upgrade.map_err(|_not_one| no_websocket())?;
    let app = Arc::clone(&target.app);
    let relay = async move |socket: WebSocket, app: Arc<App>| {
        let used = target.used();
        let passing = pass(socket, target.sprite.as_ref());
        if let Some(Err(Gone)) = app.stopping.run_until_cancelled(passing).await {
            tracing::debug!("a client left its tunnel");
        }
        drop(used);
    };
    Ok(exec::accept(&app, upgrade, relay))
}

fn no_websocket() -> Refusal {
    Refusal::bad("this path needs a WebSocket").status(StatusCode::UPGRADE_REQUIRED)
}

async fn pass(mut socket: WebSocket, sprite: &dyn Sprite) -> Result<(), Gone> {
    let asked = timeout(PATIENCE, asked(&mut socket)).await;
    let Ok(Some(ProxyRequest { host, port })) = asked else {
        let text = "send {\"host\": \"localhost\", \"port\": <number>} first";
        return refuse(socket, String::new(), text.to_owned()).await;
    };
    let target = format!("{host}:{port}");
    let Tunnel { input, mut output } = match sprite.connect(&host, port).await {
        Ok(tunnel) => tunnel,
        Err(error) => return refuse(socket, target, error.to_string()).await,
    };
    let connected = ProxyAnswer {
        status: CONNECTED.to_owned(),
        target,
        error: None,
    };
    let (mut to, mut from) = socket.split();
    send(&mut to, &connected).await?;
    let sending = take(&mut from, input.as_ref());
    tokio::pin!(sending);
    loop {
        tokio::select! {
            () = &mut sending => return Ok(()),
            piece = output.next() => match piece {
                Some(Ok(bytes)) => to.send(Message::Binary(bytes)).await.map_err(|_gone| Gone)?,
                Some(Err(_)) | None => break,
            },
        }
    }
    close(&mut to, close_code::NORMAL).await?;
    // The client says that it saw the close.
    let _closed = timeout(PATIENCE, sending).await;
    Ok(())
}

async fn asked(socket: &mut WebSocket) -> Option<ProxyRequest> {
    loop {
        match socket.recv().await?.ok()? {
            Message::Text(text) => return serde_json::from_str(&text).ok(),
            Message::Binary(_) | Message::Close(_) => return None,
            Message::Ping(_) | Message::Pong(_) => {}
        }
    }
}

/// Passes on what the client sends until it leaves.
async fn take(from: &mut SplitStream<WebSocket>, input: &dyn TunnelInput) {
    while let Some(Ok(message)) = from.next().await {
        match message {
            Message::Binary(bytes) => {
                if let Err(error) = input.write(bytes).await {
                    tracing::debug!(%error, "a port takes nothing more");
                }
            }
            Message::Close(_) => return,
            Message::Text(_) | Message::Ping(_) | Message::Pong(_) => {}
        }
    }
}

async fn refuse(socket: WebSocket, target: String, error: String) -> Result<(), Gone> {
    let (mut to, _from) = socket.split();
    let answer = ProxyAnswer {
        status: "error".to_owned(),
        target,
        error: Some(error),
    };
    send(&mut to, &answer).await?;
    close(&mut to, close_code::ERROR).await
}

async fn send(
    to: &mut SplitSink<WebSocket, Message>,
    message: &impl Serialize,
) -> Result<(), Gone> {
    let text = serde_json::to_string(message).map_err(|_never| Gone)?;
    to.send(Message::Text(text.into()))
        .await
        .map_err(|_gone| Gone)
}

async fn close(to: &mut SplitSink<WebSocket, Message>, code: u16) -> Result<(), Gone> {
    let reason = "".into();
    let frame = Message::Close(Some(CloseFrame { code, reason }));
    to.send(frame).await.map_err(|_gone| Gone)
}

/// `GET …/ports/watch`: all ports that are listened on, then each that is opened or closed.
pub(crate) async fn watch(target: Target, upgrade: Upgrade) -> Result<Response, Refusal> {
    let upgrade = upgrade.map_err(|_not_one| no_websocket())?;
    let app = Arc::clone(&target.app);
    let relay = async move |socket: WebSocket, app: Arc<App>| {
        let (mut to, mut from) = socket.split();
        let left = async {
            while let Some(Ok(message)) = from.next().await {
                if matches!(message, Message::Close(_)) {
                    return;
                }
            }
        };
        tokio::select! {
            Err(Gone) = tell(&mut to, target.sprite.as_ref(), app.settings.keepalive) => {}
            () = left => {}
            () = app.stopping.cancelled() => {}
        }
    };
    Ok(exec::accept(&app, upgrade, relay))
}

async fn tell(
    to: &mut SplitSink<WebSocket, Message>,
    sprite: &dyn Sprite,
    keepalive: Duration,
) -> Result<std::convert::Infallible, Gone> {
    let mut known = look(sprite).await;
    let ports = known.iter().map(wire).collect();
    send(to, &PortMessage::PortList { ports }).await?;
    let mut time = interval(LOOK);
    let mut spoke = tokio::time::Instant::now();
    loop {
        time.tick().await;
        let now = look(sprite).await;
        let opened = now
            .difference(&known)
            .map(wire)
            .map(PortMessage::PortOpened);
        let closed = known
            .difference(&now)
            .map(wire)
            .map(PortMessage::PortClosed);
        for news in closed.chain(opened) {
            send(to, &news).await?;
            spoke = tokio::time::Instant::now();
        }
        known = now;
        if spoke.elapsed() >= keepalive {
            send(to, &sprites::wire::exec::ServerMessage::Keepalive).await?;
            spoke = tokio::time::Instant::now();
        }
    }
}

/// What cannot be seen is not listened on.
async fn look(sprite: &dyn Sprite) -> HashSet<ListeningPort> {
    match sprite.listening().await {
        Ok(ports) => ports.into_iter().collect(),
        Err(error) => {
            tracing::debug!(%error, "the ports of a sprite cannot be seen");
            HashSet::new()
        }
    }
}

fn wire(port: &ListeningPort) -> Port {
    Port {
        port: port.port,
        address: port.address.clone(),
        pid: port.process,
    }
}
