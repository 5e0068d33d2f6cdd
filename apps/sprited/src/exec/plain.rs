//! Commands over plain HTTP, for clients that cannot upgrade a connection. The protocol tells its frames apart by
//! the chunks of the answer alone, and clients merge chunks that come close together; so each is
//! sent by itself with a pause after it. Whoever can use a `WebSocket` should.

use super::{Pairs, command, exit_code, read};
use crate::{answer::Refusal, app::Target, body};
use axum::{
    body::Body,
    extract::Query,
    http::{StatusCode, header},
    response::{IntoResponse as _, Response},
};
use bytes::{Bytes, BytesMut};
use futures_util::{FutureExt as _, StreamExt as _, stream};
use ports::sandbox::{Attached, OutputStream, ProcessEvent, ProcessOutput, SandboxError};
use sprites::wire::frame::Frame;
use std::{io, sync::Arc, time::Duration};

/// The largest input.
const INPUT: usize = 10 << 20;
/// The most output in one chunk: more is torn apart on its way through TCP.
const PIECE: usize = 16 << 10;
/// Measured: clients keep chunks apart that are so far apart.
const PAUSE: Duration = Duration::from_millis(50);

/// `POST …/exec`.
pub(crate) async fn run(
    target: Target,
    Query(pairs): Pairs,
    given: Body,
) -> Result<Response, Refusal> {
    let query = read(pairs)?;
    if query.terminal {
        return Err(Refusal::bad("a terminal needs a WebSocket"));
    }
    let command = command(query)?;
    let input = if command.input {
        body::limited(given, INPUT).await?
    } else {
        Bytes::new()
    };
    let takes_input = command.input;
    let attached = target.sprite.start(command).await?;
    if takes_input {
        let to = Arc::clone(&attached.input);
        target.app.tasks.spawn(async move {
            let taken = async {
                to.write(input).await?;
                to.finish().await
            };
            if let Err(error) = taken.await {
                tracing::debug!(%error, "a process did not take its input");
            }
        });
    }
    let used = target.used();
    let Attached { output, .. } = attached;
    let state = Frames {
        output,
        held: None,
        next: None,
        first: true,
        ended: false,
    };
    let chunks = stream::unfold((state, used), |(mut frames, used)| async move {
        let chunk = frames.next().await?;
        Some((chunk, (frames, used)))
    });
    let headers = [(header::CONTENT_TYPE, "application/octet-stream")];
    Ok((StatusCode::OK, headers, Body::from_stream(chunks)).into_response())
}

struct Frames {
    output: ProcessOutput,
    /// Output that was taken and not sent.
    held: Option<(OutputStream, BytesMut)>,
    /// What was taken after it and does not go with it.
    next: Option<Result<ProcessEvent, SandboxError>>,
    first: bool,
    ended: bool,
}

impl Frames {
    /// The next chunk, when its time has come.
    async fn next(&mut self) -> Option<io::Result<Bytes>> {
        if self.ended {
            return None;
        }
        if !std::mem::take(&mut self.first) {
            tokio::time::sleep(PAUSE).await;
        }
        self.gather().await;
        if let Some((stream, bytes)) = &mut self.held {
            let piece = bytes.split_to(bytes.len().min(PIECE)).freeze();
            let frame = match stream {
                OutputStream::Stdout => Frame::Stdout(piece),
                OutputStream::Stderr => Frame::Stderr(piece),
            };
            if bytes.is_empty() {
                self.held = None;
            }
            return Some(Ok(frame.encode()));
        }
        self.ended = true;
        Some(match self.next.take()? {
            Ok(ProcessEvent::Ended(exit)) => Ok(Frame::Exit(exit_code(exit).0).encode()),
            Ok(ProcessEvent::Output(..)) => return None,
            Err(error) => Err(io::Error::other(error)),
        })
    }

    /// Takes output until there is a whole chunk, nothing more is there, or something else comes.
    async fn gather(&mut self) {
        while self
            .held
            .as_ref()
            .is_none_or(|(_, bytes)| bytes.len() < PIECE)
        {
            let event = match self.next.take() {
                Some(event) => Some(event),
                None if self.held.is_none() => self.output.next().await,
                None => match self.output.next().now_or_never() {
                    Some(event) => event,
                    None => return,
                },
            };
            match (event, &mut self.held) {
                (Some(Ok(ProcessEvent::Output(stream, bytes))), Some((held, all)))
                    if *held == stream =>
                {
                    all.extend_from_slice(&bytes);
                }
                (Some(Ok(ProcessEvent::Output(stream, bytes))), held @ None) => {
                    *held = Some((stream, BytesMut::from(&bytes[..])));
                }
                (other, _) => {
                    self.next = other;
                    return;
                }
            }
        }
    }
}
