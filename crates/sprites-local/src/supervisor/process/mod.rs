//! One process from its start to its exit code: its output goes out against credit, its input comes
//! in against ours, and it is told of sizes and signals meanwhile. It does not outlive its request;
//! what the process left behind in the background does.

mod program;
pub(super) mod terminal;
mod tree;

use super::{
    environment::Surroundings,
    input::Input,
    processes::Reaper,
    pump::{discard, pump},
    responder::Responder,
};
use crate::{
    processes::wire::{Control, Start},
    protocol::{Answer, Kind, Reply, WINDOW, WireExit},
};
use bytes::Bytes;
use futures_util::future::{Either, join_all, select};
use nix::{
    sys::signal::{Signal, killpg},
    unistd::Pid,
};
use program::NotStarted;
use std::{
    convert::Infallible, future::pending, io, pin::pin, process::Command, rc::Rc, time::Duration,
};
use terminal::{Lender, Terminal};
use tokio::{
    io::AsyncWriteExt as _, net::unix::pipe, sync::mpsc::UnboundedReceiver, task::spawn_local,
    time::timeout,
};
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use tree::{Program, Tree};

/// How long after its end others may still hold its output open before it is over.
const GRACE: Duration = Duration::from_secs(1);

/// What processes are started with.
pub(super) struct Ground {
    pub(super) surroundings: Rc<Surroundings>,
    pub(super) reaper: Rc<Reaper>,
    /// Who makes terminals, where we cannot.
    pub(super) lender: Option<Lender>,
}

/// Runs a process.
pub(super) async fn run(start: &Start, ground: &Ground, input: Input, to: &Responder) -> Answer {
    let (streams, tree, program) = match begin(start, ground).await {
        Ok(begun) => begun,
        Err(NotStarted { code, reason }) => {
            to.data(Kind::Stderr, format!("{reason}\n").into()).await;
            return Ok(Reply::Ended(WireExit::Code(code)));
        }
    };
    to.grant(WINDOW).await;
    let Streams {
        outputs,
        input: pipe,
        terminal,
    } = streams;
    let Input { data, controls } = input;
    let ending = TaskTracker::new();
    let (group, terminal) = (program.group, terminal.as_ref());
    let beside = async {
        tokio::join!(
            feed(data, pipe, to),
            obey(controls, &tree, group, terminal, &ending),
            async {
                to.cancelled().await;
                tree.end_within(Duration::ZERO).await;
            },
        );
        pending::<Infallible>().await
    };
    let exit = tokio::select! {
        exit = live(program, outputs, to) => exit,
        never = beside => match never {},
    };
    ending.close();
    ending.wait().await;
    Ok(Reply::Ended(exit))
}

async fn begin(start: &Start, ground: &Ground) -> Result<(Streams, Tree, Program), NotStarted> {
    let failed = |error: io::Error| NotStarted::by(start, &error);
    let mut command = program::command(start, &ground.surroundings)?;
    ground.surroundings.growth.govern(&mut command);
    let streams = Streams::open(start, ground, &mut command).map_err(failed)?;
    let tree = Tree::start(command, start.terminal.is_some(), &ground.reaper).await;
    let (tree, program) = tree.map_err(failed)?;
    Ok((streams, tree, program))
}

/// Our ends of what a process reads and writes.
struct Streams {
    outputs: Vec<(Kind, pipe::Receiver)>,
    input: Option<pipe::Sender>,
    terminal: Option<Terminal>,
}

