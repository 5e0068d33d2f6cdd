//! Holds one supervisor process: a thread of its own starts it and waits for it. The thread
//! matters: the kernel ends the sandbox when the thread that started it ends, so it must not be
//! one of the runtime's, which come and go.

use crate::limits::Group;
use nix::{
    sys::{
        signal::{Signal, kill},
        wait::{Id, WaitPidFlag, waitid},
    },
    unistd::Pid,
};
use std::{
    io::{self, Read},
    process::{Child, Command},
    sync::{Arc, Mutex, PoisonError},
    thread,
    time::Duration,
};
use tokio::{
    sync::{oneshot, watch},
    time::timeout,
};

const STACK: usize = 128 << 10;
const LAST_WORDS: usize = 4096;
const GRACE: Duration = Duration::from_secs(2);

/// A process that is watched.
pub(crate) struct Keeper {
    /// Empty once it was waited for, when its number may belong to another.
    pid: Arc<Mutex<Option<Pid>>>,
    ended: watch::Receiver<Option<String>>,
    /// The group it runs in, for as long as it does.
    group: Mutex<Option<Group>>,
}

impl Keeper {
    /// Starts a command and keeps it.
    pub(crate) async fn start(mut command: Command, group: Option<Group>) -> io::Result<Self> {
        let pid = Arc::new(Mutex::new(None));
        let (started, start) = oneshot::channel();
        let (end, ended) = watch::channel(None);
        let held = Arc::clone(&pid);
        thread::Builder::new()
            .name("sprite".into())
            .stack_size(STACK)
            .spawn(move || {
                let spawned = command.spawn();
                // The child's end of the socket must not stay open here.
                drop(command);
                match spawned {
                    Ok(child) => keep(child, &held, started, &end),
                    Err(error) => drop(started.send(Err(error))),
                }
            })?;
        start.await.map_err(io::Error::other)??;
        let group = Mutex::new(group);
        Ok(Self { pid, ended, group })
    }

    /// Why it ended; waits for that.
    pub(crate) async fn ended(&self) -> String {
        let mut ended = self.ended.clone();
        let words = ended.wait_for(Option::is_some).await;
        words
            .ok()
            .and_then(|words| words.clone())
            .unwrap_or_default()
    }

    /// Waits for its end for a while, then brings it about.
    pub(crate) async fn stop(&self) {
        for end in [Self::terminate, Self::kill] {
            if timeout(GRACE, self.ended()).await.is_ok() {
                break;
            }
            end(self);
        }
        if timeout(GRACE, self.ended()).await.is_err() {
            tracing::warn!("sprite.stuck: a sandbox does not end even when it is killed");
        }
        drop(
            self.group
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .take(),
        );
    }

    /// Its number, while it runs.
    pub(crate) fn pid(&self) -> Option<Pid> {
        *self.pid.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Tells it to end. One that is stopped hears that only when it goes on.
    pub(crate) fn terminate(&self) {
        self.signal(Signal::SIGTERM);
        self.signal(Signal::SIGCONT);
    }

    fn kill(&self) {
        self.signal(Signal::SIGKILL);
    }

    fn signal(&self, signal: Signal) {
        let pid = self.pid.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(pid) = *pid {
            // It ended by itself meanwhile: as good.
            kill(pid, signal).unwrap_or(());
        }
    }
}

fn keep(
    mut child: Child,
    held: &Mutex<Option<Pid>>,
    started: oneshot::Sender<io::Result<()>>,
    end: &watch::Sender<Option<String>>,
) {
    let pid = Pid::from_raw(i32::try_from(child.id()).unwrap_or_default());
    *held.lock().unwrap_or_else(PoisonError::into_inner) = Some(pid);
    // The caller may have gone; the process is kept all the same.
    drop(started.send(Ok(())));
    let mut words = child.stderr.take().map(last_words).unwrap_or_default();
    // Wait without taking the number away, so that nobody signals whoever gets it next.
    let dead = WaitPidFlag::WEXITED | WaitPidFlag::WNOWAIT;
    let waited = waitid(Id::Pid(pid), dead);
    *held.lock().unwrap_or_else(PoisonError::into_inner) = None;
    let status = waited.map_err(io::Error::from).and_then(|_| child.wait());
    if words.is_empty() {
        words = match status {
            Ok(status) => format!("the supervisor ended ({status})"),
            Err(error) => format!("the supervisor was lost: {error}"),
        };
    }
    end.send_replace(Some(words));
}

/// The end of what it says, read until it says no more.
fn last_words(mut stderr: impl Read) -> String {
    let mut kept = Vec::new();
    let mut buffer = [0; 1024];
    while let Ok(read @ 1..) = stderr.read(&mut buffer) {
        kept.extend(buffer.iter().take(read));
        kept.drain(..kept.len().saturating_sub(LAST_WORDS));
    }
    String::from_utf8_lossy(&kept).trim().to_owned()
}
