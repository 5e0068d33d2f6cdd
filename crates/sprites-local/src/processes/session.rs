//! One process as the server holds it: what it put out last, who reads that, and how it ended. It
//! lives on without readers, and does not know the other processes.

use super::{
    archive::{LAST, Record},
    ring::Ring,
    wire::Control,
};
use crate::link::CallInput;
use bytes::Bytes;
use domain::Timestamp;
use futures_util::stream;
use ports::sandbox::{
    Exit, OutputStream, ProcessEvent, ProcessId, ProcessOutput, ProcessReport, ProcessState,
    SandboxError,
};
use std::{
    pin::pin,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, SystemTime},
};
use tokio::{sync::Notify, time::Instant};

/// A process that runs, or ran.
pub(super) struct Session {
    pub(super) id: u64,
    pub(super) record: Record,
    pub(super) linger: Option<Duration>,
    /// Whether it takes input.
    pub(super) takes_input: bool,
    pub(super) input: CallInput,
    /// Held while input is written, so that none is torn apart.
    pub(super) writing: tokio::sync::Mutex<()>,
    state: Mutex<State>,
    /// Tells those who read or wait for the end.
    came: Notify,
    /// Tells the one who fills the ring: a reader came, went or went on.
    pub(super) went: Notify,
}

struct State {
    ring: Ring,
    active_at: Timestamp,
    connections: usize,
    /// Since when nobody is connected.
    alone_since: Instant,
    /// Readers are not waited for any more.
    unheld: bool,
    outcome: Option<Outcome>,
}

/// How a process came to its end.
#[derive(Clone, Debug)]
pub(super) enum Outcome {
    Ended(Exit),
    Lost(String),
}

impl Session {
    pub(super) fn new(
        id: u64,
        record: Record,
        command: &ports::sandbox::Command,
        input: CallInput,
    ) -> Self {
        Self {
            id,
            linger: command.linger,
            takes_input: command.input,
            input,
            writing: tokio::sync::Mutex::default(),
            state: Mutex::new(State {
                ring: Ring::default(),
                active_at: record.started_at,
                connections: 0,
                alone_since: Instant::now(),
                unheld: false,
                outcome: None,
            }),
            record,
            came: Notify::new(),
            went: Notify::new(),
        }
    }

    /// Takes output. Waits for readers who are slow, as long as there is a point in that.
    pub(super) async fn put(&self, stream: OutputStream, bytes: Bytes) {
        loop {
            {
                let mut state = self.state();
                let room = state.ring.make_room(bytes.len());
                if room || state.unheld || self.input.is_lost() {
                    state.ring.push(stream, bytes);
                    state.active_at = now();
                    break;
                }
            }
            tokio::select! {
                () = self.went.notified() => {}
                () = self.input.lost() => {}
            }
        }
        self.came.notify_waiters();
    }

    pub(super) fn end(&self, outcome: Outcome) {
        self.state().outcome = Some(outcome);
        self.came.notify_waiters();
    }

    /// Its outcome; waits for it.
    pub(super) async fn ended(&self) -> Outcome {
        self.look(|state| state.outcome.clone()).await
    }

    /// No longer waits for readers: it is to end, and whoever is too slow holds nothing up.
    pub(super) fn let_go(&self) {
        self.state().unheld = true;
        self.went.notify_one();
    }

    /// When it is to be killed for want of anybody connected, as things stand.
    pub(super) fn deadline(&self) -> Option<Instant> {
        let state = self.state();
        let linger = self.linger.filter(|_| state.connections == 0)?;
        state.alone_since.checked_add(linger)
    }

    /// Whether somebody is connected.
    pub(super) fn is_attended(&self) -> bool {
        self.state().connections > 0
    }

    pub(super) fn last_output(&self) -> Bytes {
        self.state().ring.last(LAST)
    }

    pub(super) fn report(&self) -> ProcessReport {
        let state = self.state();
        report(
            self.id,
            &self.record,
            state.active_at,
            match &state.outcome {
                Some(Outcome::Ended(exit)) => ProcessState::Ended(*exit),
                None if !self.input.is_lost() => ProcessState::Running,
                Some(Outcome::Lost(_)) | None => ProcessState::Lost,
            },
            state.ring.readers(),
        )
    }

    /// Tells it something beside its input.
    pub(super) fn control(&self, control: &Control) -> Result<(), SandboxError> {
        self.input.control(control)
    }

    /// What `find` finds; waits until it does.
    async fn look<T>(&self, mut find: impl FnMut(&mut State) -> Option<T>) -> T {
        loop {
            let mut came = pin!(self.came.notified());
            came.as_mut().enable();
            let found = find(&mut self.state());
            if let Some(found) = found {
                return found;
            }
            came.await;
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A process that is told of.
pub(super) fn report(
    id: u64,
    record: &Record,
    active_at: Timestamp,
    state: ProcessState,
    readers: usize,
) -> ProcessReport {
    ProcessReport {
        id: ProcessId(id.to_string()),
        arguments: record.arguments.clone(),
        directory: record.directory.clone(),
        terminal: record.terminal,
        started_at: record.started_at,
        active_at,
        readers,
        state,
    }
}

/// The time of this machine.
pub(super) fn now() -> Timestamp {
    use chrono::SubsecRound as _;
    Timestamp::from(SystemTime::now()).trunc_subsecs(6)
}

/// Somebody who is connected to a process.
pub(super) struct Connection {
    pub(super) session: Arc<Session>,
}

impl Connection {
    pub(super) fn new(session: Arc<Session>) -> Arc<Self> {
        session.state().connections += 1;
        session.went.notify_one();
        Arc::new(Self { session })
    }

    /// All that is kept and all that comes.
    pub(super) fn output(self: &Arc<Self>) -> ProcessOutput {
        let reader = Reader {
            number: self.session.state().ring.enter(),
            connection: Arc::clone(self),
            over: false,
        };
        Box::pin(stream::unfold(reader, async |mut reader| {
            let event = reader.next().await?;
            Some((event, reader))
        }))
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        {
            let mut state = self.session.state();
            state.connections = state.connections.saturating_sub(1);
            state.alone_since = Instant::now();
        }
        self.session.went.notify_one();
    }
}

/// One who reads.
struct Reader {
    number: u64,
    connection: Arc<Connection>,
    over: bool,
}

impl Reader {
    async fn next(&mut self) -> Option<Result<ProcessEvent, SandboxError>> {
        if self.over {
            return None;
        }
        let session = &self.connection.session;
        let event = session
            .look(|state| {
                if let Some((stream, bytes)) = state.ring.read(self.number) {
                    return Some(Ok(ProcessEvent::Output(stream, bytes)));
                }
                state.outcome.clone().map(|outcome| match outcome {
                    Outcome::Ended(exit) => Ok(ProcessEvent::Ended(exit)),
                    Outcome::Lost(reason) => Err(SandboxError::Lost(reason)),
                })
            })
            .await;
        session.went.notify_one();
        self.over = !matches!(event, Ok(ProcessEvent::Output(..)));
        Some(event)
    }
}

impl Drop for Reader {
    fn drop(&mut self) {
        let session = &self.connection.session;
        session.state().ring.leave(self.number);
        session.went.notify_one();
    }
}
