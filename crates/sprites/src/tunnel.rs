//! A TCP connection to a port inside a sprite: one WebSocket, whose bytes after the first two
//! messages are the connection's. When it breaks it is over, as TCP is.

use crate::{
    api::{Socket, Twice},
    error::SpritesError,
    process::Door,
    sprite::Place,
    wire::proxy::{CONNECTED, ProxyAnswer, ProxyRequest},
};
use async_trait::async_trait;
use bytes::Bytes;
use futures_util::{
    SinkExt as _, StreamExt as _,
    stream::{SplitSink, SplitStream},
};
use ports::sandbox::{SandboxError, Tunnel, TunnelInput};
use std::sync::Arc;
use tokio::{
    sync::{Mutex, mpsc},
    time::{self, timeout},
};
use tokio_tungstenite::tungstenite::Message;

const PIECE: usize = 256 << 10;
const WAITING: usize = 16;

type Pieces = mpsc::Sender<Result<Bytes, SandboxError>>;

/// Connects.
pub(crate) async fn open(place: &Place, host: &str, port: u16) -> Result<Tunnel, SandboxError> {
    let socket = connect(&place.door, host, port).await;
    let (sink, stream) = socket.map_err(|error| place.failed(error))?.split();
    let sink = Arc::new(Mutex::new(sink));
    let (pieces, output) = mpsc::channel(WAITING);
    let door = place.door.clone();
    let alive = Arc::downgrade(&sink);
    place.door.tasks.spawn(async move {
        let ticks = time::interval(door.api.timing.ping);
        tokio::select! {
            () = door.stop.cancelled() => {}
            () = read(stream, &pieces) => {}
            () = keep_alive(ticks, alive) => {}
        }
    });
    let output = futures_util::stream::unfold(output, async |mut output| {
        Some((output.recv().await?, output))
    });
    Ok(Tunnel {
        input: Arc::new(Input { sink }),
        output: Box::pin(output),
    })
}

async fn connect(door: &Door, host: &str, port: u16) -> Result<Socket, SpritesError> {
    let path = ["sprites", &*door.sprite, "proxy"];
    let mut socket = door.api.socket(&path, &[], Twice::Same).await?;
    let request = ProxyRequest {
        host: host.to_owned(),
        port,
    };
    let broken = |text: String| SpritesError::Interrupted(text);
    let text = serde_json::to_string(&request).unwrap_or_default();
    let sent = socket.send(Message::text(text)).await;
    sent.map_err(|error| broken(error.to_string()))?;
    loop {
        let message = timeout(door.api.timing.answer, socket.next()).await;
        match message {
            Ok(Some(Ok(Message::Text(text)))) => {
                let answer: ProxyAnswer = serde_json::from_str(&text)
                    .map_err(|error| SpritesError::Protocol(error.to_string()))?;
                if answer.status == CONNECTED {
                    return Ok(socket);
                }
                let why = answer.error.unwrap_or(answer.status);
                return Err(refused(host, port, &why));
            }
            Ok(Some(Ok(Message::Ping(_) | Message::Pong(_)))) => {}
            Ok(Some(Ok(Message::Close(frame)))) => {
                let why = frame.map(|frame| frame.reason.to_string());
                return Err(refused(host, port, &why.unwrap_or_default()));
            }
            _ => return Err(broken(format!("no answer from {host}:{port}"))),
        }
    }
}

fn refused(host: &str, port: u16, why: &str) -> SpritesError {
    let text = format!("{host}:{port} inside the sprite cannot be reached: {why}");
    SpritesError::Refused {
        status: 502,
        body: Box::new(crate::wire::error::ErrorBody::text(text)),
    }
}

async fn read(mut stream: SplitStream<Socket>, pieces: &Pieces) {
    loop {
        let piece = tokio::select! {
            () = pieces.closed() => return,
            message = stream.next() => match message {
                Some(Ok(Message::Binary(bytes))) => Ok(bytes),
                Some(Ok(Message::Close(_))) | None => return,
                Some(Ok(_)) => continue,
                Some(Err(error)) => Err(SandboxError::Lost(format!("the tunnel broke: {error}"))),
            },
        };
        let over = piece.is_err();
        if pieces.send(piece).await.is_err() || over {
            return;
        }
    }
}

/// Something in between may end connections on which nothing happens.
async fn keep_alive(mut ticks: time::Interval, sink: std::sync::Weak<Mutex<Sink>>) {
    loop {
        ticks.tick().await;
        if let Some(sink) = sink.upgrade() {
            // That it is broken is seen by the half that reads.
            drop(sink.lock().await.send(Message::Ping(Bytes::new())).await);
        }
    }
}

type Sink = SplitSink<Socket, Message>;

struct Input {
    sink: Arc<Mutex<Sink>>,
}

impl Input {
    async fn send(&self, message: Message) -> Result<(), SandboxError> {
        let sent = self.sink.lock().await.send(message).await;
        sent.map_err(|error| SandboxError::Lost(format!("the tunnel broke: {error}")))
    }
}

#[async_trait]
impl TunnelInput for Input {
    async fn write(&self, mut bytes: Bytes) -> Result<(), SandboxError> {
        while !bytes.is_empty() {
            let piece = bytes.split_to(bytes.len().min(PIECE));
            self.send(Message::Binary(piece)).await?;
        }
        Ok(())
    }

    async fn finish(&self) -> Result<(), SandboxError> {
        // The protocol has no way to end one direction alone; whoever waits for an answer does not
        // finish first.
        self.send(Message::Close(None)).await
    }
}
