//! The server's end of the socket to one supervisor: matches answers to requests, grants credit
//! for what was consumed and cancels what nobody waits for. It never waits for one request to
//! serve another.

mod input;

pub(crate) use input::CallInput;

use crate::protocol::{Answer, CHUNK, Envelope, Frame, Kind, MAX_PAYLOAD, Reply, Request, WINDOW};
use bytes::{Bytes, BytesMut};
use ports::sandbox::{OutputStream, SandboxError};
use serde::de::DeserializeOwned;
use std::{
    collections::HashMap,
    io,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
};
use tokio::{
    io::{AsyncWriteExt, BufReader, BufWriter},
    net::{UnixStream, unix::OwnedReadHalf, unix::OwnedWriteHalf},
    sync::{Semaphore, mpsc},
};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

const LOST: &str = "its supervisor ended";

/// A connection to a supervisor.
pub(crate) struct Link {
    /// Unbounded, but callers wait for the answer and bodies are shared, so it holds little.
    frames: mpsc::UnboundedSender<Frame>,
    calls: Mutex<Calls>,
    closed: CancellationToken,
}

#[derive(Default)]
struct Calls {
    last: u32,
    open: HashMap<u32, Reader>,
}

/// Who waits for an answer.
struct Reader {
    frames: mpsc::UnboundedSender<Frame>,
    /// Bytes that were received and not consumed.
    waiting: Arc<AtomicUsize>,
    /// Bytes of input that may be sent.
    credit: Arc<Semaphore>,
}

impl Drop for Reader {
    fn drop(&mut self) {
        self.credit.close();
    }
}

impl Link {
    /// Serves a socket on the tracker's tasks until it closes or the link is closed.
    pub(crate) fn new(socket: UnixStream, tasks: &TaskTracker) -> Arc<Self> {
        let (reader, writer) = socket.into_split();
        let (frames, outgoing) = mpsc::unbounded_channel();
        let link = Arc::new(Self {
            frames,
            calls: Mutex::default(),
            closed: CancellationToken::new(),
        });
        tasks.spawn(write(outgoing, writer, link.closed.clone()));
        let receiving = Arc::clone(&link);
        tasks.spawn(async move {
            if let Err(error) = receiving.receive(reader).await {
                tracing::warn!(%error, "sprite.protocol: the supervisor broke the protocol");
            }
            receiving.close();
        });
        link
    }

    /// Ends the connection; the supervisor takes that as its end.
    pub(crate) fn close(&self) {
        self.closed.cancel();
        self.calls().open.clear();
    }

    pub(crate) fn is_closed(&self) -> bool {
        self.closed.is_cancelled()
    }

    /// Asks for something.
    pub(crate) fn call(
        self: &Arc<Self>,
        request: Request,
        body: Bytes,
    ) -> Result<Call, SandboxError> {
        let (frames, answers) = mpsc::unbounded_channel();
        let waiting = Arc::new(AtomicUsize::new(0));
        let credit = Arc::new(Semaphore::new(0));
        let id = {
            let mut calls = self.calls();
            if self.is_closed() {
                return Err(lost());
            }
            calls.last = calls.last.wrapping_add(1);
            let id = calls.last;
            let reader = Reader {
                frames,
                waiting: Arc::clone(&waiting),
                credit: Arc::clone(&credit),
            };
            calls.open.insert(id, reader);
            id
        };
        let call = Call {
            answers,
            waiting,
            input: CallInput {
                id,
                link: Arc::clone(self),
                credit,
            },
            consumed: 0,
            done: false,
        };
        let envelope = Envelope {
            request,
            body: body.len(),
        };
        let frame = Frame::json(Kind::Request, id, &envelope)
            .map_err(|error| SandboxError::Refused(error.to_string()))?;
        if frame.payload.len() > MAX_PAYLOAD {
            return Err(SandboxError::Refused("the request is too long".into()));
        }
        self.send(frame);
        let mut body = body;
        while !body.is_empty() {
            let piece = body.split_to(body.len().min(CHUNK));
            self.send(Frame::new(Kind::Body, id, piece));
        }
        Ok(call)
    }

    /// After the connection closed there is nobody to send to; callers see that as the answer.
    fn send(&self, frame: Frame) {
        drop(self.frames.send(frame));
    }

    async fn receive(&self, reader: OwnedReadHalf) -> io::Result<()> {
        let mut reader = BufReader::with_capacity(128 << 10, reader);
        loop {
            let frame = tokio::select! {
                frame = Frame::read(&mut reader) => frame?,
                () = self.closed.cancelled() => None,
            };
            let Some(frame) = frame else {
                return Ok(());
            };
            // A call that was given up still answers for a while.
            if let Some(reader) = self.calls().open.get(&frame.id) {
                if frame.kind == Kind::Grant {
                    input::granted(&reader.credit, &frame.payload)?;
                    continue;
                }
                let length = frame.payload.len();
                let waiting = reader.waiting.fetch_add(length, Ordering::AcqRel);
                if waiting > WINDOW + MAX_PAYLOAD {
                    return Err(io::Error::other("more data than there was credit for"));
                }
                drop(reader.frames.send(frame));
            }
        }
    }

