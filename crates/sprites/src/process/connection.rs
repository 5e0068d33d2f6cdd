//! The task that holds the connection to one process. It reads and writes side by side, keeps the
//! connection alive, makes it anew when it breaks, and hands output on in order. It never starts
//! anything a second time.

use super::{
    delivered::Delivered,
    input::Order,
    reading::Reading,
    session::{Door, Session},
    writing::Writing,
};
use crate::{
    error::SpritesError,
    wire::exec::{ClientMessage, ExecQuery},
};
use futures_util::StreamExt as _;
use ports::sandbox::{Exit, ProcessEvent, SandboxError, TerminalSize};
use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::Duration,
};
use tokio::{
    sync::mpsc,
    time::{Instant, sleep, timeout},
};
use tokio_util::sync::CancellationToken;

pub(super) type Events = mpsc::Sender<Result<ProcessEvent, SandboxError>>;

const LONGEST_BACKOFF: Duration = Duration::from_secs(5);
const FAREWELL: Duration = Duration::from_secs(1);

/// What is known of a process over all of its connections.
pub(super) struct Connection {
    pub(super) door: Door,
    pub(super) id: String,
    pub(super) terminal: bool,
    pub(super) size: Option<TerminalSize>,
    pub(super) orders: mpsc::Receiver<Order>,
    pub(super) events: Events,
    pub(super) delivered: Delivered,
    pub(super) exit: Option<Exit>,
    pub(super) receipts: Arc<Receipts>,
}

/// How much was sent, and how much of it surely arrived: a sign of life that was asked for after
/// an input and came back says that the server read what was before it.
#[derive(Default)]
pub(super) struct Receipts {
    pub(super) sent: AtomicU64,
    pub(super) arrived: AtomicU64,
    /// The process ended, so nothing that was not sent is lost.
    pub(super) ended: AtomicBool,
}

/// How a connection came to its end.
pub(super) enum Over {
    /// With the process.
    Ended(Exit),
    /// Nobody needs it any more.
    Left,
    /// It broke.
    Cut,
    /// What came cannot be what should have.
    Failed(SandboxError),
}

/// What to say of input that may not have arrived.
pub(super) fn lost_input() -> SandboxError {
    let text = "the connection to the process broke while input was on its way; it may have arrived or not";
    SandboxError::Lost(text.into())
}

impl Connection {
    /// Serves the process until it ends or nobody is left who cares.
    pub(super) async fn run(mut self, session: Session, stop: CancellationToken) {
        let last = tokio::select! {
            biased;
            () = stop.cancelled() => return,
            last = self.serve(session) => last,
        };
        // From here on writers hear that nothing is taken.
        self.orders.close();
        let event = match last {
            Over::Ended(exit) => match self.delivered.complete() {
                Ok(()) => Ok(ProcessEvent::Ended(exit)),
                Err(gap) => Err(SandboxError::Lost(gap.to_string())),
            },
            Over::Failed(error) => Err(error),
            Over::Left | Over::Cut => return,
        };
        tokio::select! {
            () = stop.cancelled() => {}
            // Whoever does not listen any more needs no end.
            _ = self.events.send(event) => {}
        }
    }

    async fn serve(&mut self, mut session: Session) -> Over {
        loop {
            match self.connected(session).await {
                Over::Cut => {}
                over => return over,
            }
            if let Some(exit) = self.exit {
                return Over::Ended(exit);
            }
            let sent = self.receipts.sent.load(Ordering::Acquire);
            if self.receipts.arrived.load(Ordering::Acquire) < sent {
                return Over::Failed(lost_input());
            }
            session = match self.reattach().await {
                Ok(Some(session)) => session,
                Ok(None) => return Over::Left,
                Err(error) => return Over::Failed(error),
            };
        }
    }

    async fn connected(&mut self, session: Session) -> Over {
        let Session { socket, early, .. } = session;
        let (mut sink, stream) = socket.split();
        let timing = self.door.api.timing;
        let mut writing = Writing {
            sink: &mut sink,
            orders: &mut self.orders,
            events: &self.events,
            receipts: &self.receipts,
            terminal: self.terminal,
            size: &mut self.size,
        };
        let mut reading = Reading {
            stream,
            early,
            events: &self.events,
            receipts: &self.receipts,
            terminal: self.terminal,
            delivered: &mut self.delivered,
            exit: &mut self.exit,
        };
        let over = tokio::select! {
            over = writing.run(timing) => match over {
                // A server that has ended may have said so before it stopped to listen.
                Over::Cut => timeout(FAREWELL, reading.run(timing)).await.unwrap_or(over),
                over => over,
            },
            over = reading.run(timing) => over,
        };
        if !matches!(over, Over::Cut) {
            use futures_util::SinkExt as _;
            // A close that does not arrive is no matter: the connection ends all the same.
            drop(timeout(FAREWELL, sink.close()).await);
        }
        over
    }

    /// Makes the connection anew; nothing when nobody is left who needs it.
    async fn reattach(&mut self) -> Result<Option<Session>, SandboxError> {
        let timing = self.door.api.timing;
        let query = ExecQuery {
            input: Some(true),
            terminal: self.terminal,
            rows: self.size.map(|size| size.rows),
            columns: self.size.map(|size| size.columns),
            ..ExecQuery::default()
        };
        let until = Instant::now() + timing.reattach;
        let mut backoff = timing.backoff / 2;
        loop {
            if self.events.is_closed() && self.orders.is_closed() {
                return Ok(None);
            }
            let error = match self.door.attach(&self.id, &query).await {
                Ok(session) => {
                    let replay = session.info.replay;
                    let joined = self.delivered.again(replay);
                    joined.map_err(|gap| SandboxError::Lost(gap.to_string()))?;
                    tracing::debug!(process = self.id, "a connection to a process was made anew");
                    return Ok(Some(session));
                }
                Err(error) => error,
            };
            match error {
                SpritesError::NotFound { .. } | SpritesError::Gone { .. } => {
                    let text = format!(
                        "the connection to process {} broke, and it is not there any more; how it ended is not known",
                        self.id
                    );
                    return Err(SandboxError::Lost(text));
                }
                SpritesError::Unauthorized { .. } | SpritesError::Refused { .. } => {
                    return Err(error.into());
                }
                _ if Instant::now() >= until => {
                    let text = format!(
                        "the connection to process {} broke and cannot be made anew: {error}",
                        self.id
                    );
                    return Err(SandboxError::Lost(text));
                }
                _ => {}
            }
            sleep(backoff).await;
            backoff = (backoff * 2).min(LONGEST_BACKOFF);
        }
    }
}

/// The size a message asks for.
pub(super) fn size_of(message: &ClientMessage) -> Option<TerminalSize> {
    match message {
        ClientMessage::Resize { cols, rows } => Some(TerminalSize {
            rows: *rows,
            columns: *cols,
        }),
        _ => None,
    }
}
