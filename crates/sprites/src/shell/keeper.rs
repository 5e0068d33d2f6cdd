//! The task that holds a kept shell: it takes commands one by one, reads their output, ends them
//! when it must, and drops what is printed in between.

use super::{
    driver::{DRIVER, Spoken},
    marks::Marks,
    reaper::end_command,
};
use crate::process::{Door, kill};
use bytes::Bytes;
use futures_util::StreamExt as _;
use ports::sandbox::{
    Attached, Command, ExecOutcome, Exit, OutputStream, ProcessEvent, SandboxError,
};
use std::{collections::VecDeque, pin::pin, time::Duration};
use tokio::{
    sync::{mpsc, oneshot},
    time::{Instant, sleep_until, timeout},
};
use tokio_util::sync::CancellationToken;

/// How long a shell lives without us.
const LINGER: Duration = Duration::from_secs(90);
/// How long the end of a command may take altogether; then the shell is ended with it.
const GIVE_UP: Duration = Duration::from_secs(10);
/// How long the shell may take to say so once nothing of the command is left.
const LAST_WORD: Duration = Duration::from_millis(500);
/// And how long that may take.
const BURIAL: Duration = Duration::from_secs(10);
const KILL: &str = "SIGKILL";
const KILLED: Exit = Exit::Signal(9);

/// A command for the shell.
pub(super) struct Job {
    pub(super) spoken: Spoken,
    pub(super) timeout: Duration,
    pub(super) pieces: mpsc::Sender<(OutputStream, Bytes)>,
    pub(super) answer: oneshot::Sender<Result<ExecOutcome, SandboxError>>,
}

pub(super) struct Keeper {
    door: Door,
    closing: CancellationToken,
    bash: Option<Attached>,
    /// The shell's number inside the sprite, once it ran a command.
    number: Option<String>,
}

/// How a command came to its end.
enum Ended {
    /// The shell waits for the next one.
    Code(i32),
    /// The shell ended.
    Died(Exit),
}

impl Keeper {
    pub(super) fn new(door: Door, closing: CancellationToken) -> Self {
        Self {
            door,
            closing,
            bash: None,
            number: None,
        }
    }

    pub(super) async fn run(mut self, mut queue: mpsc::Receiver<Job>) {
        let stop = self.door.stop.clone();
        loop {
            tokio::select! {
                biased;
                () = stop.cancelled() => return,
                () = self.closing.cancelled() => break,
                job = queue.recv() => match job {
                    Some(job) => self.work(job).await,
                    // Nobody can reach it any more; it ends by itself.
                    None => return,
                },
                () = idle(self.bash.as_mut()) => self.bash = None,
            }
        }
        self.bury().await;
    }

    async fn work(&mut self, job: Job) {
        let Job {
            spoken,
            timeout,
            pieces,
            answer,
        } = job;
        let closing = self.closing.clone();
        let outcome = tokio::select! {
            biased;
            () = closing.cancelled() => {
                Err(SandboxError::Lost("the shell was closed while the command ran".into()))
            }
            outcome = self.exec(spoken, timeout, &pieces) => outcome,
        };
        if outcome.is_err() && !closing.is_cancelled() {
            // In what state it is nobody knows.
            self.bury().await;
        }
        drop(pieces);
        // A caller that went away does not ask.
        drop(answer.send(outcome));
    }

