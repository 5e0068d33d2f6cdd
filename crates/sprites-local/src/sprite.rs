//! A sprite that is awake: each operation of the port is one request to its supervisor. It never
//! touches the sprite's files itself.

mod streams;

use crate::{
    keeper::Keeper,
    launch::Started,
    link::{Call, Link, Piece, unexpected},
    network::Egress,
    protocol::{Reply, Request, WireEntry, WireMatch},
    quota::Disk,
};
use async_trait::async_trait;
use bytes::Bytes;
use domain::id::SpriteSessionId;
use nix::unistd::Pid;
use ports::sandbox::{
    DirectoryEntry, ExecOutcome, ExecRequest, Found, GrepMatch, GrepRequest, OutputSink, Sandbox,
    SandboxError,
};
use std::{
    collections::BTreeSet,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};
use tokio::{
    sync::OwnedSemaphorePermit,
    time::{Instant, timeout},
};

/// What a command may take beyond its own time: to be started, killed and told of.
const BEYOND: Duration = Duration::from_secs(10);
/// Closing a shell is killing processes, and somebody waits for it at the end of a job.
const CLOSING: Duration = Duration::from_secs(5);

/// A sprite with a supervisor.
pub(crate) struct LocalSprite {
    link: Arc<Link>,
    keeper: Keeper,
    egress: Option<Egress>,
    /// See [`crate::LocalSettings::answer`].
    answer: Duration,
    /// What it may still write.
    pub(crate) disk: Disk,
    busy: AtomicUsize,
    /// Processes that run.
    running: AtomicUsize,
    used: Mutex<Instant>,
    shells: Mutex<BTreeSet<SpriteSessionId>>,
    /// Its place among those that may be awake.
    place: Mutex<Option<OwnedSemaphorePermit>>,
}

impl LocalSprite {
    pub(crate) fn new(
        started: Started,
        place: Option<OwnedSemaphorePermit>,
        answer: Duration,
    ) -> Self {
        Self {
            link: started.link,
            keeper: started.keeper,
            egress: started.egress,
            answer,
            disk: Disk::default(),
            busy: AtomicUsize::new(0),
            running: AtomicUsize::new(0),
            used: Mutex::new(Instant::now()),
            shells: Mutex::default(),
            place: Mutex::new(place),
        }
    }

    /// The way out, where the tier has one.
    pub(crate) fn egress(&self) -> Option<&Egress> {
        self.egress.as_ref()
    }

    pub(crate) fn is_awake(&self) -> bool {
        !self.link.is_closed()
    }

    /// How long nobody asked it for anything; `None` while it works.
    pub(crate) fn idle(&self) -> Option<Duration> {
        let free = self.busy.load(Ordering::Acquire) == 0;
        free.then(|| {
            self.used
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .elapsed()
        })
    }

    /// Counts as use, for a caller that is about to ask.
    pub(crate) fn touch(&self) {
        *self.used.lock().unwrap_or_else(PoisonError::into_inner) = Instant::now();
    }

    /// The shells that were used and not closed.
    pub(crate) fn shells(&self) -> Vec<SpriteSessionId> {
        self.open_shells().iter().copied().collect()
    }

    fn open_shells(&self) -> MutexGuard<'_, BTreeSet<SpriteSessionId>> {
        self.shells.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The first of its processes, while it runs.
    pub(crate) fn root(&self) -> Option<Pid> {
        self.keeper.pid()
    }

    /// What the supervisor could do that it must not.
    pub(crate) async fn attempts(
        &self,
        canaries: crate::protocol::Canaries,
    ) -> Result<Vec<String>, SandboxError> {
        let request = Request::Attempts(canaries);
        let (_, reply) = self.link.call(request, Bytes::new())?.collect(0).await?;
        match reply {
            Reply::Attempts(attempts) => Ok(attempts),
            other => Err(unexpected(&other)),
        }
    }

    /// Ends the supervisor and everything it started, and gives its place up.
    pub(crate) async fn stop(&self) {
        self.link.close();
        if let Some(egress) = &self.egress {
            egress.close();
        }
        self.keeper.stop().await;
        drop(
            self.place
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .take(),
        );
    }

    fn using(&self) -> Using<'_> {
        self.busy.fetch_add(1, Ordering::AcqRel);
        Using(self)
    }

    /// The answer, if it comes in time. A supervisor that gives none is stuck: it is ended, so that
    /// nobody waits for it again and the next to open the sprite gets another.
    async fn within<T>(
        &self,
        patience: Duration,
        answer: impl Future<Output = Result<T, SandboxError>>,
    ) -> Result<T, SandboxError> {
        if let Ok(answer) = timeout(patience, answer).await {
            return answer;
        }
        self.link.close();
        self.keeper.terminate();
        tracing::warn!(
            ?patience,
            "sprite.stuck: a supervisor did not answer and is ended"
        );
        Err(SandboxError::Lost(
            "its supervisor did not answer in time and was ended".into(),
        ))
    }

    async fn simple(
        &self,
        request: Request,
        body: Bytes,
        patience: Duration,
    ) -> Result<(), SandboxError> {
        let _using = self.using();
        let mut call = self.link.call(request, body)?;
        match self.reply(&mut call, patience).await? {
            Reply::Done => Ok(()),
            other => Err(unexpected(&other)),
        }
    }

    /// The answer without data. Data that comes all the same says that work goes on.
    async fn reply(&self, call: &mut Call, patience: Duration) -> Result<Reply, SandboxError> {
        loop {
            if let Piece::End(reply) = self.within(patience, call.next()).await? {
                return Ok(reply);
            }
        }
    }

    /// Asks for what is told in one word.
    pub(crate) async fn ask(&self, request: Request) -> Result<Reply, SandboxError> {
        let _using = self.using();
        let mut call = self.link.call(request, Bytes::new())?;
        self.reply(&mut call, self.answer).await
    }

    /// Asks for something to be done.
    pub(crate) async fn tell(&self, request: Request) -> Result<(), SandboxError> {
        self.simple(request, Bytes::new(), self.answer).await
    }
}

