//! What goes to a request while it is open: bytes against the credit that the supervisor grants,
//! and controls, which overtake them. It knows nothing of what takes them.

use super::{Link, lost};
use crate::protocol::{CHUNK, Frame, Kind, MAX_PAYLOAD, WINDOW};
use bytes::Bytes;
use ports::sandbox::SandboxError;
use serde::Serialize;
use std::{io, sync::Arc};
use tokio::sync::Semaphore;

/// The way into an open request.
#[derive(Clone)]
pub(crate) struct CallInput {
    pub(super) id: u32,
    pub(super) link: Arc<Link>,
    /// Closed when the request is over.
    pub(super) credit: Arc<Semaphore>,
}

impl CallInput {
    /// Waits until input is taken at all.
    pub(crate) async fn begun(&self) -> Result<(), SandboxError> {
        match self.credit.acquire().await {
            Ok(_given_back) => Ok(()),
            Err(_closed) => Err(self.over()),
        }
    }

    /// Sends bytes as fast as they are taken.
    pub(crate) async fn write(&self, mut bytes: Bytes) -> Result<(), SandboxError> {
        while !bytes.is_empty() {
            let piece = bytes.split_to(bytes.len().min(CHUNK));
            let needed = u32::try_from(piece.len()).unwrap_or(u32::MAX);
            match self.credit.acquire_many(needed).await {
                Ok(credit) => credit.forget(),
                Err(_closed) => return Err(self.over()),
            }
            self.link.send(Frame::new(Kind::Input, self.id, piece));
        }
        Ok(())
    }

    /// Says that no more bytes come.
    pub(crate) fn finish(&self) -> Result<(), SandboxError> {
        self.send(Frame::new(Kind::Finish, self.id, Bytes::new()))
    }

    /// Sends a control.
    pub(crate) fn control(&self, control: &impl Serialize) -> Result<(), SandboxError> {
        let frame = Frame::json(Kind::Control, self.id, control);
        self.send(frame.map_err(|error| SandboxError::Refused(error.to_string()))?)
    }

    /// Ends the request.
    pub(crate) fn cancel(&self) {
        self.link
            .send(Frame::new(Kind::Cancel, self.id, Bytes::new()));
    }

    /// Whether the supervisor is gone.
    pub(crate) fn is_lost(&self) -> bool {
        self.link.is_closed()
    }

    /// Waits until the supervisor is gone.
    pub(crate) async fn lost(&self) {
        self.link.closed.cancelled().await;
    }

    fn send(&self, frame: Frame) -> Result<(), SandboxError> {
        if self.credit.is_closed() {
            return Err(self.over());
        }
        self.link.send(frame);
        Ok(())
    }

    fn over(&self) -> SandboxError {
        if self.is_lost() {
            return lost();
        }
        SandboxError::Conflict("it has ended and takes no more input".into())
    }
}

/// Takes what a supervisor grants, which may be any number.
pub(super) fn granted(credit: &Semaphore, payload: &[u8]) -> io::Result<()> {
    let bytes = payload
        .try_into()
        .map(u32::from_le_bytes)
        .map_err(io::Error::other)?;
    let bytes = usize::try_from(bytes).map_err(io::Error::other)?;
    if credit.available_permits() + bytes > WINDOW + MAX_PAYLOAD {
        return Err(io::Error::other("more input was asked for than is allowed"));
    }
    credit.add_permits(bytes);
    Ok(())
}