    async fn exec(
        &mut self,
        spoken: Spoken,
        timeout: Duration,
        pieces: &mpsc::Sender<(OutputStream, Bytes)>,
    ) -> Result<ExecOutcome, SandboxError> {
        if pieces.is_closed() {
            return Err(SandboxError::Lost("cancelled before it began".into()));
        }
        let bash = if let Some(bash) = self.bash.take() {
            bash
        } else {
            self.number = None;
            self.door.open(&command()).await?
        };
        let bash = self.bash.insert(bash);
        let running = Running {
            door: &self.door,
            stdout: Marks::new(&spoken.begin, &spoken.end),
            stderr: Marks::new(&spoken.begin, &spoken.end),
            bash,
            pieces,
            number: &mut self.number,
            waiting: VecDeque::new(),
            died: None,
        };
        let (ended, stopped) = running.finish(spoken.message, timeout).await?;
        let (exit, shell_reset) = match ended {
            Ended::Code(code) => (Exit::Code(code), false),
            Ended::Died(exit) => (exit, true),
        };
        if shell_reset {
            self.bash = None;
        }
        let exit = if stopped { Exit::TimedOut } else { exit };
        Ok(ExecOutcome { exit, shell_reset })
    }

    /// Ends the shell and all it started.
    async fn bury(&mut self) {
        if let Some(bash) = self.bash.take() {
            if let Some(shell) = self.number.take() {
                // What left the shell's process group is not reached by the service's own way.
                drop(timeout(BURIAL, end_command(&self.door, &shell, "0")).await);
            }
            end(&self.door, &bash.process.id.0).await;
        }
    }
}

async fn end(door: &Door, id: &str) {
    // One that ended before is what we want.
    let killed = kill(door, id, KILL, Duration::from_secs(2));
    drop(timeout(BURIAL, killed).await);
}

/// What a kept shell is started with.
pub(crate) fn command() -> Command {
    let arguments = ["bash", "--norc", "--noprofile", "-c", DRIVER, "bash"];
    Command {
        program: None,
        arguments: arguments.iter().map(|&it| it.to_owned()).collect(),
        environment: Vec::new(),
        directory: None,
        terminal: None,
        input: true,
        linger: Some(LINGER),
    }
}

/// Between commands, what background processes print is read and dropped, so that it neither
/// blocks them nor spoils the next command's output. Ends when the shell does.
async fn idle(bash: Option<&mut Attached>) {
    let Some(bash) = bash else {
        return std::future::pending().await;
    };
    while let Some(Ok(ProcessEvent::Output(..))) = bash.output.next().await {}
}

/// A command that runs.
struct Running<'a> {
    door: &'a Door,
    stdout: Marks,
    stderr: Marks,
    bash: &'a mut Attached,
    number: &'a mut Option<String>,
    pieces: &'a mpsc::Sender<(OutputStream, Bytes)>,
    waiting: VecDeque<(OutputStream, Bytes)>,
    died: Option<Exit>,
}

