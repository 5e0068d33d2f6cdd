//! The program inside the sandbox: takes requests from the server over one socket, owns the shells
//! and touches the files, so that every path is resolved where commands resolve it. It must be run
//! before any thread is started, holds no secret and trusts nothing the commands do.

mod attempts;
mod egress;
mod entries;
mod environment;
mod files;
mod growth;
mod input;
mod listening;
mod on_files;
mod process;
mod processes;
mod pump;
mod responder;
mod search;
mod shell;
mod tunnel;
mod warden;

use crate::{
    isolation::confine::confine,
    protocol::{Answer, Envelope, Failure, Frame, Hello, Kind, Reply, Request},
};
use bytes::Bytes;
use domain::{id::SpriteSessionId, sprite::SandboxTier};
use environment::Surroundings;
use growth::Growth;
use input::{Inlet, Input};
use nix::errno::Errno;
use process::{Ground, terminal::Lender};
use processes::{Reaper, end_all};
use responder::{Body, Responder};
use shell::{ShellHandle, Spare};
use std::{
    cell::RefCell,
    collections::HashMap,
    fs::File,
    io,
    net::TcpListener,
    os::{
        fd::{AsFd, OwnedFd},
        unix::net::UnixStream as StdStream,
    },
    process::ExitCode,
    rc::Rc,
};
use tokio::{
    io::{AsyncWriteExt, BufReader, BufWriter},
    net::{UnixStream, unix::OwnedWriteHalf},
    signal::unix::{SignalKind, signal},
    sync::mpsc,
    task::LocalSet,
};
use warden::Side;

const MAX_SHELLS: usize = 32;
/// Processes and connections are open requests too.
const MAX_REQUESTS: usize = 1024;
const FILE_THREADS: usize = 4;

/// Serves until the server goes away. The server is on the other end of standard input.
pub fn run() -> ExitCode {
    match start() {
        Ok(code) => code,
        Err(error) => {
            report(&error);
            ExitCode::FAILURE
        }
    }
}

/// Standard error is where the server looks when a supervisor ends.
fn report(error: &io::Error) {
    use io::Write as _;
    drop(writeln!(io::stderr(), "supervisor: {error}"));
}

fn start() -> io::Result<ExitCode> {
    let socket = StdStream::from(take_socket()?);
    let hello: Hello = Frame::read_blocking(&socket)?.parse()?;
    // In a process namespace of its own everything ends with us; elsewhere somebody must see to it.
    let mut lender = None;
    if hello.tier != SandboxTier::Namespaces {
        match warden::split()? {
            Side::Warden(lender) => {
                drop(socket);
                return warden::watch(lender);
            }
            Side::Supervisor(borrowing) => lender = Some(borrowing),
        }
    }
    if let Err(text) = confine(&hello) {
        let answer: Answer = Err(Failure::Refused(text));
        Frame::json(Kind::End, 0, &answer)?.write_blocking(&socket)?;
        return Ok(ExitCode::FAILURE);
    }
    nix::sys::prctl::set_child_subreaper(true)?;
    std::env::set_current_dir(&hello.home)?;
    let inside = hello.tier == SandboxTier::Namespaces;
    let egress = inside.then(egress::listen).transpose()?;
    let answer: Answer = Ok(Reply::Done);
    Frame::json(Kind::End, 0, &answer)?.write_blocking(&socket)?;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .max_blocking_threads(FILE_THREADS)
        .build()?;
    runtime.block_on(LocalSet::new().run_until(serve(socket, hello, egress, lender)))?;
    // Blocked file operations must not keep the sandbox alive.
    runtime.shutdown_background();
    if !inside {
        end_all()?;
    }
    Ok(ExitCode::SUCCESS)
}

/// Moves the socket away from standard input, so that no command inherits it. What else the
/// server's surroundings left open is closed: it would be a way out.
#[expect(unsafe_code, reason = "no wrapper for close_range")]
fn take_socket() -> io::Result<OwnedFd> {
    // SAFETY: this is the first thing the process does, so no descriptor above 2 is anyone's.
    Errno::result(unsafe { libc::syscall(libc::SYS_close_range, 3, libc::c_uint::MAX, 0) })?;
    let socket = io::stdin().as_fd().try_clone_to_owned()?;
    nix::unistd::dup2_stdin(File::open("/dev/null")?)?;
    Ok(socket)
}

