//! Processes: started, found again, listed and ended. What happens on a connection is in the
//! modules below; here is what the port asks, in the words of the wire.

mod connection;
mod delivered;
mod input;
mod large;
mod listing;
mod reading;
mod session;
mod writing;

pub(crate) use input::named;
pub(crate) use listing::kill;
pub(crate) use reading::exit_of;
pub(crate) use session::Door;
use session::Session;

use crate::{
    error::SpritesError,
    sprite::RemoteSprite,
    wire::exec::{ExecQuery, SessionInfo},
};
use async_trait::async_trait;
use bytes::Bytes;
use connection::{Connection, Receipts};
use delivered::Delivered;
use domain::Timestamp;
use input::RemoteInput;
use ports::sandbox::{
    Attached, Command, Exit, ProcessId, ProcessReport, ProcessState, Processes, SandboxError,
    TerminalSize,
};
use std::{sync::Arc, time::Duration};
use tokio::sync::mpsc;

/// Pieces of output, and of input, that wait for their reader.
const WAITING: usize = 16;
/// The wire knows no shorter life than this: zero is for ever.
const SHORTEST_LINGER: Duration = Duration::from_millis(1);

impl Door {
    /// Starts a process and keeps its connection.
    pub(crate) async fn open(&self, command: &Command) -> Result<Attached, SpritesError> {
        let session = self.start(&query_of(command)).await?;
        let mut report = reported(&session.info);
        report.arguments.clone_from(&command.arguments);
        if let Some(directory) = &command.directory {
            report.directory.clone_from(directory);
        }
        Ok(self.keep(session, report, command.terminal, command.input))
    }

    /// Connects to a process and keeps the connection.
    pub(crate) async fn open_again(&self, id: &str) -> Result<Attached, SpritesError> {
        let query = ExecQuery {
            input: Some(true),
            ..ExecQuery::default()
        };
        let session = self.attach(id, &query).await?;
        let report = reported(&session.info);
        // Whether it takes input only the service knows.
        Ok(self.keep(session, report, None, true))
    }

    fn keep(
        &self,
        session: Session,
        process: ProcessReport,
        size: Option<TerminalSize>,
        takes_input: bool,
    ) -> Attached {
        let (orders, queue) = mpsc::channel(1);
        let (events, output) = mpsc::channel(WAITING);
        let receipts = Arc::new(Receipts::default());
        let terminal = session.info.tty;
        let connection = Connection {
            door: self.clone(),
            id: process.id.0.clone(),
            terminal,
            size,
            orders: queue,
            events,
            delivered: Delivered::default(),
            exit: None,
            receipts: Arc::clone(&receipts),
        };
        let stop = self.stop.child_token();
        self.tasks.spawn(connection.run(session, stop));
        let input = RemoteInput {
            orders,
            terminal,
            takes_input,
            receipts,
        };
        let output = futures_util::stream::unfold(output, async |mut output| {
            Some((output.recv().await?, output))
        });
        Attached {
            process,
            input: Arc::new(input),
            output: Box::pin(output),
        }
    }
}

fn query_of(command: &Command) -> ExecQuery {
    ExecQuery {
        arguments: command.arguments.clone(),
        program: command.program.clone(),
        input: Some(command.input),
        environment: command.environment.clone(),
        directory: command.directory.clone(),
        terminal: command.terminal.is_some(),
        rows: command.terminal.map(|size| size.rows),
        columns: command.terminal.map(|size| size.columns),
        linger: Some(match command.linger {
            None => Duration::ZERO,
            Some(linger) => linger.max(SHORTEST_LINGER),
        }),
        ..ExecQuery::default()
    }
}

/// What the wire cannot say, or would say differently.
fn check(command: &Command) -> Result<(), SandboxError> {
    let refused = |text: &str| Err(SandboxError::Refused(text.into()));
    if command.arguments.is_empty() {
        return refused("there is no command: the list of arguments is empty");
    }
    let variables = &command.environment;
    if variables
        .iter()
        .any(|(name, _)| name.is_empty() || name.contains('='))
    {
        return refused("a variable has a name that is empty or holds a `=`");
    }
    let mut words = variables
        .iter()
        .flat_map(|(name, value)| [name, value])
        .chain(&command.arguments)
        .chain(&command.program)
        .chain(&command.directory);
    if words.any(|word| word.contains('\0')) {
        return refused("no argument, variable, program or directory can hold a NUL byte");
    }
    Ok(())
}

/// What the first message says of a process.
fn reported(info: &SessionInfo) -> ProcessReport {
    let started_at = Timestamp::from_timestamp(info.created, 0).unwrap_or_default();
    let arguments = info.arguments.clone();
    ProcessReport {
        id: ProcessId(info.session_id.clone()),
        // Joined by spaces they cannot be told apart any more.
        arguments: arguments.unwrap_or_else(|| vec![info.command.clone()]),
        directory: info.workdir.clone().unwrap_or_else(|| "~".to_owned()),
        terminal: info.tty,
        started_at,
        active_at: started_at,
        readers: 1,
        state: ProcessState::Running,
    }
}

/// What the service says about a process that it does not know.
fn about(process: &ProcessId, error: SpritesError) -> SandboxError {
    if error.sprite_is_gone() {
        return error.into();
    }
    match error {
        SpritesError::NotFound { .. } => SandboxError::NotFound {
            path: format!("process {process}"),
        },
        SpritesError::Gone { .. } => {
            SandboxError::Conflict(format!("process {process} has ended already"))
        }
        error => error.into(),
    }
}

#[async_trait]
impl Processes for RemoteSprite {
    async fn start(&self, command: Command) -> Result<Attached, SandboxError> {
        check(&command)?;
        if large::is_large(&command) {
            return large::start(self, command).await;
        }
        let mut command = command;
        let place = self.place().await?;
        command.directory = command.directory.map(|path| place.absolute(&path));
        let opened = place.door.open(&command).await;
        opened.map_err(|error| place.failed(error))
    }

    async fn attach(&self, process: &ProcessId) -> Result<Attached, SandboxError> {
        let place = self.place().await?;
        let opened = place.door.open_again(&process.0).await;
        opened.map_err(|error| place.noticed(error, |error| about(process, error)))
    }

    async fn processes(&self) -> Result<Vec<ProcessReport>, SandboxError> {
        listing::processes(self).await
    }

    async fn last_output(&self, process: &ProcessId) -> Result<Bytes, SandboxError> {
        let place = self.place().await?;
        let output = listing::last_output(&place.door, &process.0).await;
        output.map_err(|error| place.noticed(error, |error| about(process, error)))
    }

    async fn kill(
        &self,
        process: &ProcessId,
        signal: i32,
        patience: Duration,
    ) -> Result<Option<Exit>, SandboxError> {
        let signal = named(signal)?;
        let place = self.place().await?;
        let killed = listing::kill(&place.door, &process.0, &signal, patience).await;
        killed.map_err(|error| place.noticed(error, |error| about(process, error)))
    }
}
