//! A sprite that is awake: each operation of the port is one request to its supervisor. It never
//! touches the sprite's files itself.

use crate::{
    keeper::Keeper,
    launch::Started,
    link::{Link, Piece, unexpected},
    protocol::{Reply, Request, WireEntry, WireMatch},
};
use async_trait::async_trait;
use bytes::Bytes;
use domain::id::SpriteSessionId;
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
use tokio::{sync::OwnedSemaphorePermit, time::Instant};

/// A sprite with a supervisor.
pub(crate) struct LocalSprite {
    link: Arc<Link>,
    keeper: Keeper,
    home: String,
    busy: AtomicUsize,
    used: Mutex<Instant>,
    shells: Mutex<BTreeSet<SpriteSessionId>>,
    /// Its place among those that may be awake.
    place: Mutex<Option<OwnedSemaphorePermit>>,
}

impl LocalSprite {
    pub(crate) fn new(started: Started, place: Option<OwnedSemaphorePermit>) -> Self {
        Self {
            link: started.link,
            keeper: started.keeper,
            home: started.home,
            busy: AtomicUsize::new(0),
            used: Mutex::new(Instant::now()),
            shells: Mutex::default(),
            place: Mutex::new(place),
        }
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

    async fn simple(&self, request: Request, body: Bytes) -> Result<(), SandboxError> {
        let _using = self.using();
        let (_, reply) = self.link.call(request, body)?.collect(0).await?;
        match reply {
            Reply::Done => Ok(()),
            other => Err(unexpected(&other)),
        }
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
    fn home(&self) -> &str {
        &self.home
    }

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
        loop {
            match call.next().await? {
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
        self.simple(Request::CloseShell { shell }, Bytes::new())
            .await
    }

    async fn read_file(&self, path: &str, limit: u64) -> Result<Bytes, SandboxError> {
        let _using = self.using();
        let path = path.to_owned();
        let call = self
            .link
            .call(Request::Read { path, limit }, Bytes::new())?;
        let limit = usize::try_from(limit).unwrap_or(usize::MAX);
        match call.collect(limit).await? {
            (bytes, Reply::Done) => Ok(bytes),
            (_, other) => Err(unexpected(&other)),
        }
    }

    async fn write_file(&self, path: &str, content: Bytes) -> Result<(), SandboxError> {
        let path = path.to_owned();
        self.simple(Request::Write { path }, content).await
    }

    async fn list_directory(&self, path: &str) -> Result<Vec<DirectoryEntry>, SandboxError> {
        let _using = self.using();
        let path = path.to_owned();
        let call = self.link.call(Request::List { path }, Bytes::new())?;
        let (entries, _) = call.list::<WireEntry>().await?;
        Ok(entries
            .into_iter()
            .map(|entry| DirectoryEntry {
                name: entry.name,
                kind: entry.kind.into(),
                bytes: entry.bytes,
            })
            .collect())
    }

    async fn create_directory(&self, path: &str) -> Result<(), SandboxError> {
        let path = path.to_owned();
        self.simple(Request::MakeDirectory { path }, Bytes::new())
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
        let (items, truncated) = self.link.call(request, Bytes::new())?.list().await?;
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
        let (found, truncated) = call.list::<WireMatch>().await?;
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
