//! One request as the supervisor sees it: the body that comes in and the answer that goes out
//! against credit. Once the request is cancelled there is nobody to answer, and data is dropped.

use crate::protocol::{Answer, CHUNK, Failure, Frame, Kind, WINDOW};
use bytes::{Bytes, BytesMut};
use serde::Serialize;
use std::sync::Arc;
use tokio::{
    runtime::Handle,
    sync::{Semaphore, mpsc},
};
use tokio_util::sync::CancellationToken;

const MAX_COLLECTED: usize = 32 << 20;

/// Answers one request.
#[derive(Clone)]
pub(super) struct Responder {
    pub(super) id: u32,
    frames: mpsc::Sender<Frame>,
    credit: Arc<Semaphore>,
    cancelled: CancellationToken,
}

impl Responder {
    pub(super) fn new(id: u32, frames: mpsc::Sender<Frame>) -> Self {
        Self {
            id,
            frames,
            credit: Arc::new(Semaphore::new(WINDOW)),
            cancelled: CancellationToken::new(),
        }
    }

    /// Takes what the reader grants.
    pub(super) fn credit(&self, payload: &[u8]) {
        if let Ok(bytes) = <[u8; 4]>::try_from(payload) {
            let bytes = u32::from_le_bytes(bytes);
            self.credit.add_permits(usize::try_from(bytes).unwrap_or(0));
        }
    }

    pub(super) fn cancel(&self) {
        self.cancelled.cancel();
        self.credit.close();
    }

    pub(super) async fn cancelled(&self) {
        self.cancelled.cancelled().await;
    }

    pub(super) fn is_cancelled(&self) -> bool {
        self.cancelled.is_cancelled()
    }

    /// Sends one piece, at most [`CHUNK`] long, when there is credit for it.
    pub(super) async fn data(&self, kind: Kind, bytes: Bytes) {
        let Ok(needed) = u32::try_from(bytes.len()) else {
            return;
        };
        if let Ok(credit) = self.credit.acquire_many(needed).await {
            credit.forget();
            self.send(Frame::new(kind, self.id, bytes)).await;
        }
    }

    /// The same from a thread that may block.
    pub(super) fn data_blocking(&self, bytes: Bytes) {
        Handle::current().block_on(self.data(Kind::Stdout, bytes));
    }

    /// Sends a JSON value as data.
    pub(super) fn json_blocking(&self, value: &impl Serialize) -> Result<(), Failure> {
        let json =
            serde_json::to_vec(value).map_err(|error| Failure::Refused(error.to_string()))?;
        let mut json = Bytes::from(json);
        while !json.is_empty() {
            self.data_blocking(json.split_to(json.len().min(CHUNK)));
        }
        Ok(())
    }

    /// Asks for so many more bytes of input.
    pub(super) async fn grant(&self, bytes: usize) {
        let bytes = u32::try_from(bytes).unwrap_or(u32::MAX);
        let payload = Bytes::copy_from_slice(&bytes.to_le_bytes());
        self.send(Frame::new(Kind::Grant, self.id, payload)).await;
    }

    pub(super) async fn end(&self, answer: &Answer) {
        if let Ok(frame) = Frame::json(Kind::End, self.id, answer) {
            self.send(frame).await;
        }
    }

    /// Only fails when the server is gone, and then nobody is left to tell.
    async fn send(&self, frame: Frame) {
        drop(self.frames.send(frame).await);
    }
}

/// The body of a request.
pub(super) struct Body {
    pieces: mpsc::Receiver<Bytes>,
    missing: usize,
}

impl Body {
    pub(super) fn new(pieces: mpsc::Receiver<Bytes>, missing: usize) -> Self {
        Self { pieces, missing }
    }

    /// The next piece, from a thread that may block.
    pub(super) fn next_blocking(&mut self) -> Result<Option<Bytes>, Failure> {
        if self.missing == 0 {
            return Ok(None);
        }
        let piece = self.pieces.blocking_recv();
        self.taken(piece).map(Some)
    }

    /// The whole of it.
    pub(super) async fn collect(mut self) -> Result<Bytes, Failure> {
        if self.missing > MAX_COLLECTED {
            let text = format!("a script of {} bytes is too long", self.missing);
            return Err(Failure::Refused(text));
        }
        let mut all = BytesMut::with_capacity(self.missing);
        while self.missing > 0 {
            let piece = self.pieces.recv().await;
            all.extend_from_slice(&self.taken(piece)?);
        }
        Ok(all.freeze())
    }

    fn taken(&mut self, piece: Option<Bytes>) -> Result<Bytes, Failure> {
        let piece = piece.ok_or_else(|| Failure::Lost("the request broke off".into()))?;
        self.missing = self.missing.saturating_sub(piece.len());
        Ok(piece)
    }
}
