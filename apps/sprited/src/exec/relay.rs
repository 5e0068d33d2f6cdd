//! The connection between a client and a process. What clients rely on is the order: who it is
//! about, all output, the exit as text, the exit as bytes, the close. Nothing a client does not
//! read or send keeps its pings from being answered.

use super::exit_code;
use crate::app::App;
use axum::extract::ws::{CloseFrame, Message, WebSocket, close_code};
use bytes::Bytes;
use futures_util::{
    SinkExt as _, StreamExt as _,
    stream::{SplitSink, SplitStream},
};
use ports::sandbox::{
    Attached, Exit, OutputStream, ProcessEvent, ProcessInput, ProcessOutput, ProcessReport,
    TerminalSize,
};
use sprites::wire::{
    exec::{ClientMessage, ExitMessage, ServerMessage, SessionInfo},
    frame::Frame,
    signal,
};
use std::{sync::Arc, time::Duration};
use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore, mpsc},
    time::{MissedTickBehavior, interval, timeout},
};

/// The most output in one message.
const PIECE: usize = 32 << 10;
/// The most input that waits for the process.
const WAITING: usize = 16 << 20;
/// How long a client has to close after us, and a process to take what a client left behind.
const PATIENCE: Duration = Duration::from_secs(5);
/// Codes of a terminal's end: this and the exit code.
const ENDED: u16 = 4000;

/// A process and how a client wants it.
pub(super) struct Relay {
    pub(super) attached: Attached,
    /// The size of its terminal, where it is known.
    pub(super) size: Option<TerminalSize>,
    /// Whether the client started it.
    pub(super) owner: bool,
}

/// The way to the client is gone.
struct Gone;

impl Relay {
    pub(super) async fn run(self, socket: WebSocket, app: &App) {
        let (to, from) = socket.split();
        let terminal = self.attached.process.terminal;
        let info = info(&self.attached.process, self.size, self.owner);
        let Attached { input, output, .. } = self.attached;
        let (pieces, queued) = mpsc::unbounded_channel();
        let reading = read(from, Arc::clone(&input), pieces, terminal);
        let feeding = feed(input, queued);
        let writing = Writer { to, terminal }.write(info, output, app);
        tokio::pin!(reading, feeding);
        let mut fed = false;
        {
            tokio::pin!(writing);
            let mut closed = false;
            while !closed {
                tokio::select! {
                    () = &mut feeding, if !fed => fed = true,
                    () = &mut reading => break,
                    () = &mut writing => closed = true,
                }
            }
            if closed {
                // The client says that it saw the close; what it may still send is for nobody.
                if timeout(PATIENCE, reading).await.is_err() {
                    tracing::debug!("a client did not close its connection");
                }
                return;
            }
        }
        // The client left; its output is nobody's any more, its input still goes where it was sent.
        if !fed && timeout(PATIENCE, feeding).await.is_err() {
            tracing::debug!("a process did not take all input of a client that left");
        }
    }
}

fn info(process: &ProcessReport, size: Option<TerminalSize>, owner: bool) -> ServerMessage {
    ServerMessage::SessionInfo(SessionInfo {
        session_id: process.id.to_string(),
        command: process.arguments.join(" "),
        created: process.started_at.timestamp(),
        cols: size.map_or(0, |size| size.columns),
        rows: size.map_or(0, |size| size.rows),
        is_owner: owner,
        tty: process.terminal,
        arguments: Some(process.arguments.clone()),
        workdir: Some(process.directory.clone()),
        replay: None,
    })
}

/// What goes to the process in its turn.
enum Piece {
    Data(Bytes, OwnedSemaphorePermit),
    End,
}

/// Takes what the client sends until it leaves.
async fn read(
    mut from: SplitStream<WebSocket>,
    input: Arc<dyn ProcessInput>,
    to: mpsc::UnboundedSender<Piece>,
    terminal: bool,
) {
    let room = Arc::new(Semaphore::new(WAITING));
    while let Some(Ok(message)) = from.next().await {
        let piece = match message {
            Message::Binary(bytes) if terminal => data(bytes, &room).await,
            Message::Binary(bytes) => match Frame::decode(bytes) {
                Some(Frame::Stdin(bytes)) => data(bytes, &room).await,
                Some(Frame::StdinEnd) => Some(Piece::End),
                Some(Frame::Stdout(_) | Frame::Stderr(_) | Frame::Exit(_)) | None => None,
            },
            Message::Text(text) => {
                told(&text, input.as_ref()).await;
                None
            }
            Message::Close(_) => return,
            Message::Ping(_) | Message::Pong(_) => None,
        };
        // Nobody takes it once the process has ended.
        let _sent = piece.map(|piece| to.send(piece));
    }
}