    fn calls(&self) -> MutexGuard<'_, Calls> {
        self.calls.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A request that waits for its answer. Dropping it cancels it.
pub(crate) struct Call {
    answers: mpsc::UnboundedReceiver<Frame>,
    waiting: Arc<AtomicUsize>,
    input: CallInput,
    consumed: usize,
    done: bool,
}

/// A piece of an answer.
pub(crate) enum Piece {
    Data(OutputStream, Bytes),
    End(Reply),
}

impl Call {
    /// The way into it, for requests that take input.
    pub(crate) fn input(&self) -> CallInput {
        self.input.clone()
    }

    /// The next piece. What was returned before counts as consumed.
    pub(crate) async fn next(&mut self) -> Result<Piece, SandboxError> {
        self.grant();
        let frame = self.answers.recv().await.ok_or_else(lost)?;
        self.waiting
            .fetch_sub(frame.payload.len(), Ordering::AcqRel);
        let stream = match frame.kind {
            Kind::Stdout => OutputStream::Stdout,
            Kind::Stderr => OutputStream::Stderr,
            Kind::End => {
                self.done = true;
                let answer: Answer = frame.parse().map_err(broken)?;
                return Ok(Piece::End(answer?));
            }
            Kind::Request
            | Kind::Body
            | Kind::Credit
            | Kind::Cancel
            | Kind::Input
            | Kind::Finish
            | Kind::Control
            | Kind::Grant => {
                return Err(broken("a frame that is no part of an answer"));
            }
        };
        self.consumed += frame.payload.len();
        Ok(Piece::Data(stream, frame.payload))
    }

    /// All data up to `limit` bytes, and the end.
    pub(crate) async fn collect(mut self, limit: usize) -> Result<(Bytes, Reply), SandboxError> {
        let mut all = BytesMut::new();
        loop {
            match self.next().await? {
                Piece::Data(_, bytes) if all.len() + bytes.len() > limit => {
                    return Err(broken("more data than was asked for"));
                }
                Piece::Data(_, bytes) => all.extend_from_slice(&bytes),
                Piece::End(reply) => return Ok((all.freeze(), reply)),
            }
        }
    }

    /// The list that the data holds, and whether it was cut.
    pub(crate) async fn list<T: DeserializeOwned>(self) -> Result<(Vec<T>, bool), SandboxError> {
        const LIMIT: usize = 64 << 20;
        let (json, reply) = self.collect(LIMIT).await?;
        let Reply::List { truncated } = reply else {
            return Err(unexpected(&reply));
        };
        let items = serde_json::from_slice(&json).map_err(broken)?;
        Ok((items, truncated))
    }

    fn grant(&mut self) {
        if self.consumed >= WINDOW / 4 {
            let consumed = u32::try_from(self.consumed).unwrap_or(u32::MAX);
            let payload = Bytes::copy_from_slice(&consumed.to_le_bytes());
            let CallInput { id, link, .. } = &self.input;
            link.send(Frame::new(Kind::Credit, *id, payload));
            self.consumed = 0;
        }
    }
}

impl Drop for Call {
    fn drop(&mut self) {
        let CallInput { id, link, .. } = &self.input;
        link.calls().open.remove(id);
        if !self.done {
            self.input.cancel();
        }
    }
}

/// What a reply that does not fit its request means.
pub(crate) fn unexpected(reply: &Reply) -> SandboxError {
    broken(format!("unexpected answer {reply:?}"))
}

fn broken(what: impl std::fmt::Display) -> SandboxError {
    SandboxError::Lost(format!("its supervisor broke the protocol: {what}"))
}

fn lost() -> SandboxError {
    SandboxError::Lost(LOST.into())
}

async fn write(
    mut frames: mpsc::UnboundedReceiver<Frame>,
    writer: OwnedWriteHalf,
    closed: CancellationToken,
) {
    let mut writer = BufWriter::with_capacity(128 << 10, writer);
    let writing = async {
        while let Some(frame) = frames.recv().await {
            let mut next = Some(frame);
            while let Some(frame) = next {
                frame.write(&mut writer).await?;
                next = frames.try_recv().ok();
            }
            writer.flush().await?;
        }
        Ok::<_, io::Error>(())
    };
    tokio::select! {
        written = writing => if let Err(error) = written {
            tracing::debug!(%error, "sprite.link: the supervisor takes no more");
        },
        () = closed.cancelled() => {}
    }
    closed.cancel();
}
