//! The processes of a sprite, as the server sees them: started inside by the supervisor, kept here
//! without regard to who reads them. No call starts a command a second time by itself.

mod archive;
mod hub;
mod ring;
mod session;
pub(crate) mod wire;

pub(crate) use hub::Hubs;

use crate::computer::LocalComputer;
use archive::Record;
use async_trait::async_trait;
use bytes::Bytes;
use hub::{Found, Hub};
use nix::sys::signal::Signal;
use ports::sandbox::{
    Attached, Command, Exit, ProcessId, ProcessInput, ProcessReport, Processes, SandboxError,
    TerminalSize,
};
use session::{Connection, Outcome, Session, now};
use std::{sync::Arc, time::Duration};
use tokio::time::timeout;
use wire::{Control, Start};

/// What killing may take beyond the patience that was asked for.
const KILLING: Duration = Duration::from_secs(5);

#[async_trait]
impl Processes for LocalComputer {
    async fn start(&self, command: Command) -> Result<Attached, SandboxError> {
        check(&command)?;
        let sprite = self.awake().await?;
        let hub = self.hub();
        let directory = self.inner.home_inside(self.key);
        let tasks = self.inner.tasks().clone();
        // A caller who goes away now leaves a process behind, not half of one.
        let started = self.inner.tasks().spawn(async move {
            let home = directory.clone();
            let record = Record {
                arguments: command.arguments.clone(),
                directory: command
                    .directory
                    .as_deref()
                    .map_or(home, |given| directory.join(given))
                    .to_string_lossy()
                    .into_owned(),
                terminal: command.terminal.is_some(),
                started_at: now(),
                active_at: None,
            };
            let place = hub.admit(&record).await?;
            let call = match sprite.start(&wire_start(&command)) {
                Ok(call) => call,
                Err(error) => {
                    hub.dismiss(place).await;
                    return Err(error);
                }
            };
            let session = Session::new(place.id, record, &command, call.input());
            let session = Arc::new(session);
            let attached = connect(&session);
            hub.enter(&session);
            tasks.spawn(async move { hub.keep(session, call, sprite, place).await });
            Ok(attached)
        });
        started
            .await
            .map_err(|error| SandboxError::Lost(error.to_string()))?
    }

    async fn attach(&self, process: &ProcessId) -> Result<Attached, SandboxError> {
        match self.hub().find(process).await? {
            Found::Running(session) => Ok(connect(&session)),
            Found::Ended(_) | Found::Lost => Err(SandboxError::NotFound {
                path: format!("process {process}"),
            }),
        }
    }

    async fn processes(&self) -> Result<Vec<ProcessReport>, SandboxError> {
        self.hub().list().await
    }

    async fn last_output(&self, process: &ProcessId) -> Result<Bytes, SandboxError> {
        self.hub().last_output(process).await
    }

    async fn kill(
        &self,
        process: &ProcessId,
        signal: i32,
        patience: Duration,
    ) -> Result<Option<Exit>, SandboxError> {
        check_signal(signal)?;
        let session = match self.hub().find(process).await? {
            Found::Running(session) => session,
            Found::Ended(_) => {
                let text = format!("process {process} has ended already");
                return Err(SandboxError::Conflict(text));
            }
            Found::Lost => {
                let text = format!("process {process} was lost with its sprite and runs no more");
                return Err(SandboxError::Conflict(text));
            }
        };
        let patient = !patience.is_zero();
        let patience_ms = u64::try_from(patience.as_millis()).unwrap_or(u64::MAX);
        session.control(&Control::Kill {
            signal,
            patience_ms: patient.then_some(patience_ms),
        })?;
        if !patient {
            return Ok(None);
        }
        let mut outcome = timeout(patience, session.ended()).await;
        if outcome.is_err() {
            session.let_go();
            outcome = timeout(KILLING, session.ended()).await;
        }
        match outcome {
            Ok(Outcome::Ended(exit)) => Ok(Some(exit)),
            Ok(Outcome::Lost(reason)) => Err(SandboxError::Lost(reason)),
            Err(_) => Ok(None),
        }
    }
}

impl LocalComputer {
    fn hub(&self) -> Arc<Hub> {
        let folder = self.inner.home(self.key).folder.join("processes");
        self.inner.hubs.of(self.key, folder)
    }
}

fn wire_start(command: &Command) -> Start {
    Start {
        program: command.program.clone(),
        arguments: command.arguments.clone(),
        environment: command.environment.clone(),
        directory: command.directory.clone(),
        terminal: command.terminal.map(Into::into),
        input: command.input,
    }
}

fn connect(session: &Arc<Session>) -> Attached {
    let connection = Connection::new(Arc::clone(session));
    let output = connection.output();
    Attached {
        process: session.report(),
        output,
        input: Arc::new(Inlet(connection)),
    }
}

fn check(command: &Command) -> Result<(), SandboxError> {
    let refused = |text: &str| Err(SandboxError::Refused(text.into()));
    if command.arguments.is_empty() {
        return refused("there is no command: the list of arguments is empty");
    }
    let variables = command.environment.iter();
    if variables
        .clone()
        .any(|(name, _)| name.is_empty() || name.contains('='))
    {
        return refused("a variable has a name that is empty or holds a `=`");
    }
    let mut words = variables
        .flat_map(|(name, value)| [name, value])
        .chain(&command.arguments)
        .chain(&command.program)
        .chain(&command.directory);
    if words.any(|word| word.contains('\0')) {
        return refused("no argument, variable, program or directory can hold a NUL byte");
    }
    Ok(())
}

fn check_signal(signal: i32) -> Result<(), SandboxError> {
    match Signal::try_from(signal) {
        Ok(_) => Ok(()),
        Err(_) => Err(SandboxError::Refused(format!(
            "there is no signal {signal}"
        ))),
    }
}

/// The way to a process of somebody who is connected to it.
struct Inlet(Arc<Connection>);

impl Inlet {
    fn taking(&self) -> Result<&Session, SandboxError> {
        let session = &self.0.session;
        if session.takes_input {
            return Ok(session);
        }
        let text = format!("process {} was started without input", session.id);
        Err(SandboxError::Refused(text))
    }
}

#[async_trait]
impl ProcessInput for Inlet {
    async fn write(&self, bytes: Bytes) -> Result<(), SandboxError> {
        let session = self.taking()?;
        let _turn = session.writing.lock().await;
        session.input.write(bytes).await
    }

    async fn finish(&self) -> Result<(), SandboxError> {
        let session = self.taking()?;
        if session.record.terminal {
            return Ok(());
        }
        let _turn = session.writing.lock().await;
        session.input.finish()
    }

    async fn resize(&self, size: TerminalSize) -> Result<(), SandboxError> {
        let session = &self.0.session;
        if session.record.terminal {
            return session.control(&Control::Resize(size.into()));
        }
        let text = format!("process {} has no terminal", session.id);
        Err(SandboxError::Refused(text))
    }

    async fn signal(&self, signal: i32) -> Result<(), SandboxError> {
        check_signal(signal)?;
        self.0.session.control(&Control::Signal(signal))
    }
}
