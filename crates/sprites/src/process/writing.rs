//! The half of a connection that sends: input in messages of a sensible size, each followed by a
//! question for a sign of life, whose answer says that it arrived.

use super::{
    connection::{Events, Over, Receipts, size_of},
    input::{Order, What},
};
use crate::{api::Socket, settings::Timing, wire::frame::Frame};
use bytes::{Buf as _, Bytes};
use futures_util::{SinkExt as _, stream::SplitSink};
use ports::sandbox::TerminalSize;
use std::sync::atomic::Ordering;
use tokio::{sync::mpsc, time};
use tokio_tungstenite::tungstenite::{Error, Message};

/// Servers take messages of at least a mebibyte.
const PIECE: usize = 256 << 10;

pub(super) struct Writing<'a> {
    pub(super) sink: &'a mut SplitSink<Socket, Message>,
    pub(super) orders: &'a mut mpsc::Receiver<Order>,
    pub(super) events: &'a Events,
    pub(super) receipts: &'a Receipts,
    pub(super) terminal: bool,
    pub(super) size: &'a mut Option<TerminalSize>,
}

impl Writing<'_> {
    pub(super) async fn run(&mut self, timing: Timing) -> Over {
        let mut ticks = time::interval_at(time::Instant::now() + timing.ping, timing.ping);
        let mut open = true;
        loop {
            let sent = tokio::select! {
                order = self.orders.recv(), if open => {
                    open = order.is_some();
                    self.carry_out(order).await
                }
                () = self.events.closed(), if !open => return Over::Left,
                _ = ticks.tick() => self.ask().await,
            };
            if sent.is_err() {
                return Over::Cut;
            }
        }
    }

    async fn carry_out(&mut self, order: Option<Order>) -> Result<(), Error> {
        let Some(order) = order else {
            return Ok(());
        };
        match order.what {
            What::Input(mut bytes) => {
                while bytes.has_remaining() {
                    let piece = bytes.split_to(bytes.len().min(PIECE));
                    self.send(self.framed(piece)).await?;
                }
            }
            What::End => self.send(Message::Binary(Frame::StdinEnd.encode())).await?,
            What::Tell(message) => {
                if let Some(size) = size_of(&message) {
                    *self.size = Some(size);
                }
                // Our own words always become text.
                let text = serde_json::to_string(&message).unwrap_or_default();
                self.send(Message::text(text)).await?;
            }
        }
        self.ask().await?;
        // Whoever does not wait for it any more needs no answer.
        let _heard = order.sent.send(());
        Ok(())
    }

    fn framed(&self, piece: Bytes) -> Message {
        if self.terminal {
            return Message::Binary(piece);
        }
        Message::Binary(Frame::Stdin(piece).encode())
    }

    async fn send(&mut self, message: Message) -> Result<(), Error> {
        self.receipts.sent.fetch_add(1, Ordering::AcqRel);
        self.sink.feed(message).await
    }

    async fn ask(&mut self) -> Result<(), Error> {
        let sent = self.receipts.sent.load(Ordering::Acquire);
        let question = Bytes::copy_from_slice(&sent.to_be_bytes());
        self.sink.send(Message::Ping(question)).await
    }
}