impl Running<'_> {
    /// Runs it to its end, and says whether that was brought about.
    async fn finish(
        mut self,
        message: Bytes,
        timeout: Duration,
    ) -> Result<(Ended, bool), SandboxError> {
        let input = std::sync::Arc::clone(&self.bash.input);
        let mut writing = pin!(input.write(message));
        let mut written = false;
        let deadline = Instant::now() + timeout;
        let stopped = loop {
            if let Some(ended) = self.ended() {
                self.deliver().await;
                return Ok((ended, false));
            }
            tokio::select! {
                biased;
                sent = &mut writing, if !written => {
                    written = true;
                    match sent {
                        // A shell that ended says so itself.
                        Ok(()) | Err(SandboxError::Conflict(_)) => {}
                        Err(error) => return Err(error),
                    }
                }
                () = self.pieces.closed() => break false,
                () = sleep_until(deadline) => break true,
                more = step(&mut self.waiting, self.pieces, self.bash) => self.took(more)?,
            }
        };
        let ended = self.stop().await?;
        // One that ended by itself at the same moment did not run out of time, but we said so.
        self.deliver().await;
        Ok((ended, stopped))
    }

    /// Skips the rest of the script, ends what it started and, when nothing else helps, the shell.
    async fn stop(&mut self) -> Result<Ended, SandboxError> {
        let mut give_up = Instant::now() + GIVE_UP;
        while self.stdout.began.is_none() && self.ended().is_none() {
            tokio::select! {
                () = sleep_until(give_up) => break,
                more = step(&mut self.waiting, self.pieces, self.bash) => self.took(more)?,
            }
        }
        if let Some((shell, since)) = self.begun() {
            let mut ending = pin!(end_command(self.door, &shell, &since));
            let mut over = false;
            while !(over && self.ended().is_some()) && self.died.is_none() {
                tokio::select! {
                    // Whoever reads slowly is waited for.
                    () = sleep_until(give_up), if self.waiting.is_empty() => break,
                    () = &mut ending, if !over => {
                        over = true;
                        give_up = Instant::now() + LAST_WORD;
                    }
                    more = step(&mut self.waiting, self.pieces, self.bash), if self.ended().is_none() => {
                        self.took(more)?;
                        give_up = give_up.max(Instant::now() + LAST_WORD);
                    }
                }
            }
        }
        if let Some(ended) = self.ended() {
            return Ok(ended);
        }
        let id = self.bash.process.id.0.clone();
        end(self.door, &id).await;
        Ok(Ended::Died(KILLED))
    }

    /// The shell's number, and when the command began in ticks, from the line of its first mark.
    fn begun(&self) -> Option<(String, String)> {
        let (shell, uptime) = self.stdout.began.as_ref()?.split_once(' ')?;
        let ticks: String = uptime.chars().filter(char::is_ascii_digit).collect();
        Some((shell.to_owned(), ticks))
    }

    fn ended(&self) -> Option<Ended> {
        if let Some(exit) = self.died {
            return Some(Ended::Died(exit));
        }
        self.stderr.ended.as_ref()?;
        let code = self.stdout.ended.as_ref()?.parse();
        // Only a command that found our descriptors could say anything but a number.
        Some(Ended::Code(code.unwrap_or(-1)))
    }

    fn took(&mut self, step: Step) -> Result<(), SandboxError> {
        let event = match step {
            Step::Delivered => return Ok(()),
            Step::Came(event) => event,
        };
        let lost = || SandboxError::Lost("the connection to the shell ended".into());
        match event.ok_or_else(lost)?? {
            ProcessEvent::Output(stream, bytes) => {
                let marks = match stream {
                    OutputStream::Stdout => &mut self.stdout,
                    OutputStream::Stderr => &mut self.stderr,
                };
                let output = marks.take(&bytes);
                self.keep(stream, output);
                if self.number.is_none() {
                    *self.number = self.begun().map(|(shell, _)| shell);
                }
            }
            ProcessEvent::Ended(exit) => {
                let (out, err) = (self.stdout.rest(), self.stderr.rest());
                self.keep(OutputStream::Stdout, out);
                self.keep(OutputStream::Stderr, err);
                self.died = Some(exit);
            }
        }
        Ok(())
    }

    fn keep(&mut self, stream: OutputStream, bytes: Bytes) {
        if !bytes.is_empty() {
            self.waiting.push_back((stream, bytes));
        }
    }

    /// Hands on what is left.
    async fn deliver(&mut self) {
        while let Some(piece) = self.waiting.pop_front() {
            if self.pieces.send(piece).await.is_err() {
                return;
            }
        }
    }
}

/// What a moment brings: a piece was handed on, or something came.
enum Step {
    Delivered,
    Came(Option<Result<ProcessEvent, SandboxError>>),
}

/// Nothing is read while something waits to be handed on: that slows the command down.
async fn step(
    waiting: &mut VecDeque<(OutputStream, Bytes)>,
    pieces: &mpsc::Sender<(OutputStream, Bytes)>,
    bash: &mut Attached,
) -> Step {
    if waiting.is_empty() {
        return Step::Came(bash.output.next().await);
    }
    match pieces.reserve().await {
        Ok(place) => {
            if let Some(piece) = waiting.pop_front() {
                place.send(piece);
            }
        }
        // Nobody takes it any more.
        Err(_) => waiting.clear(),
    }
    Step::Delivered
}
