//! Single commands that people run in a sprite, as its agent would: under its policy, in a process of its own that
//! ends with the request.

use crate::{
    Context, Error,
    sprite_files::{HOME, absolute, inside, seen},
    sprites::{change, key, noted},
};
use domain::{
    access::{Area, Right},
    id::AgentId,
};
use ports::sandbox::{Attached, Command, Exit, ProcessEvent, ProcessOutput, SandboxError, Sprite};
use serde_json::json;
use std::{future::poll_fn, pin::pin, task::Poll, time::Duration};

/// The longest command, in bytes.
const LONGEST: usize = 64 << 10;
/// How long a command may take when nobody said otherwise.
const PATIENCE: Duration = Duration::from_mins(1);
/// How long it may take at most.
const MOST_PATIENCE: Duration = Duration::from_mins(10);
/// How long it may take to end when it is told to.
const GRACE: Duration = Duration::from_secs(2);
/// How much of the output is given, in bytes: its end, which says how it went.
const KEPT: usize = 256 << 10;
const TERM: i32 = 15;

/// What is to be run.
#[derive(Clone, Debug)]
pub struct RunCommand {
    /// Bash source.
    pub command: String,
    /// Where; home when absent.
    pub directory: Option<String>,
    /// How long it may take; a minute when absent.
    pub timeout: Option<Duration>,
}

/// How it went.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ran {
    /// How it ended.
    pub exit: Exit,
    /// Both outputs as they came, the last of them.
    pub output: String,
    /// Whether there was more before that.
    pub truncated: bool,
    /// How long it took.
    pub took: Duration,
}

/// Runs a command and gives what it put out. Whoever drops the future ends it.
#[tracing::instrument(name = "sprite_commands.run", skip_all, fields(tenant.id = %context.tenant, agent.id = %agent))]
pub async fn run(context: &Context, agent: AgentId, request: RunCommand) -> Result<Ran, Error> {
    context.authorise(Area::Sprites, Right::Operate)?;
    let agent = seen(context, agent).await?;
    if agent.archived_at.is_some() {
        return Err(Error::conflict(
            "agent_archived",
            format!("{} was put away, and its sprite with it", agent.name),
        ));
    }
    let timeout = checked(&request)?;
    let directory = request.directory.unwrap_or_else(|| HOME.to_owned());
    let directory = absolute("directory", directory)?;
    let after = json!({
        "command": request.command,
        "directory": directory,
        "timeout_seconds": timeout.as_secs(),
    });
    let change = change("sprite.command_run", &agent).between(None, Some(after));
    let sprite = context.platform.sandboxes.sprite(key(context, agent.id));
    let command = Command {
        program: None,
        arguments: ["bash", "-c", &request.command].map(str::to_owned).to_vec(),
        environment: Vec::new(),
        directory: Some(inside(&directory)),
        terminal: None,
        input: false,
        linger: Some(Duration::ZERO),
    };
    let running = attend(context, sprite.as_ref(), command, timeout);
    noted(context, change, running).await
}

fn checked(request: &RunCommand) -> Result<Duration, Error> {
    let command = &request.command;
    if command.trim().is_empty() || command.len() > LONGEST || command.contains('\0') {
        return Err(Error::invalid(
            "command",
            format!("must not be blank and have at most {LONGEST} bytes, none of them NUL"),
        ));
    }
    let timeout = request.timeout.unwrap_or(PATIENCE);
    if timeout.is_zero() || timeout > MOST_PATIENCE {
        return Err(Error::invalid(
            "timeout_seconds",
            format!("must be 1 to {}", MOST_PATIENCE.as_secs()),
        ));
    }
    Ok(timeout)
}

async fn attend(
    context: &Context,
    sprite: &dyn Sprite,
    command: Command,
    timeout: Duration,
) -> Result<Ran, SandboxError> {
    let clock = &context.platform.clock;
    let began = clock.now();
    let Attached {
        process,
        input: _input,
        mut output,
    } = sprite.start(command).await?;
    let mut kept = Kept::default();
    let ended = {
        let mut time = pin!(clock.sleep(timeout));
        let mut reading = pin!(to_the_end(&mut output, &mut kept));
        let first = poll_fn(|task| match reading.as_mut().poll(task) {
            Poll::Ready(ended) => Poll::Ready(Some(ended)),
            Poll::Pending => time.as_mut().poll(task).map(|()| None),
        });
        first.await
    };
    let exit = match ended {
        Some(ended) => ended?,
        None => match sprite.kill(&process.id, TERM, GRACE).await {
            // It ended by itself at the last moment, or with its sprite.
            Ok(_) | Err(SandboxError::NotFound { .. } | SandboxError::Conflict(_)) => {
                Exit::TimedOut
            }
            Err(error) => return Err(error),
        },
    };
    Ok(Ran {
        exit,
        truncated: kept.cut,
        output: String::from_utf8_lossy(&kept.bytes).into_owned(),
        took: (clock.now() - began).to_std().unwrap_or_default(),
    })
}

async fn to_the_end(output: &mut ProcessOutput, kept: &mut Kept) -> Result<Exit, SandboxError> {
    loop {
        match poll_fn(|task| output.as_mut().poll_next(task)).await {
            Some(Ok(ProcessEvent::Output(_, bytes))) => kept.push(&bytes),
            Some(Ok(ProcessEvent::Ended(exit))) => return Ok(exit),
            Some(Err(error)) => return Err(error),
            None => {
                let text = "the connection to the command was lost".to_owned();
                return Err(SandboxError::Lost(text));
            }
        }
    }
}

/// The end of an output, within limits.
#[derive(Default)]
struct Kept {
    bytes: Vec<u8>,
    cut: bool,
}

impl Kept {
    fn push(&mut self, bytes: &[u8]) {
        self.bytes.extend_from_slice(bytes);
        if let Some(over @ 1..) = self.bytes.len().checked_sub(KEPT) {
            self.bytes.drain(..over);
            self.cut = true;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{KEPT, Kept};

    #[test]
    fn the_end_of_an_output_is_kept() {
        let mut kept = Kept::default();
        kept.push(&vec![b'a'; KEPT]);
        assert!(!kept.cut);
        kept.push(b"end");
        assert!(kept.cut && kept.bytes.len() == KEPT && kept.bytes.ends_with(b"aend"));
    }
}