async fn data(bytes: Bytes, room: &Arc<Semaphore>) -> Option<Piece> {
    let size = u32::try_from(bytes.len().min(WAITING)).ok()?;
    let place = Arc::clone(room).acquire_many_owned(size).await.ok()?;
    (size > 0).then_some(Piece::Data(bytes, place))
}

async fn feed(input: Arc<dyn ProcessInput>, mut pieces: mpsc::UnboundedReceiver<Piece>) {
    while let Some(piece) = pieces.recv().await {
        let taken = match piece {
            Piece::Data(bytes, place) => {
                let taken = input.write(bytes).await;
                drop(place);
                taken
            }
            Piece::End => input.finish().await,
        };
        if let Err(error) = taken {
            tracing::debug!(%error, "a process takes no input");
        }
    }
}

async fn told(text: &str, input: &dyn ProcessInput) {
    let done = match serde_json::from_str(text) {
        Ok(ClientMessage::Resize { cols, rows }) => {
            let columns = cols;
            input.resize(TerminalSize { rows, columns }).await
        }
        Ok(ClientMessage::Signal { signal: name }) => match signal::number(&name) {
            Some(number) => input.signal(number).await,
            None => Ok(()),
        },
        Ok(ClientMessage::Unknown) | Err(_) => Ok(()),
    };
    if let Err(error) = done {
        tracing::debug!(%error, "a process cannot be told");
    }
}

struct Writer {
    to: SplitSink<WebSocket, Message>,
    terminal: bool,
}

impl Writer {
    /// Tells the client everything, to the close.
    async fn write(mut self, info: ServerMessage, output: ProcessOutput, app: &App) {
        if self.all(info, output, app).await.is_err() {
            tracing::debug!("a client left its process");
        }
    }

    async fn all(
        &mut self,
        info: ServerMessage,
        mut output: ProcessOutput,
        app: &App,
    ) -> Result<(), Gone> {
        self.text(&info).await?;
        let mut silence = interval(app.settings.keepalive);
        silence.set_missed_tick_behavior(MissedTickBehavior::Delay);
        silence.reset();
        loop {
            let event = tokio::select! {
                event = output.next() => event,
                _ = silence.tick() => {
                    self.text(&ServerMessage::Keepalive).await?;
                    continue;
                }
                () = app.stopping.cancelled() => {
                    return self.close(close_code::AWAY, "the server is stopping").await;
                }
            };
            match event {
                Some(Ok(ProcessEvent::Output(stream, bytes))) => self.pieces(stream, bytes).await?,
                Some(Ok(ProcessEvent::Ended(exit))) => return self.end(exit).await,
                Some(Err(error)) => return self.lost(error.to_string()).await,
                None => return self.lost("the process is lost".to_owned()).await,
            }
            silence.reset();
        }
    }

    async fn pieces(&mut self, stream: OutputStream, mut bytes: Bytes) -> Result<(), Gone> {
        while !bytes.is_empty() {
            let piece = bytes.split_to(bytes.len().min(PIECE));
            let message = match stream {
                _ if self.terminal => piece,
                OutputStream::Stdout => Frame::Stdout(piece).encode(),
                OutputStream::Stderr => Frame::Stderr(piece).encode(),
            };
            self.send(Message::Binary(message)).await?;
        }
        Ok(())
    }

    async fn end(&mut self, exit: Exit) -> Result<(), Gone> {
        let (code, signal) = exit_code(exit);
        self.text(&ServerMessage::Exit(ExitMessage {
            exit_code: code.into(),
            code: code.into(),
            signal: Some(signal),
        }))
        .await?;
        if self.terminal && code != 0 {
            // The one thing of an end that some clients see of a terminal.
            return self.close(ENDED + u16::from(code), "").await;
        }
        if !self.terminal {
            self.send(Message::Binary(Frame::Exit(code).encode()))
                .await?;
        }
        self.close(close_code::NORMAL, "").await
    }

    async fn lost(&mut self, message: String) -> Result<(), Gone> {
        self.text(&ServerMessage::Error { message }).await?;
        self.close(close_code::ERROR, "the process is lost").await
    }

    async fn text(&mut self, message: &ServerMessage) -> Result<(), Gone> {
        let text = serde_json::to_string(message).map_err(|_never| Gone)?;
        self.send(Message::Text(text.into())).await
    }

    async fn close(&mut self, code: u16, reason: &'static str) -> Result<(), Gone> {
        let reason = reason.into();
        self.send(Message::Close(Some(CloseFrame { code, reason })))
            .await
    }

    async fn send(&mut self, message: Message) -> Result<(), Gone> {
        self.to.send(message).await.map_err(|_gone| Gone)
    }
}
