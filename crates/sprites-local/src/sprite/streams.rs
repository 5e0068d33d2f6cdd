//! What of a sprite stays open: processes, and connections to its ports. While one is in use the
//! sprite has something to do, whoever else asks it for nothing.

use super::LocalSprite;
use crate::{
    link::{Call, CallInput, Piece},
    processes::wire::{Start, WireListening},
    protocol::Request,
};
use async_trait::async_trait;
use bytes::Bytes;
use futures_util::stream;
use ports::sandbox::{ListeningPort, SandboxError, Tunnel, TunnelInput};
use std::{
    sync::{Arc, atomic::Ordering},
    time::Duration,
};
use tokio::sync::Mutex;

/// So long after its last output a process still counts as doing something.
const FRESH: Duration = Duration::from_secs(2);

/// The sprite has something to do while this is held.
pub(crate) struct Busy(Arc<LocalSprite>);

impl Drop for Busy {
    fn drop(&mut self) {
        self.0.touch();
        self.0.busy.fetch_sub(1, Ordering::AcqRel);
    }
}

/// A process runs in the sprite while this is held.
pub(crate) struct Running(Arc<LocalSprite>);

impl Drop for Running {
    fn drop(&mut self) {
        self.0.running.fetch_sub(1, Ordering::AcqRel);
    }
}

impl LocalSprite {
    pub(crate) fn keep_busy(self: &Arc<Self>) -> Busy {
        self.busy.fetch_add(1, Ordering::AcqRel);
        Busy(Arc::clone(self))
    }

    pub(crate) fn runs(self: &Arc<Self>) -> Running {
        self.running.fetch_add(1, Ordering::AcqRel);
        Running(Arc::clone(self))
    }

    /// Whether a process runs in it, watched or not.
    pub(crate) fn has_processes(&self) -> bool {
        self.running.load(Ordering::Acquire) > 0
    }

    /// Whether it does something now: it answers, somebody watches a process, or one puts out.
    pub(crate) fn is_working(&self) -> bool {
        self.idle()
            .is_none_or(|idle| self.has_processes() && idle < FRESH)
    }

    /// Starts a process.
    pub(crate) fn start(&self, start: &Start) -> Result<Call, SandboxError> {
        let body =
            serde_json::to_vec(start).map_err(|error| SandboxError::Refused(error.to_string()))?;
        self.link.call(Request::Start, body.into())
    }

    /// Connects to a TCP port that something inside listens on.
    pub(crate) async fn connect(self: &Arc<Self>, port: u16) -> Result<Tunnel, SandboxError> {
        let busy = self.keep_busy();
        let mut call = self.link.call(Request::Connect { port }, Bytes::new())?;
        let input = call.input();
        let began = async {
            tokio::select! {
                biased;
                begun = input.begun() => begun,
                refused = call.next() => match refused {
                    Err(error) => Err(error),
                    Ok(_) => Err(SandboxError::Lost("its supervisor broke the protocol".into())),
                },
            }
        };
        self.within(self.answer, began).await?;
        let carried = Arc::new(Carried {
            call: Mutex::new(call),
            _busy: busy,
        });
        let output = stream::unfold(Some(Arc::clone(&carried)), async |open| {
            let carried = open?;
            let piece = carried.call.lock().await.next().await;
            match piece {
                // An empty one says that it sends no more; it may still be sent to.
                Ok(Piece::Data(_, bytes)) if bytes.is_empty() => None,
                Ok(Piece::Data(_, bytes)) => Some((Ok(bytes), Some(carried))),
                Ok(Piece::End(_)) => None,
                Err(error) => Some((Err(error), None)),
            }
        });
        Ok(Tunnel {
            input: Arc::new(Mouth {
                input,
                _carried: carried,
            }),
            output: Box::pin(output),
        })
    }

    /// The TCP ports that something inside listens on.
    pub(crate) async fn listening(&self) -> Result<Vec<ListeningPort>, SandboxError> {
        let call = self.link.call(Request::Listening, Bytes::new())?;
        let (ports, _) = self
            .within(self.answer, call.list::<WireListening>())
            .await?;
        Ok(ports.into_iter().map(Into::into).collect())
    }
}

/// A connection, for as long as either way of it is held.
struct Carried {
    call: Mutex<Call>,
    _busy: Busy,
}

/// The way to a port.
struct Mouth {
    input: CallInput,
    _carried: Arc<Carried>,
}

#[async_trait]
impl TunnelInput for Mouth {
    async fn write(&self, bytes: Bytes) -> Result<(), SandboxError> {
        self.input.write(bytes).await
    }

    async fn finish(&self) -> Result<(), SandboxError> {
        self.input.finish()
    }
}

impl Drop for Mouth {
    fn drop(&mut self) {
        self.input.cancel();
    }
}
