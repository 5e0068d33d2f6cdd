//! A kept bash: one process per shell, one command at a time, exact output and exit code. It knows
//! nothing of the socket; commands come over a channel and answers go to their responder.

mod bash;
mod command;
mod spare;

use super::{environment::Surroundings, processes::Reaper, responder::Responder};
use crate::protocol::{Answer, Failure, Reply};
pub(super) use spare::Spare;

use bash::Bash;
use bytes::Bytes;
use std::{rc::Rc, time::Duration};
use tokio::sync::{mpsc, oneshot};
use tokio_util::sync::CancellationToken;

/// A way to a shell; the shell ends when all of them are dropped or it is closed.
#[derive(Clone)]
pub(super) struct ShellHandle {
    jobs: mpsc::Sender<Job>,
    closing: CancellationToken,
}

struct Job {
    script: Bytes,
    timeout: Duration,
    responder: Responder,
    answer: oneshot::Sender<Answer>,
}

impl ShellHandle {
    /// A shell; bash itself starts with the first command.
    pub(super) fn open(
        reaper: Rc<Reaper>,
        spare: Rc<Spare>,
        surroundings: Rc<Surroundings>,
    ) -> Self {
        let (jobs, queue) = mpsc::channel(8);
        let closing = CancellationToken::new();
        let keeper = Keeper {
            reaper,
            spare,
            surroundings,
            closing: closing.clone(),
            bash: None,
            lost: false,
        };
        tokio::task::spawn_local(keeper.run(queue));
        Self { jobs, closing }
    }

    /// Runs a script after those that came before it.
    pub(super) async fn exec(
        &self,
        script: Bytes,
        timeout_ms: u64,
        responder: Responder,
    ) -> Answer {
        let closed = Failure::Lost("the shell was closed".into());
        let (answer, answered) = oneshot::channel();
        let job = Job {
            script,
            timeout: Duration::from_millis(timeout_ms),
            responder,
            answer,
        };
        if self.jobs.send(job).await.is_err() {
            return Err(closed);
        }
        answered.await.unwrap_or(Err(closed))
    }

    /// Ends the shell and everything it started, and waits for that.
    pub(super) async fn close(self) {
        self.closing.cancel();
        self.jobs.closed().await;
    }
}

struct Keeper {
    reaper: Rc<Reaper>,
    spare: Rc<Spare>,
    surroundings: Rc<Surroundings>,
    closing: CancellationToken,
    bash: Option<Bash>,
    /// Whether state was lost since the last command, which the next one is to tell.
    lost: bool,
}

impl Keeper {
    async fn run(mut self, mut queue: mpsc::Receiver<Job>) {
        loop {
            tokio::select! {
                biased;
                () = self.closing.cancelled() => break,
                job = queue.recv() => match job {
                    Some(job) => {
                        let answer = self.work(&job).await;
                        // A caller that went away does not ask.
                        drop(job.answer.send(answer));
                        self.spare.refill(&self.reaper, &self.surroundings);
                    }
                    None => break,
                },
                () = idle(self.bash.as_mut()) => self.forget().await,
            }
        }
        if let Some(bash) = self.bash.take() {
            self.reaper.kill_tree(bash.pid).await;
            bash.wait().await;
        }
        self.reaper.sweep().await;
    }

    async fn work(&mut self, job: &Job) -> Answer {
        if job.responder.is_cancelled() {
            return Err(Failure::Lost("cancelled before it began".into()));
        }
        let full = self.surroundings.growth.stopped().is_some();
        let mute = self.bash.take_if(|bash| bash.mute && !full);
        if let Some(bash) = mute {
            self.reaper.kill_tree(bash.pid).await;
            bash.wait().await;
            self.forget().await;
        }
        let spare = || self.spare.take().filter(|bash| bash.mute == full);
        let bash = match self.bash.take().or_else(spare) {
            Some(bash) => bash,
            None => Bash::start(&self.reaper, &self.surroundings).map_err(|error| {
                Failure::Refused(format!("bash cannot be started in the sandbox: {error}"))
            })?,
        };
        let bash = self.bash.insert(bash);
        let running = command::Running::new(bash, job);
        let (reply, died) = tokio::select! {
            biased;
            () = self.closing.cancelled() => {
                let text = "the shell was closed while the command ran";
                return Err(Failure::Lost(text.into()));
            }
            ended = running.finish() => ended?,
        };
        if died {
            self.bury().await;
        }
        let lost = std::mem::take(&mut self.lost);
        Ok(match reply {
            Reply::Exec { exit, shell_reset } => Reply::Exec {
                exit,
                shell_reset: shell_reset || lost,
            },
            other => other,
        })
    }

    /// The same between commands.
    async fn forget(&mut self) {
        self.lost = true;
        self.bury().await;
    }

    /// Forgets a shell that ended by itself, and ends what it left behind.
    async fn bury(&mut self) {
        self.bash = None;
        self.reaper.sweep().await;
    }
}

/// Between commands, what background processes print is read and dropped, so that they neither
/// block nor spoil the next command's output. Ends when bash does.
async fn idle(bash: Option<&mut Bash>) {
    match bash {
        Some(bash) => bash.idle().await,
        None => std::future::pending().await,
    }
}
