//! Looks after one service: starts it when what it needs runs, keeps its log, and starts it again
//! when it ends, until somebody stops it or it ends too often.

use super::{
    backoff::Backoff,
    log::{Lines, Log},
    roster::{Roster, Standing},
};
use crate::computer::LocalComputer;
use domain::Timestamp;
use futures_util::StreamExt as _;
use ports::sandbox::{
    Attached, Command, Exit, ProcessEvent, Processes as _, SandboxError, ServiceDefinition,
    ServiceEvent, ServiceStatus,
};
use std::{
    sync::Arc,
    time::{Duration, SystemTime},
};
use tokio::{
    sync::watch,
    time::{Instant, sleep, timeout},
};

/// How long after its time the end of a process may take to be heard of.
const GRACE: Duration = Duration::from_secs(10);

/// One service and its attendant's means.
pub(super) struct Attending {
    pub(super) computer: LocalComputer,
    pub(super) roster: Arc<Roster>,
    pub(super) definition: ServiceDefinition,
    pub(super) log: Arc<Log>,
    pub(super) restart_delay: Duration,
    pub(super) stop: watch::Receiver<Option<Duration>>,
}

/// Why a service does not run any more.
enum Ended {
    /// It ended by itself.
    Exit(Exit),
    /// Somebody stopped it.
    Stopped,
    /// It was not its fault; it is tried again.
    Lost(String),
    /// It cannot be started as it is.
    Bad(String),
}

impl Attending {
    /// Does it until it is over.
    pub(super) async fn run(mut self) {
        let mut backoff = Backoff::new(self.restart_delay);
        let standing = loop {
            let Some((wait, error)) = self.round(&mut backoff).await else {
                break Standing::new(ServiceStatus::Stopped);
            };
            let Some(wait) = wait else {
                tracing::warn!(service = %self.definition.name, error, "service.failed: it is not started again by itself");
                break Standing {
                    error: Some(error),
                    ..Standing::new(ServiceStatus::Failed)
                };
            };
            let next = Timestamp::from(SystemTime::now() + wait);
            self.change(|standing| {
                *standing = Standing {
                    error: Some(error),
                    restarts: standing.restarts + 1,
                    next_start_at: Some(next),
                    ..Standing::new(ServiceStatus::Starting)
                };
            });
            tokio::select! {
                () = stopped(&mut self.stop) => break Standing::new(ServiceStatus::Stopped),
                () = sleep(wait) => {}
            }
        };
        self.roster.leave(&self.definition.name, standing);
    }

    /// Runs it once: how long to wait before the next time, if there is one, and why; nothing when
    /// somebody stopped it.
    async fn round(&mut self, backoff: &mut Backoff) -> Option<(Option<Duration>, String)> {
        let begun = Instant::now();
        Some(match self.once().await {
            Ended::Stopped => return None,
            Ended::Exit(exit) => (backoff.ended(begun.elapsed()), said(exit)),
            Ended::Lost(error) => (Some(backoff.again()), error),
            Ended::Bad(error) => (None, error),
        })
    }

    async fn once(&mut self) -> Ended {
        self.change(|standing| standing.next_start_at = None);
        let name = self.definition.name.clone();
        if let Some(missing) = self.roster.missing(&name) {
            let text = format!("waits for `{missing}`, which does not run");
            self.change(|standing| standing.error = Some(text));
            let roster = Arc::clone(&self.roster);
            tokio::select! {
                () = stopped(&mut self.stop) => return Ended::Stopped,
                () = roster.until(|| roster.missing(&name).is_none()) => {}
            }
        }
        let command = Command {
            program: None,
            arguments: self.definition.command.clone(),
            environment: self.definition.environment.clone(),
            directory: self.definition.directory.clone(),
            terminal: None,
            input: false,
            linger: None,
        };
        let woken = tokio::select! {
            () = stopped(&mut self.stop) => return Ended::Stopped,
            woken = self.computer.awake() => woken,
        };
        if let Err(error) = woken {
            return Ended::Lost(error.to_string());
        }
        // Once asked for it may have started, so this is not given up half-way.
        match self.computer.start(command).await {
            Ok(attached) => self.watch(attached).await,
            Err(error @ (SandboxError::Refused(_) | SandboxError::NotFound { .. })) => {
                Ended::Bad(error.to_string())
            }
            Err(error) => Ended::Lost(error.to_string()),
        }
    }

    /// Keeps the log of a process until it ends, and ends it when it is told to.
    async fn watch(&mut self, attached: Attached) -> Ended {
        let Attached {
            process,
            input,
            mut output,
        } = attached;
        self.change(|standing| {
            standing.status = ServiceStatus::Running;
            standing.process = process.id.0.parse().ok();
            standing.input = Some(input);
            standing.started_at = Some(process.started_at);
            standing.error = None;
        });
        let mut lines = Lines::default();
        let log = Arc::clone(&self.log);
        let mut until_end = std::pin::pin!(async {
            loop {
                let event = output.next().await;
                let at = Timestamp::from(SystemTime::now());
                match event {
                    Some(Ok(ProcessEvent::Output(stream, bytes))) => {
                        keep(&log, lines.push(at, stream, &bytes)).await;
                    }
                    Some(Ok(ProcessEvent::Ended(exit))) => {
                        let mut last = lines.finish(at);
                        last.push(ServiceEvent {
                            at,
                            event: ProcessEvent::Ended(exit),
                        });
                        keep(&log, last).await;
                        return Ended::Exit(exit);
                    }
                    Some(Err(error)) => return Ended::Lost(error.to_string()),
                    None => return Ended::Lost("its output broke off".into()),
                }
            }
        });
        tokio::select! {
            ended = &mut until_end => return ended,
            () = stopped(&mut self.stop) => {}
        }
        let patience = self.stop.borrow().unwrap_or_default();
        self.change(|standing| standing.status = ServiceStatus::Stopping);
        let signal = if patience.is_zero() {
            libc::SIGKILL
        } else {
            libc::SIGTERM
        };
        let killing = self.computer.kill(&process.id, signal, patience);
        let (killed, _) = tokio::join!(killing, timeout(patience + GRACE, until_end));
        if let Err(error) = killed {
            // It ended by itself meanwhile, or the sandbox did; either way it runs no more.
            tracing::debug!(%error, service = %self.definition.name, "service.stop: nothing was left to end");
        }
        Ended::Stopped
    }

    fn change(&self, change: impl FnOnce(&mut Standing)) {
        self.roster.change(&self.definition.name, change);
    }
}

/// Waits until somebody wants an end, or nobody could any more.
async fn stopped(stop: &mut watch::Receiver<Option<Duration>>) {
    drop(stop.wait_for(Option::is_some).await);
}

/// A log that cannot be written must not end the service.
async fn keep(log: &Arc<Log>, events: Vec<ServiceEvent>) {
    if events.is_empty() {
        return;
    }
    let log = Arc::clone(log);
    let kept = super::roster::blocking(move || log.append(events)).await;
    if let Err(error) = kept {
        tracing::warn!(%error, "service.log: lines are lost");
    }
}

fn said(exit: Exit) -> String {
    match exit {
        Exit::Code(code) => format!("it ended with exit code {code}"),
        Exit::Signal(signal) => format!("it was ended by signal {signal}"),
        Exit::TimedOut => "it was ended".into(),
    }
}
