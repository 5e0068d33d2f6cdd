//! Processes from outside: which there are, what they last put out, and how one is ended. None of
//! it holds a connection longer than its answer takes.

use super::{exit_of, session::Door};
use crate::{
    api::{Lines, Twice},
    error::SpritesError,
    shell,
    sprite::RemoteSprite,
    wire::{
        NDJSON, duration,
        exec::{
            ExecQuery, ExitMessage, KillEvent, KillRequest, Replay, ServerMessage,
            Session as Listed, SessionList,
        },
        frame::Frame,
        sprite::Status,
    },
};
use bytes::{Bytes, BytesMut};
use futures_util::StreamExt as _;
use ports::sandbox::{Exit, ProcessId, ProcessReport, ProcessState, SandboxError};
use reqwest::{Method, header};
use std::time::Duration;
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::Message;

/// The most of earlier output that is asked for.
const KEPT: usize = 64 << 10;
/// Where a server does not say how much comes again, it has all come when nothing comes for so long.
const QUIET: Duration = Duration::from_millis(500);

/// Those that run, and those that were lost. A sprite that sleeps has none that run, and is not
/// asked, because that would wake it.
pub(super) async fn processes(sprite: &RemoteSprite) -> Result<Vec<ProcessReport>, SandboxError> {
    let Some(described) = sprite.described().await? else {
        return Ok(Vec::new());
    };
    if described.status == Status::Cold && described.lost_sessions.unwrap_or(0) == 0 {
        return Ok(Vec::new());
    }
    let api = sprite.api();
    let request = api.request(Method::GET, &["sprites", &described.name, "exec"]);
    let list: SessionList = api.json(request, Twice::Same).await?;
    // Kept shells are not what anybody started.
    let others = list
        .sessions
        .into_iter()
        .filter(|session| !is_shell(session));
    let mut reports: Vec<_> = others.map(report).collect();
    reports.sort_by(|a, b| (a.started_at, &a.id).cmp(&(b.started_at, &b.id)));
    Ok(reports)
}

fn is_shell(listed: &Listed) -> bool {
    let shell = shell::command().arguments;
    match &listed.arguments {
        Some(arguments) => *arguments == shell,
        None => listed.command == shell.join(" "),
    }
}

fn report(listed: Listed) -> ProcessReport {
    let started_at = listed.created.unwrap_or_default();
    ProcessReport {
        id: ProcessId(listed.id),
        arguments: listed.arguments.unwrap_or_else(|| vec![listed.command]),
        directory: listed.workdir,
        terminal: listed.tty,
        started_at,
        active_at: listed.last_activity.unwrap_or(started_at),
        readers: listed.readers.unwrap_or(usize::from(listed.is_active)),
        state: if listed.lost {
            ProcessState::Lost
        } else {
            ProcessState::Running
        },
    }
}

/// What comes again to whoever connects.
pub(super) async fn last_output(door: &Door, id: &str) -> Result<Bytes, SpritesError> {
    let mut session = match door.attach(id, &ExecQuery::default()).await {
        Err(error @ (SpritesError::NotFound { .. } | SpritesError::Gone { .. })) => {
            return archived(door, id).await.map_err(|_as_before| error);
        }
        attached => attached?,
    };
    let expected = session.info.replay.map(|replay: Replay| {
        let all = replay.stdout_bytes.saturating_add(replay.stderr_bytes);
        usize::try_from(all).unwrap_or(usize::MAX)
    });
    let patience = match expected {
        Some(_) => door.api.timing.answer,
        None => QUIET,
    };
    let mut output = BytesMut::new();
    let mut came = 0;
    while expected.is_none_or(|expected| came < expected) {
        let message = match session.early.pop_front() {
            Some(message) => message,
            None => match timeout(patience, session.socket.next()).await {
                Ok(Some(Ok(message))) => message,
                _ => break,
            },
        };
        let piece = match message {
            Message::Binary(bytes) if session.info.tty => bytes,
            Message::Binary(bytes) => match Frame::decode(bytes) {
                Some(Frame::Stdout(bytes) | Frame::Stderr(bytes)) => bytes,
                Some(Frame::Exit(_)) => break,
                _ => continue,
            },
            Message::Text(text) => match serde_json::from_str(&text) {
                Ok(ServerMessage::Error { .. }) => break,
                _ => continue,
            },
            Message::Close(_) => break,
            _ => continue,
        };
        came += piece.len();
        output.extend_from_slice(&piece);
        let surplus = output.len().saturating_sub(KEPT);
        drop(output.split_to(surplus));
    }
    Ok(output.freeze())
}

/// What a process said that is no more, where the server keeps that; the service does not.
async fn archived(door: &Door, id: &str) -> Result<Bytes, SpritesError> {
    let path = ["sprites", &*door.sprite, "exec", id, "output"];
    let request = door.api.request(Method::GET, &path);
    let response = door.api.send(request, Twice::Same).await?;
    let bytes = response.bytes().await;
    bytes.map_err(|error| SpritesError::Interrupted(error.without_url().to_string()))
}

/// Signals all of a process and, with patience, waits for its end.
pub(crate) async fn kill(
    door: &Door,
    id: &str,
    signal: &str,
    patience: Duration,
) -> Result<Option<Exit>, SpritesError> {
    let path = ["sprites", &*door.sprite, "exec", id, "kill"];
    let query = KillRequest {
        signal: Some(signal.to_owned()),
        timeout: Some(duration::text(patience)),
    };
    let request = door
        .api
        .request(Method::POST, &path)
        .query(&query)
        .header(header::ACCEPT, NDJSON);
    let response = door.api.send(request, Twice::Differs).await?;
    let mut lines = Lines::new(response);
    let mut exit = None;
    while let Some(event) = lines.next(&door.api).await? {
        match event {
            KillEvent::Complete {
                exit_code: Some(exit_code),
                signal,
            } => {
                exit = Some(exit_of(ExitMessage {
                    exit_code,
                    code: exit_code,
                    signal,
                }));
            }
            KillEvent::Error { message } => return Err(SpritesError::Protocol(message)),
            _ => {}
        }
    }
    Ok(exit.filter(|_| !patience.is_zero()))
}
