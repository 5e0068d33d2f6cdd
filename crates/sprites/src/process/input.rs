//! The way into a process: orders for the task that holds its connection. An order is answered when
//! it was sent, and waits as long as there is no connection.

use super::connection::{Receipts, lost_input};
use crate::wire::{exec::ClientMessage, signal};
use async_trait::async_trait;
use bytes::Bytes;
use ports::sandbox::{ProcessInput, SandboxError, TerminalSize};
use std::sync::{Arc, atomic::Ordering};
use tokio::sync::{mpsc, oneshot};

/// Something to send.
pub(crate) struct Order {
    pub(crate) what: What,
    /// Answered when it is sent; dropped when it cannot be.
    pub(crate) sent: oneshot::Sender<()>,
}

pub(crate) enum What {
    Input(Bytes),
    End,
    Tell(ClientMessage),
}

/// The input of one process.
pub(crate) struct RemoteInput {
    pub(crate) orders: mpsc::Sender<Order>,
    pub(crate) terminal: bool,
    pub(crate) takes_input: bool,
    pub(super) receipts: Arc<Receipts>,
}

impl RemoteInput {
    fn taking(&self) -> Result<(), SandboxError> {
        if self.takes_input {
            return Ok(());
        }
        let text = "the process was started without input";
        Err(SandboxError::Refused(text.into()))
    }

    async fn send(&self, what: What) -> Result<(), SandboxError> {
        let (sent, done) = oneshot::channel();
        let order = Order { what, sent };
        let taken = self.orders.send(order).await.is_ok();
        match done.await {
            Ok(()) => Ok(()),
            Err(_dropped) if self.receipts.ended.load(Ordering::Acquire) => {
                let text = "the process takes no input: it ended";
                Err(SandboxError::Conflict(text.into()))
            }
            Err(_dropped) if taken => Err(lost_input()),
            Err(_dropped) => {
                let text = "the connection to the process has ended; connect to it again";
                Err(SandboxError::Lost(text.into()))
            }
        }
    }
}

#[async_trait]
impl ProcessInput for RemoteInput {
    async fn write(&self, bytes: Bytes) -> Result<(), SandboxError> {
        self.taking()?;
        if bytes.is_empty() {
            return Ok(());
        }
        self.send(What::Input(bytes)).await
    }

    async fn finish(&self) -> Result<(), SandboxError> {
        self.taking()?;
        if self.terminal {
            return Ok(());
        }
        self.send(What::End).await
    }

    async fn resize(&self, size: TerminalSize) -> Result<(), SandboxError> {
        if !self.terminal {
            let text = "the process has no terminal";
            return Err(SandboxError::Refused(text.into()));
        }
        let TerminalSize { rows, columns } = size;
        let message = ClientMessage::Resize {
            cols: columns,
            rows,
        };
        self.send(What::Tell(message)).await
    }

    async fn signal(&self, signal: i32) -> Result<(), SandboxError> {
        let signal = named(signal)?;
        self.send(What::Tell(ClientMessage::Signal { signal }))
            .await
    }
}

/// A signal's name on the wire.
pub(crate) fn named(signal: i32) -> Result<String, SandboxError> {
    if (1..=signal::LAST).contains(&signal) {
        return Ok(signal::name(signal));
    }
    let text = format!("there is no signal {signal}");
    Err(SandboxError::Refused(text))
}
