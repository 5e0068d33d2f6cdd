//! A kept bash: one process per shell, one command at a time, exact output and exit code. It knows
//! nothing of the socket; commands come over a channel and answers go to their responder.

mod bash;
mod command;
mod spare;

use super::{processes::Reaper, responder::Responder};
use crate::protocol::{Answer, Failure, Hello};
pub(super) use spare::Spare;

use bash::Bash;
use bytes::Bytes;
use std::{path::PathBuf, rc::Rc, time::Duration};
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

/// What every bash of this supervisor is started with.
struct Surroundings {
    home: PathBuf,
    tmp: PathBuf,
}

impl ShellHandle {
    /// A shell; bash itself starts with the first command.
    pub(super) fn open(reaper: Rc<Reaper>, spare: Rc<Spare>, hello: &Hello) -> Self {
        let (jobs, queue) = mpsc::channel(8);
        let closing = CancellationToken::new();
        let keeper = Keeper {
            reaper,
            spare,
            surroundings: Rc::new(Surroundings {
                home: hello.home.clone(),
                tmp: hello.tmp.clone(),
            }),
            closing: closing.clone(),
            bash: None,
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
                () = idle(self.bash.as_mut()) => self.bury().await,
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
        let bash = match self.bash.take().or_else(|| self.spare.take()) {
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
        Ok(reply)
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
