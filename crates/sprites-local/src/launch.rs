//! Starts a supervisor in a tier: the command line, the socket and the first exchange. Probing and
//! serving use the same code, so that what was tested is what runs.

use crate::{
    home::Home,
    isolation::bubblewrap,
    keeper::Keeper,
    limits::Limits,
    link::Link,
    network::{self, Egress, Upstream},
    protocol::{Answer, Frame, Hello, Kind},
};
use domain::sprite::{NetworkPolicy, SandboxTier};
use ports::sandbox::SandboxError;
use std::{
    ffi::OsString,
    io,
    os::{
        fd::OwnedFd,
        unix::{net::UnixStream as StdStream, process::CommandExt as _},
    },
    path::{Path, PathBuf},
    process::{Command, Stdio},
    sync::Arc,
    time::Duration,
};
use tokio::{io::AsyncWriteExt as _, net::UnixStream, time::timeout};
use tokio_util::task::TaskTracker;

/// Starting takes milliseconds; this is for machines on their knees.
const PATIENCE: Duration = Duration::from_secs(20);

/// How supervisors are started on this host.
#[derive(Clone, Debug)]
pub(crate) struct Launcher {
    pub(crate) tier: SandboxTier,
    pub(crate) supervisor: Vec<OsString>,
    /// Holds the `passwd` and `group` that are shown inside.
    pub(crate) accounts: PathBuf,
    /// What the ways out lead to.
    pub(crate) upstream: Arc<dyn Upstream>,
    pub(crate) limits: Arc<Limits>,
    pub(crate) tasks: TaskTracker,
}

/// A supervisor that serves.
pub(crate) struct Started {
    pub(crate) link: Arc<Link>,
    pub(crate) keeper: Keeper,
    /// The way out, where the tier has one.
    pub(crate) egress: Option<Egress>,
}

impl Launcher {
    /// Starts one around a home that is there, with a policy for its way out.
    pub(crate) async fn start(
        &self,
        home: &Home,
        policy: NetworkPolicy,
    ) -> Result<Started, SandboxError> {
        let failed = |error: io::Error| SandboxError::Unavailable(error.to_string());
        let egress = self.egress(home, policy)?;
        let (ours, theirs) = StdStream::pair().map_err(failed)?;
        ours.set_nonblocking(true).map_err(failed)?;
        let mut socket = UnixStream::from_std(ours).map_err(failed)?;
        let mut command = self.command(home, theirs)?;
        let group = self.limits.enclose(home, &mut command)?;
        let keeper = Keeper::start(command, group).await.map_err(|error| {
            SandboxError::Unavailable(format!("the supervisor does not start: {error}"))
        })?;
        let hello = self.hello(home);
        match timeout(PATIENCE, greet(&mut socket, &hello)).await {
            Ok(Ok(answer)) => {
                answer.map_err(|failure| {
                    SandboxError::Unavailable(SandboxError::from(failure).to_string())
                })?;
                Ok(Started {
                    link: Link::new(socket, &self.tasks),
                    keeper,
                    egress,
                })
            }
            Ok(Err(_)) => {
                drop(socket);
                keeper.stop().await;
                Err(SandboxError::Unavailable(keeper.ended().await))
            }
            Err(_) => {
                drop(socket);
                keeper.stop().await;
                let text = format!("the supervisor did not answer in {PATIENCE:?}");
                Err(SandboxError::Unavailable(text))
            }
        }
    }

    /// Where the network is the sandbox's own, the only way out of it.
    fn egress(&self, home: &Home, policy: NetworkPolicy) -> Result<Option<Egress>, SandboxError> {
        if self.tier != SandboxTier::Namespaces {
            return Ok(None);
        }
        let opened = Egress::open(home, policy, Arc::clone(&self.upstream), &self.tasks);
        opened.map(Some).map_err(|error| {
            SandboxError::Unavailable(format!("its egress proxy does not start: {error}"))
        })
    }

    /// Where a home is as commands see it.
    pub(crate) fn home_inside(&self, home: &Home) -> PathBuf {
        if self.tier == SandboxTier::Namespaces {
            bubblewrap::HOME.into()
        } else {
            home.files.clone()
        }
    }

    fn hello(&self, home: &Home) -> Hello {
        let inside = self.tier == SandboxTier::Namespaces;
        Hello {
            tier: self.tier,
            home: self.home_inside(home),
            tmp: if inside {
                "/tmp".into()
            } else {
                home.tmp.clone()
            },
            run_as: home.owner.filter(|_| self.tier == SandboxTier::Landlock),
            processes: self.limits.of_user(self.tier, home),
        }
    }

    fn command(&self, home: &Home, socket: StdStream) -> Result<Command, SandboxError> {
        let unavailable = |text: &str| SandboxError::Unavailable(text.to_owned());
        let mut command = match self.tier {
            SandboxTier::Namespaces => {
                let program = bubblewrap::find().ok_or_else(|| {
                    unavailable("bubblewrap is not installed (package `bubblewrap`)")
                })?;
                let mut command = Command::new(program);
                command.args(bubblewrap::arguments(
                    &self.supervisor,
                    &home.files,
                    &network::directory(home),
                    &self.accounts,
                ));
                if let Some(owner) = home.owner {
                    command.uid(owner).gid(owner);
                }
                command
            }
            SandboxTier::Landlock | SandboxTier::Plain => {
                let (program, arguments) = self
                    .supervisor
                    .split_first()
                    .ok_or_else(|| unavailable("no supervisor program is configured"))?;
                let mut command = Command::new(program);
                command.args(arguments);
                command
            }
        };
        command
            .env_clear()
            .current_dir(Path::new("/"))
            .stdin(Stdio::from(OwnedFd::from(socket)))
            .stdout(Stdio::null())
            .stderr(Stdio::piped());
        Ok(command)
    }
}

async fn greet(socket: &mut UnixStream, hello: &Hello) -> io::Result<Answer> {
    Frame::json(Kind::Request, 0, hello)?.write(socket).await?;
    socket.flush().await?;
    let frame = Frame::read(socket).await?;
    frame.ok_or(io::ErrorKind::UnexpectedEof)?.parse()
}
