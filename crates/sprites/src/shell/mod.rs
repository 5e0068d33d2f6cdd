//! Kept shells: one process of the service per shell, one command at a time, exact output and exit
//! code. A shell is started by its first command and found again when its connection breaks; when
//! it is lost, the command is too, and the next one starts another.

mod driver;
mod keeper;
mod marks;
mod reaper;

pub(crate) use keeper::command;

use crate::process::Door;
use bytes::Bytes;
use domain::id::SpriteSessionId;
use keeper::{Job, Keeper};
use ports::sandbox::{ExecOutcome, ExecRequest, OutputSink, OutputStream, SandboxError};
use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
};
use tokio::sync::{mpsc, oneshot};
use tokio_util::sync::CancellationToken;

/// Pieces of output that wait for whoever reads them.
const WAITING: usize = 4;

/// The shells of one sprite.
pub(crate) struct Shells {
    door: Door,
    open: Mutex<HashMap<SpriteSessionId, Handle>>,
}

#[derive(Clone)]
struct Handle {
    jobs: mpsc::Sender<Job>,
    closing: CancellationToken,
}

impl Shells {
    pub(crate) fn new(door: Door) -> Self {
        Self {
            door,
            open: Mutex::default(),
        }
    }

    /// Those that were used and not closed.
    pub(crate) fn open(&self) -> Vec<SpriteSessionId> {
        let open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        let mut shells: Vec<_> = open.keys().copied().collect();
        shells.sort_unstable_by_key(|shell| shell.as_uuid());
        shells
    }

    /// Runs a command after those that came before it. Dropping the future ends the command.
    pub(crate) async fn exec(
        &self,
        request: ExecRequest,
        output: &dyn OutputSink,
    ) -> Result<ExecOutcome, SandboxError> {
        let closed = || SandboxError::Lost("the shell was closed".into());
        let spoken = driver::speak(&request.script)?;
        let (pieces, mut incoming) = mpsc::channel::<(OutputStream, Bytes)>(WAITING);
        let (answer, answered) = oneshot::channel();
        let job = Job {
            spoken,
            timeout: request.timeout,
            pieces,
            answer,
        };
        let handle = self.handle(request.shell);
        if handle.jobs.send(job).await.is_err() {
            return Err(closed());
        }
        while let Some((stream, bytes)) = incoming.recv().await {
            output.write(stream, &bytes).await;
        }
        answered.await.unwrap_or_else(|_dropped| Err(closed()))
    }

    /// Ends a shell and everything it started, and waits for that.
    pub(crate) async fn close(&self, shell: SpriteSessionId) {
        let handle = {
            let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
            open.remove(&shell)
        };
        if let Some(handle) = handle {
            handle.closing.cancel();
            handle.jobs.closed().await;
        }
    }

    /// Forgets them all; what they are connected to is gone or will be.
    pub(crate) fn let_go(&self) {
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        open.clear();
    }

    fn handle(&self, shell: SpriteSessionId) -> Handle {
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        let handle = open.entry(shell).or_insert_with(|| {
            let (jobs, queue) = mpsc::channel(8);
            let closing = CancellationToken::new();
            let keeper = Keeper::new(self.door.clone(), closing.clone());
            self.door.tasks.spawn(keeper.run(queue));
            Handle { jobs, closing }
        });
        handle.clone()
    }
}
