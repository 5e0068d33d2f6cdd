//! The half of a connection that reads: output as it comes, in any order with the end of the
//! process, until the last frame or the end of the connection.

use super::{
    connection::{Events, Over, Receipts},
    delivered::{Delivered, Gap},
};
use crate::{
    api::Socket,
    settings::Timing,
    wire::{
        exec::{ExitMessage, ServerMessage},
        frame::Frame,
    },
};
use bytes::Bytes;
use futures_util::{StreamExt as _, stream::SplitStream};
use ports::sandbox::{Exit, OutputStream, ProcessEvent, SandboxError};
use std::{collections::VecDeque, sync::atomic::Ordering};
use tokio::time::{Instant, timeout_at};
use tokio_tungstenite::tungstenite::{Message, protocol::CloseFrame};

/// A terminal's exit code, for clients that see only how a connection closes, comes on top of this.
const CLOSED_WITH_CODE: u16 = 4000;

pub(super) struct Reading<'a> {
    pub(super) stream: SplitStream<Socket>,
    pub(super) early: VecDeque<Message>,
    pub(super) events: &'a Events,
    pub(super) receipts: &'a Receipts,
    pub(super) terminal: bool,
    pub(super) delivered: &'a mut Delivered,
    pub(super) exit: &'a mut Option<Exit>,
}

impl Reading<'_> {
    pub(super) async fn run(&mut self, timing: Timing) -> Over {
        // After the end was told the rest has so long, however much still comes.
        let mut last = None;
        loop {
            let deadline = last.unwrap_or_else(|| Instant::now() + timing.silence);
            let Some(message) = self.next(deadline).await else {
                return Over::Cut;
            };
            match self.take(message).await {
                Ok(Some(over)) => return over,
                Ok(None) => {}
                Err(gap) => return Over::Failed(SandboxError::Lost(gap.to_string())),
            }
            if self.exit.is_some() && last.is_none() {
                last = Some(Instant::now() + timing.last_output);
            }
        }
    }

    async fn next(&mut self, deadline: Instant) -> Option<Message> {
        if let Some(message) = self.early.pop_front() {
            return Some(message);
        }
        let message = timeout_at(deadline, self.stream.next()).await;
        message.ok()??.ok()
    }

    async fn take(&mut self, message: Message) -> Result<Option<Over>, Gap> {
        match message {
            Message::Binary(bytes) if self.terminal => {
                self.output(OutputStream::Stdout, bytes).await?;
            }
            Message::Binary(bytes) => match Frame::decode(bytes) {
                Some(Frame::Stdout(bytes)) => self.output(OutputStream::Stdout, bytes).await?,
                Some(Frame::Stderr(bytes)) => self.output(OutputStream::Stderr, bytes).await?,
                Some(Frame::Exit(code)) => {
                    // The message says more than the byte, where it came.
                    let exit = self.exit.unwrap_or(Exit::Code(code.into()));
                    return Ok(Some(self.ended(exit)));
                }
                Some(Frame::Stdin(_) | Frame::StdinEnd) | None => {}
            },
            Message::Text(text) => {
                if let Ok(ServerMessage::Exit(message)) = serde_json::from_str(&text) {
                    let exit = exit_of(message);
                    *self.exit = Some(exit);
                    self.ended(exit);
                }
            }
            Message::Pong(answer) => {
                if let Ok(arrived) = answer.as_ref().try_into() {
                    let arrived = u64::from_be_bytes(arrived);
                    self.receipts.arrived.fetch_max(arrived, Ordering::AcqRel);
                }
            }
            Message::Close(frame) => return Ok(Some(self.closed(frame.as_ref()))),
            Message::Ping(_) | Message::Frame(_) => {}
        }
        Ok(None)
    }

    async fn output(&mut self, stream: OutputStream, bytes: Bytes) -> Result<(), Gap> {
        let new = self.delivered.take(stream, bytes)?;
        if !new.is_empty() {
            // Without a reader output is dropped, so that input still gets through.
            drop(
                self.events
                    .send(Ok(ProcessEvent::Output(stream, new)))
                    .await,
            );
        }
        Ok(())
    }

    fn closed(&self, frame: Option<&CloseFrame>) -> Over {
        let code = frame.map(|frame| u16::from(frame.code));
        let told = code.and_then(|code| code.checked_sub(CLOSED_WITH_CODE));
        match (*self.exit, told) {
            (Some(exit), _) => self.ended(exit),
            (None, Some(code @ 0..=255)) if self.terminal => self.ended(Exit::Code(code.into())),
            _ => Over::Cut,
        }
    }

    /// Says so before anybody waits in vain for an input to be taken.
    fn ended(&self, exit: Exit) -> Over {
        self.receipts.ended.store(true, Ordering::Release);
        Over::Ended(exit)
    }
}

/// How a process ended, as far as the server says: without our extension a death by a signal is
/// the code that shells give it.
pub(crate) fn exit_of(message: ExitMessage) -> Exit {
    match message.signal {
        Some(signal) if signal > 0 => Exit::Signal(signal),
        _ => Exit::Code(message.exit_code),
    }
}
