//! A program from its start to its end, for what the service has no request of its own.

use crate::sprite::Place;
use bytes::Bytes;
use futures_util::StreamExt as _;
use ports::sandbox::{
    Attached, Command, Exit, OutputStream, ProcessEvent, ProcessInput, ProcessOutput, SandboxError,
};
use std::{sync::Arc, time::Duration};

/// Long enough to find a broken connection again.
const LINGER: Duration = Duration::from_secs(30);
/// Messages are short.
const MESSAGES: usize = 64 << 10;

/// What became of it.
#[derive(Default)]
pub(crate) struct Ran {
    /// Nothing as long as it runs.
    pub(crate) exit: Option<Exit>,
    pub(crate) stdout: Vec<u8>,
    stderr: Vec<u8>,
}

impl Ran {
    /// Takes what came; true when that was the end.
    pub(crate) fn take(&mut self, event: ProcessEvent, limit: usize) -> Result<bool, SandboxError> {
        match event {
            ProcessEvent::Output(OutputStream::Stdout, bytes) => {
                if self.stdout.len() + bytes.len() > limit {
                    let text = format!("the answer has more than {limit} bytes");
                    return Err(SandboxError::Refused(text));
                }
                self.stdout.extend_from_slice(&bytes);
            }
            ProcessEvent::Output(OutputStream::Stderr, bytes) => {
                let room = MESSAGES.saturating_sub(self.stderr.len());
                self.stderr.extend(bytes.iter().take(room));
            }
            ProcessEvent::Ended(exit) => self.exit = Some(exit),
        }
        Ok(self.exit.is_some())
    }

    /// The first line of its errors, for a person.
    pub(crate) fn complaint(&self) -> String {
        let text = String::from_utf8_lossy(&self.stderr);
        let line = text.lines().next().unwrap_or_default();
        line.chars().take(300).collect()
    }
}

impl Place {
    /// Starts a program with these arguments; the first is its name.
    pub(crate) async fn begin(
        &self,
        arguments: &[&str],
        input: bool,
    ) -> Result<Attached, SandboxError> {
        let command = Command {
            program: None,
            arguments: arguments.iter().map(|&it| it.to_owned()).collect(),
            environment: Vec::new(),
            directory: None,
            terminal: None,
            input,
            linger: Some(LINGER),
        };
        let opened = self.door.open(&command).await;
        opened.map_err(|error| self.failed(error))
    }

    /// Runs one without input to its end; more than `limit` bytes of output are refused.
    pub(crate) async fn run(&self, arguments: &[&str], limit: usize) -> Result<Ran, SandboxError> {
        let attached = self.begin(arguments, false).await?;
        collect(attached.output, Ran::default(), limit).await
    }
}

/// Gives a program its whole input while its output is read.
pub(crate) async fn feed(
    input: Arc<dyn ProcessInput>,
    bytes: Bytes,
    reading: impl Future<Output = Result<Ran, SandboxError>>,
) -> Result<Ran, SandboxError> {
    let feeding = async {
        input.write(bytes).await?;
        input.finish().await
    };
    let (fed, ran) = tokio::join!(feeding, reading);
    let ran = ran?;
    match fed {
        // It may well end before it has read everything.
        Ok(()) | Err(SandboxError::Conflict(_)) => Ok(ran),
        Err(error) => Err(error),
    }
}

/// Reads to the end, after what was read before.
pub(crate) async fn collect(
    mut output: ProcessOutput,
    mut ran: Ran,
    limit: usize,
) -> Result<Ran, SandboxError> {
    while let Some(event) = output.next().await {
        if ran.take(event?, limit)? {
            return Ok(ran);
        }
    }
    Err(shutting_down())
}

/// Why output ends before its process.
pub(crate) fn shutting_down() -> SandboxError {
    SandboxError::Lost("the client of the sprites is shutting down".into())
}