async fn serve(
    socket: StdStream,
    hello: Hello,
    egress: Option<TcpListener>,
    lender: Option<Lender>,
) -> io::Result<()> {
    socket.set_nonblocking(true)?;
    let (reader, writer) = UnixStream::from_std(socket)?.into_split();
    let (frames, outgoing) = mpsc::channel(16);
    tokio::task::spawn_local(write_frames(outgoing, writer));
    let surroundings = Rc::new(Surroundings {
        home: hello.home.clone(),
        tmp: hello.tmp.clone(),
        proxied: egress.is_some(),
        growth: Growth::default(),
    });
    if let Some(listener) = egress {
        tokio::task::spawn_local(egress::serve(listener));
    }
    let desk = Rc::new(Desk {
        hello,
        ground: Ground {
            surroundings: Rc::clone(&surroundings),
            reaper: Reaper::start()?,
            lender,
        },
        surroundings,
        shells: RefCell::default(),
        spare: Rc::default(),
        open: RefCell::default(),
        frames,
    });
    let requests = async {
        let mut reader = BufReader::with_capacity(128 << 10, reader);
        while let Some(frame) = Frame::read(&mut reader).await? {
            desk.take(frame).await?;
        }
        Ok(())
    };
    let mut told_to_end = signal(SignalKind::terminate())?;
    tokio::select! {
        ended = requests => ended,
        _ = told_to_end.recv() => Ok(()),
    }
}

async fn write_frames(mut frames: mpsc::Receiver<Frame>, writer: OwnedWriteHalf) {
    let mut writer = BufWriter::with_capacity(128 << 10, writer);
    while let Some(frame) = frames.recv().await {
        let mut written = frame.write(&mut writer).await;
        while let (Ok(()), Ok(frame)) = (&written, frames.try_recv()) {
            written = frame.write(&mut writer).await;
        }
        // A socket that takes nothing is closed; the reader sees that too and ends us.
        if written.is_err() || writer.flush().await.is_err() {
            return;
        }
    }
}

/// Where requests arrive.
struct Desk {
    hello: Hello,
    surroundings: Rc<Surroundings>,
    ground: Ground,
    shells: RefCell<HashMap<SpriteSessionId, ShellHandle>>,
    spare: Rc<Spare>,
    open: RefCell<HashMap<u32, Open>>,
    frames: mpsc::Sender<Frame>,
}

struct Open {
    responder: Responder,
    inlet: Inlet,
    body: Option<mpsc::Sender<Bytes>>,
    missing: usize,
}

impl Desk {
    async fn take(self: &Rc<Self>, frame: Frame) -> io::Result<()> {
        match frame.kind {
            Kind::Request => self.accept(&frame)?,
            Kind::Body => self.body(frame).await,
            Kind::Credit => {
                if let Some(open) = self.open.borrow().get(&frame.id) {
                    open.responder.credit(&frame.payload);
                }
            }
            Kind::Cancel => {
                if let Some(open) = self.open.borrow().get(&frame.id) {
                    open.responder.cancel();
                }
            }
            Kind::Input => self.inlet(frame.id, |inlet| inlet.data(frame.payload)),
            Kind::Finish => self.inlet(frame.id, Inlet::finish),
            Kind::Control => {
                let control = frame.parse()?;
                self.inlet(frame.id, |inlet| inlet.control(control));
            }
            Kind::Stdout | Kind::Stderr | Kind::End | Kind::Grant => {
                return Err(io::Error::other("a frame that only a supervisor sends"));
            }
        }
        Ok(())
    }

    fn accept(self: &Rc<Self>, frame: &Frame) -> io::Result<()> {
        let Envelope { request, body } = frame.parse()?;
        let responder = Responder::new(frame.id, self.frames.clone());
        let (sender, receiver) = mpsc::channel(4);
        let (inlet, input) = input::channel();
        let busy = self.open.borrow().len() >= MAX_REQUESTS;
        self.open.borrow_mut().insert(
            frame.id,
            Open {
                responder: responder.clone(),
                inlet,
                body: (body > 0).then_some(sender),
                missing: body,
            },
        );
        let desk = Rc::clone(self);
        tokio::task::spawn_local(async move {
            let id = responder.id;
            let answer = if busy {
                Err(Failure::Refused("too many requests at once".into()))
            } else {
                let body = Body::new(receiver, body);
                desk.perform(request, body, input, &responder).await
            };
            desk.open.borrow_mut().remove(&id);
            responder.end(&answer).await;
        });
        Ok(())
    }