impl Streams {
    fn open(start: &Start, ground: &Ground, command: &mut Command) -> io::Result<Self> {
        if let Some(size) = start.terminal {
            let (terminal, far) =
                terminal::open(size, ground.lender.as_ref()).map_err(|error| {
                    io::Error::other(format!("no terminal can be had in this sprite: {error}"))
                })?;
            command.stdin(far.try_clone()?).stdout(far.try_clone()?);
            command.stderr(far);
            let output = pipe::Receiver::from_owned_fd_unchecked(terminal.share()?)?;
            return Ok(Self {
                outputs: vec![(Kind::Stdout, output)],
                input: Some(pipe::Sender::from_owned_fd_unchecked(terminal.share()?)?),
                terminal: Some(terminal),
            });
        }
        let (stdout, far_stdout) = io::pipe()?;
        let (stderr, far_stderr) = io::pipe()?;
        command.stdout(far_stdout).stderr(far_stderr);
        let input = if start.input {
            let (far, input) = io::pipe()?;
            command.stdin(far);
            Some(pipe::Sender::from_owned_fd(input.into())?)
        } else {
            command.stdin(std::process::Stdio::null());
            None
        };
        Ok(Self {
            outputs: vec![
                (Kind::Stdout, pipe::Receiver::from_owned_fd(stdout.into())?),
                (Kind::Stderr, pipe::Receiver::from_owned_fd(stderr.into())?),
            ],
            input,
            terminal: None,
        })
    }
}

/// Passes its output on until it ended and all it wrote is out.
async fn live(
    mut program: Program,
    outputs: Vec<(Kind, pipe::Receiver)>,
    to: &Responder,
) -> WireExit {
    let over = CancellationToken::new();
    let exit = {
        let pumps = outputs.iter();
        let pumps = join_all(pumps.map(|(kind, pipe)| pump(pipe, *kind, to, &over)));
        let mut pumps = pin!(pumps);
        match select(pumps.as_mut(), pin!(program.exit())).await {
            Either::Left((_, exit)) => exit.await,
            Either::Right((exit, _)) => {
                if timeout(GRACE, pumps.as_mut()).await.is_err() {
                    over.cancel();
                    pumps.await;
                }
                exit
            }
        }
    };
    if over.is_cancelled() {
        // Whoever runs on in the background must not fail at what nobody reads.
        for (_, pipe) in outputs {
            spawn_local(async move { discard(&pipe).await });
        }
    }
    exit
}

/// Writes what comes in, and asks for more as it is taken. On a terminal the end of input is
/// typed, so there it means nothing.
async fn feed(mut data: UnboundedReceiver<Bytes>, mut pipe: Option<pipe::Sender>, to: &Responder) {
    let mut taken = 0;
    while let Some(bytes) = data.recv().await {
        if let Some(open) = &mut pipe
            && open.write_all(&bytes).await.is_err()
        {
            // It reads no more; what else comes is dropped.
            pipe = None;
        }
        taken += bytes.len();
        if taken >= WINDOW / 4 {
            to.grant(taken).await;
            taken = 0;
        }
    }
}

/// Does what a process is told beside its input.
async fn obey(
    mut controls: UnboundedReceiver<Control>,
    tree: &Tree,
    group: Pid,
    terminal: Option<&Terminal>,
    ending: &TaskTracker,
) {
    while let Some(control) = controls.recv().await {
        match control {
            Control::Resize(size) => {
                // One without a terminal has no size, and one that is going away needs none.
                if let Some(terminal) = terminal {
                    terminal.resize(size).unwrap_or(());
                }
            }
            Control::Signal(signal) => {
                if let Ok(signal) = Signal::try_from(signal) {
                    killpg(group, signal).unwrap_or(());
                }
            }
            Control::Kill {
                signal,
                patience_ms,
            } => {
                let patience_ms = match Signal::try_from(signal) {
                    // A scan and a signal would race with what forks.
                    Ok(Signal::SIGKILL) => Some(0),
                    Ok(signal) => {
                        tree.signal(signal);
                        patience_ms
                    }
                    Err(_) => patience_ms,
                };
                if let Some(patience) = patience_ms.map(Duration::from_millis) {
                    let tree = tree.clone();
                    let end = async move { tree.end_within(patience).await };
                    spawn_local(ending.track_future(end));
                }
            }
        }
    }
}
