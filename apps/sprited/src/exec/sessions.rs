//! The commands of a sprite as a list, and the end of one.

use super::exit_code;
use crate::{answer::Refusal, app::Target, body, ndjson};
use axum::{
    Json,
    body::Bytes,
    extract::{Path, Query},
    http::StatusCode,
    response::Response,
};
use ports::sandbox::{Exit, ProcessId, ProcessReport, ProcessState, SandboxError};
use sprites::wire::{
    duration,
    exec::{KillEvent, KillRequest, Session, SessionList},
    signal,
};
use std::{sync::Arc, time::Duration};
use tokio::time::Instant;

/// How long an end is waited for when nobody said otherwise.
const PATIENCE: Duration = Duration::from_secs(10);
const KILL: i32 = 9;

/// `GET …/exec`.
pub(crate) async fn list(target: Target) -> Result<Json<SessionList>, Refusal> {
    let processes = target.sprite.processes().await?;
    let ended = |process: &ProcessReport| matches!(process.state, ProcessState::Ended(_));
    let sessions: Vec<_> = processes
        .into_iter()
        .filter(|process| !ended(process))
        .map(session)
        .collect();
    let count = sessions.len();
    Ok(Json(SessionList { count, sessions }))
}

fn session(process: ProcessReport) -> Session {
    Session {
        id: process.id.to_string(),
        created: Some(process.started_at),
        command: process.arguments.join(" "),
        workdir: process.directory,
        tty: process.terminal,
        // Nobody measures it.
        bytes_per_second: 0,
        is_active: process.readers > 0,
        last_activity: Some(process.active_at),
        arguments: Some(process.arguments),
        readers: Some(process.readers),
        lost: process.state == ProcessState::Lost,
    }
}

/// `POST …/exec/{session}/kill`; what it is told is in the query or in the body.
pub(crate) async fn kill(
    target: Target,
    Path((_, session)): Path<(String, String)>,
    Query(query): Query<KillRequest>,
    given: Bytes,
) -> Result<Response, Refusal> {
    let said = body::optional::<KillRequest>(&given)?;
    let name = query.signal.or(said.signal);
    let name = name.unwrap_or_else(|| "SIGTERM".to_owned());
    let number = signal::number(&name)
        .ok_or_else(|| Refusal::bad(format!("`{name}` is not a signal; SIGTERM is one")))?;
    let patience = match query.timeout.or(said.timeout) {
        Some(text) => duration::parse(&text).map_err(|error| Refusal::bad(error.to_string()))?,
        None => PATIENCE,
    };
    let id = ProcessId(session);
    is_running(&target, &id).await?;
    let (lines, response) = ndjson::answer();
    let tasks = target.app.tasks.clone();
    let work = Killing {
        sprite: Arc::clone(&target.sprite),
        id,
        number,
        patience,
    };
    // The end goes on when the client does not wait for it.
    tasks.spawn(async move { work.run(&lines).await });
    Ok(response)
}

/// `GET …/exec/{session}/output`: what a command said last, also one that was lost. It is ours; the
/// service has nothing like it.
pub(crate) async fn output(
    target: Target,
    Path((_, session)): Path<(String, String)>,
) -> Result<Bytes, Refusal> {
    Ok(target.sprite.last_output(&ProcessId(session)).await?)
}

/// 404 for one that never was, 410 for one that is gone.
async fn is_running(target: &Target, id: &ProcessId) -> Result<(), Refusal> {
    let processes = target.sprite.processes().await?;
    let state = processes
        .into_iter()
        .find(|process| process.id == *id)
        .map(|process| process.state);
    let gone = || Refusal::bad(format!("session already ended: {id}")).status(StatusCode::GONE);
    match state {
        Some(ProcessState::Running) => Ok(()),
        Some(ProcessState::Ended(_) | ProcessState::Lost) => Err(gone()),
        None => match target.sprite.last_output(id).await {
            Ok(_) => Err(gone()),
            Err(_) => Err(Refusal::missing(format!("session not found: {id}"))),
        },
    }
}

struct Killing {
    sprite: Arc<dyn ports::sandbox::Sprite>,
    id: ProcessId,
    number: i32,
    patience: Duration,
}

impl Killing {
    async fn run(self, lines: &ndjson::Lines<KillEvent>) {
        let name = signal::name(self.number);
        let began = Instant::now();
        let killing = self.sprite.kill(&self.id, self.number, self.patience);
        lines.hint(&KillEvent::Signal {
            message: format!("{name} goes to all processes of session {}", self.id),
            signal: name,
            // A session's id is the only number of it that is known outside.
            pid: self.id.0.parse().unwrap_or_default(),
        });
        let ended = killing.await;
        for event in events(ended, self.number, began.elapsed() >= self.patience) {
            lines.write(&event).await;
        }
    }
}

fn events(ended: Result<Option<Exit>, SandboxError>, sent: i32, late: bool) -> Vec<KillEvent> {
    let message = |text: &str| text.to_owned();
    match ended {
        Err(error) => vec![KillEvent::Error {
            message: error.to_string(),
        }],
        Ok(None) => vec![KillEvent::Complete {
            exit_code: None,
            signal: None,
        }],
        Ok(Some(exit)) => {
            let (code, signal) = exit_code(exit);
            let mut events = if late && signal == KILL && sent != KILL {
                vec![
                    KillEvent::Timeout {
                        message: message("it did not end in time"),
                    },
                    KillEvent::Killed {
                        message: message("it was killed"),
                    },
                ]
            } else {
                vec![KillEvent::Exited {
                    message: message("it ended"),
                }]
            };
            events.push(KillEvent::Complete {
                exit_code: Some(code.into()),
                signal: Some(signal),
            });
            events
        }
    }
}