    /// The way into a request. One that is over takes nothing any more.
    fn inlet(&self, id: u32, put: impl FnOnce(&mut Inlet)) {
        if let Some(open) = self.open.borrow_mut().get_mut(&id) {
            put(&mut open.inlet);
        }
    }

    /// Passes a piece of a body on. A reader that went away does not want it.
    async fn body(&self, frame: Frame) {
        let sender = {
            let mut open = self.open.borrow_mut();
            let Some(request) = open.get_mut(&frame.id) else {
                return;
            };
            request.missing = request.missing.saturating_sub(frame.payload.len());
            if request.missing == 0 {
                request.body.take()
            } else {
                request.body.clone()
            }
        };
        if let Some(sender) = sender {
            drop(sender.send(frame.payload).await);
        }
    }

    async fn perform(
        self: &Rc<Self>,
        request: Request,
        body: Body,
        input: Input,
        to: &Responder,
    ) -> Answer {
        let tier = self.hello.tier;
        match request {
            Request::Start => {
                let start = serde_json::from_slice(&body.collect().await?)
                    .map_err(|error| Failure::Refused(error.to_string()))?;
                process::run(&start, &self.ground, input, to).await
            }
            Request::Connect { port } => tunnel::run(port, tier, input, to).await,
            Request::Listening => {
                let to = to.clone();
                blocking(move || {
                    to.json_blocking(&listening::all(tier))?;
                    Ok(Reply::List { truncated: false })
                })
                .await
            }
            Request::Exec { shell, timeout_ms } => {
                let script = body.collect().await?;
                let handle = self.shell(shell)?;
                handle.exec(script, timeout_ms, to.clone()).await
            }
            Request::CloseShell { shell } => {
                let handle = self.shells.borrow_mut().remove(&shell);
                if let Some(handle) = handle {
                    handle.close().await;
                }
                Ok(Reply::Done)
            }
            Request::Growth { stopped, kill } => {
                self.surroundings.growth.decide(stopped, kill).await;
                Ok(Reply::Done)
            }
            Request::Attempts(canaries) => {
                blocking(move || Ok(Reply::Attempts(attempts::all(&canaries)))).await
            }
            Request::Read { .. }
            | Request::Write { .. }
            | Request::List { .. }
            | Request::MakeDirectory { .. }
            | Request::Glob { .. }
            | Request::Grep { .. } => {
                let (home, to) = (self.hello.home.clone(), to.clone());
                blocking(move || on_files::perform(request, &home, body, &to)).await
            }
            Request::Stat { path } => {
                let home = self.hello.home.clone();
                blocking(move || entries::stat(&home, &path)).await
            }
            Request::Change(change) => {
                let (home, to) = (self.hello.home.clone(), to.clone());
                let growth = self.surroundings.growth.clone();
                blocking(move || entries::change(&home, &change, &growth, &to)).await
            }
        }
    }

    fn shell(self: &Rc<Self>, id: SpriteSessionId) -> Result<ShellHandle, Failure> {
        let mut shells = self.shells.borrow_mut();
        if let Some(handle) = shells.get(&id) {
            return Ok(handle.clone());
        }
        if shells.len() >= MAX_SHELLS {
            let text = format!("{MAX_SHELLS} shells are open already; close one first");
            return Err(Failure::Refused(text));
        }
        let handle = ShellHandle::open(
            Rc::clone(&self.ground.reaper),
            Rc::clone(&self.spare),
            Rc::clone(&self.surroundings),
        );
        shells.insert(id, handle.clone());
        Ok(handle)
    }
}

async fn blocking(work: impl FnOnce() -> Answer + Send + 'static) -> Answer {
    tokio::task::spawn_blocking(work)
        .await
        .map_err(|error| Failure::Refused(format!("the sandbox failed at it: {error}")))?
}
