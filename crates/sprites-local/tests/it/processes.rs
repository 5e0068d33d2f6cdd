//! Processes of their own, beside the kept shells.

use crate::support::{Bench, nap, output, sprite};
use bytes::{Bytes, BytesMut};
use futures_util::StreamExt as _;
use ports::sandbox::{
    Command, Exit, OutputStream, ProcessEvent, ProcessOutput, SandboxError, SandboxHost as _,
    Sprite,
};
use std::{sync::Arc, time::Duration};
use tokio::time::timeout;

macro_rules! processes {
    ($($name:ident),* $(,)?) => {$(
        mod $name {
            use crate::support::bench;
            use domain::sprite::SandboxTier;
            use ports::sandbox::SandboxHost as _;

            #[tokio::test]
            async fn in_namespaces() {
                check(SandboxTier::Namespaces).await;
            }

            #[tokio::test]
            async fn under_landlock() {
                check(SandboxTier::Landlock).await;
            }

            #[tokio::test]
            async fn plain() {
                check(SandboxTier::Plain).await;
            }

            async fn check(tier: SandboxTier) {
                if let Some(bench) = bench(tier).await {
                    super::$name(&bench).await;
                    bench.host.shutdown().await;
                }
            }
        }
    )*};
}

mod kept;
mod killed;
mod ports_inside;
mod starting;
mod streams;

const PATIENCE: Duration = Duration::from_secs(50);

fn computer(bench: &Bench) -> Arc<dyn Sprite> {
    bench.host.sprite(sprite(1))
}

fn command(arguments: &[&str]) -> Command {
    Command {
        program: None,
        arguments: arguments.iter().map(|&argument| argument.into()).collect(),
        environment: vec![],
        directory: None,
        terminal: None,
        input: false,
        linger: None,
    }
}

fn script(script: &str) -> Command {
    command(&["bash", "-c", &script.replace("sleep 1000", &nap())])
}

fn with_input(command: Command) -> Command {
    let input = true;
    Command { input, ..command }
}

#[derive(Debug, PartialEq, Eq)]
struct Outcome {
    exit: Exit,
    stdout: Bytes,
    stderr: Bytes,
}

/// Reads to the end.
async fn rest(mut output: ProcessOutput) -> Result<Outcome, SandboxError> {
    let (mut stdout, mut stderr) = (BytesMut::new(), BytesMut::new());
    let reading = async {
        loop {
            match output.next().await.expect("an end")? {
                ProcessEvent::Output(OutputStream::Stdout, bytes) => stdout.extend(bytes),
                ProcessEvent::Output(OutputStream::Stderr, bytes) => stderr.extend(bytes),
                ProcessEvent::Ended(exit) => {
                    assert!(output.next().await.is_none());
                    return Ok::<_, SandboxError>(exit);
                }
            }
        }
    };
    let exit = timeout(PATIENCE, reading).await.expect("it ends in time")?;
    Ok(Outcome {
        exit,
        stdout: stdout.freeze(),
        stderr: stderr.freeze(),
    })
}

/// Reads until standard output has a text in it.
async fn until(output: &mut ProcessOutput, text: &str) -> String {
    let mut all = Vec::new();
    let reading = async {
        loop {
            match output.next().await {
                Some(Ok(ProcessEvent::Output(_, bytes))) => all.extend(bytes),
                other => {
                    let said = String::from_utf8_lossy(&all);
                    panic!("{text} did not come: {other:?} after {said:?}")
                }
            }
            let seen = String::from_utf8_lossy(&all).into_owned();
            if seen.contains(text) {
                return seen;
            }
        }
    };
    timeout(PATIENCE, reading).await.expect("it comes in time")
}

async fn run(computer: &Arc<dyn Sprite>, command: Command) -> Outcome {
    let attached = computer.start(command).await.unwrap();
    rest(attached.output).await.unwrap()
}

async fn text(computer: &Arc<dyn Sprite>, command: Command) -> String {
    let outcome = run(computer, command).await;
    assert_eq!(outcome.exit, Exit::Code(0), "{outcome:?}");
    String::from_utf8(outcome.stdout.to_vec()).unwrap()
}

/// How many processes of this test run, as the sandbox sees it.
async fn napping(bench: &Bench) -> String {
    output(&*bench.sandbox, "pgrep -fc '^sleep 1000$'; true").await
}

/// What is there in the end, or panics.
async fn eventually<T>(mut look: impl AsyncFnMut() -> Option<T>) -> T {
    let looking = async {
        loop {
            if let Some(found) = look().await {
                return found;
            }
            tokio::task::yield_now().await;
        }
    };
    timeout(PATIENCE, looking)
        .await
        .expect("it happens in time")
}

/// Bytes without a pattern.
fn noise(length: usize) -> Bytes {
    let mut state = 7_u32;
    std::iter::repeat_with(|| {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 24) as u8
    })
    .take(length)
    .collect()
}