impl Drop for LocalSprite {
    /// The supervisor takes the end of the connection as its own.
    fn drop(&mut self) {
        self.link.close();
    }
}

struct Using<'a>(&'a LocalSprite);

impl Drop for Using<'_> {
    fn drop(&mut self) {
        self.0.touch();
        self.0.busy.fetch_sub(1, Ordering::AcqRel);
    }
}

#[async_trait]
impl Sandbox for LocalSprite {
    async fn exec(
        &self,
        request: ExecRequest,
        output: &dyn OutputSink,
    ) -> Result<ExecOutcome, SandboxError> {
        if request.script.contains('\0') {
            let text = "a command cannot contain a NUL character; write it to a file as an escape";
            return Err(SandboxError::Refused(text.into()));
        }
        let _using = self.using();
        self.open_shells().insert(request.shell);
        let exec = Request::Exec {
            shell: request.shell,
            timeout_ms: u64::try_from(request.timeout.as_millis()).unwrap_or(u64::MAX),
        };
        let mut call = self.link.call(exec, request.script.into())?;
        // Only waiting counts: a slow reader of the output is not the supervisor's fault.
        let mut patience = request.timeout.saturating_add(BEYOND.min(self.answer));
        loop {
            let asked = Instant::now();
            let piece = self.within(patience, call.next()).await?;
            patience = patience.saturating_sub(asked.elapsed());
            match piece {
                Piece::Data(stream, bytes) => output.write(stream, &bytes).await,
                Piece::End(Reply::Exec { exit, shell_reset }) => {
                    return Ok(ExecOutcome {
                        exit: exit.into(),
                        shell_reset,
                    });
                }
                Piece::End(other) => return Err(unexpected(&other)),
            }
        }
    }

    async fn close_shell(&self, shell: SpriteSessionId) -> Result<(), SandboxError> {
        self.open_shells().remove(&shell);
        let patience = CLOSING.min(self.answer);
        self.simple(Request::CloseShell { shell }, Bytes::new(), patience)
            .await
    }

    async fn read_file(&self, path: &str, limit: u64) -> Result<Bytes, SandboxError> {
        let _using = self.using();
        let path = path.to_owned();
        let call = self
            .link
            .call(Request::Read { path, limit }, Bytes::new())?;
        let limit = usize::try_from(limit).unwrap_or(usize::MAX);
        match self.within(self.answer, call.collect(limit)).await? {
            (bytes, Reply::Done) => Ok(bytes),
            (_, other) => Err(unexpected(&other)),
        }
    }

    async fn write_file(&self, path: &str, content: Bytes) -> Result<(), SandboxError> {
        self.disk.admit(content.len())?;
        let path = path.to_owned();
        self.simple(Request::Write { path }, content, self.answer)
            .await
    }

    async fn list_directory(&self, path: &str) -> Result<Vec<DirectoryEntry>, SandboxError> {
        let _using = self.using();
        let path = path.to_owned();
        let call = self.link.call(Request::List { path }, Bytes::new())?;
        let (entries, _) = self.within(self.answer, call.list::<WireEntry>()).await?;
        Ok(entries.into_iter().map(Into::into).collect())
    }

    async fn create_directory(&self, path: &str) -> Result<(), SandboxError> {
        let path = path.to_owned();
        self.simple(Request::MakeDirectory { path }, Bytes::new(), self.answer)
            .await
    }

    async fn glob(
        &self,
        root: &str,
        pattern: &str,
        limit: usize,
    ) -> Result<Found<String>, SandboxError> {
        let _using = self.using();
        let (root, pattern) = (root.to_owned(), pattern.to_owned());
        let request = Request::Glob {
            root,
            pattern,
            limit,
        };
        let call = self.link.call(request, Bytes::new())?;
        let (items, truncated) = self.within(self.answer, call.list()).await?;
        Ok(Found { items, truncated })
    }

    async fn grep(&self, request: GrepRequest) -> Result<Found<GrepMatch>, SandboxError> {
        let _using = self.using();
        let request = Request::Grep {
            pattern: request.pattern,
            path: request.path,
            glob: request.glob,
            ignore_case: request.ignore_case,
            limit: request.limit,
        };
        let call = self.link.call(request, Bytes::new())?;
        let (found, truncated) = self.within(self.answer, call.list::<WireMatch>()).await?;
        let items = found
            .into_iter()
            .map(|found| GrepMatch {
                path: found.path,
                line: found.line,
                text: found.text,
            })
            .collect();
        Ok(Found { items, truncated })
    }
}
