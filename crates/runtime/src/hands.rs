//! A job's hold on its agent's sprite: nothing is provisioned or woken before a tool asks.

use crate::{engine::Engine, live_text::LiveText};
use async_trait::async_trait;
use domain::{
    audit::{AuditActor, AuditActorKind, Change},
    id::{JobId, SpriteSessionId, TenantId},
    message::ToolCall,
    queue::Lane,
    sprite::{SpriteKey, SpriteSession, SpriteSessionStatus},
};
use ports::{
    live::{Delta, DeltaTarget, EventFeed},
    sandbox::{ExecRequest, OutputSink, OutputStream, Sandbox, SandboxError},
    store::{StoreError, StoreTx},
    tool::SandboxAccess,
};
use services::audit::{Author, note};
use std::{
    collections::BTreeSet,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};
use tokio::sync::OnceCell;

/// How much of one call's output is shown live, in bytes; the transcript has its own limit.
const LIVE_BYTES: usize = 1024 * 1024;

/// The sprite and the shell of one job.
pub(crate) struct Hands {
    engine: Arc<Engine>,
    lane: Lane,
    job: JobId,
    shell: OnceCell<SpriteSessionId>,
    /// Whether a shell may have been written down: the answer to a commit can be lost.
    asked: AtomicBool,
    /// What the shell runs before it is closed.
    at_end: Mutex<BTreeSet<String>>,
}

impl Hands {
    pub(crate) fn new(engine: Arc<Engine>, lane: Lane, job: JobId) -> Self {
        Self {
            engine,
            lane,
            job,
            shell: OnceCell::new(),
            asked: AtomicBool::new(false),
            at_end: Mutex::default(),
        }
    }

    /// The shell of a process that is gone went with it.
    pub(crate) async fn forget_lost(&self, tx: &dyn StoreTx) -> Result<(), StoreError> {
        let tenant = self.lane.tenant_id;
        if let Some(lost) = tx.sprite_sessions().open_of_job(tenant, self.job).await? {
            tx.sprite_sessions()
                .close(
                    tenant,
                    lost.id,
                    SpriteSessionStatus::Lost,
                    self.engine.now(),
                )
                .await?;
        }
        Ok(())
    }

    /// Writes that the shell ends with its job.
    pub(crate) async fn close_in(&self, tx: &dyn StoreTx) -> Result<(), StoreError> {
        match self.shell.get() {
            Some(shell) => {
                let closed = SpriteSessionStatus::Closed;
                tx.sprite_sessions()
                    .close(self.lane.tenant_id, *shell, closed, self.engine.now())
                    .await
            }
            None if self.asked.load(Ordering::SeqCst) => self.forget_lost(tx).await,
            None => Ok(()),
        }
    }

    /// Ends the shell and what it started.
    pub(crate) async fn close(&self) {
        let Some(shell) = self.shell.get() else {
            return;
        };
        let closed = match self.sandbox().await {
            Ok(sandbox) => {
                self.leave(sandbox.as_ref(), *shell).await;
                sandbox.close_shell(*shell).await
            }
            Err(error) => Err(error),
        };
        if let Err(error) = closed {
            tracing::warn!(job.id = %self.job, error = %ports::Causes(&error), "a shell could not be closed");
        }
    }

    /// Runs what tools left for the end; nobody reads what it says.
    async fn leave(&self, sandbox: &dyn Sandbox, shell: SpriteSessionId) {
        const PATIENCE: Duration = Duration::from_secs(20);
        let scripts = std::mem::take(&mut *lock(&self.at_end));
        for script in scripts {
            let request = ExecRequest {
                shell,
                script,
                timeout: PATIENCE,
            };
            if let Err(error) = sandbox.exec(request, &Unread).await {
                tracing::warn!(job.id = %self.job, error = %ports::Causes(&error), "a job's sprite could not be tidied up");
            }
        }
    }

    async fn record(&self) -> Result<SpriteSessionId, StoreError> {
        let session = SpriteSession {
            id: SpriteSessionId::from_uuid(self.engine.platform.ids.next()),
            tenant_id: self.lane.tenant_id,
            agent_id: self.lane.agent_id,
            job_id: self.job,
            instance: Some(self.engine.settings.instance.clone()),
            status: SpriteSessionStatus::Open,
            created_at: self.engine.now(),
            closed_at: None,
        };
        let tx = self.engine.write(self.lane.tenant_id).await?;
        tx.fenced(self.lane.tenant_id, self.lane.id, self.lane.fence)
            .await?;
        self.forget_lost(tx.as_ref()).await?;
        tx.sprite_sessions().insert(&session).await?;
        self.asked.store(true, Ordering::SeqCst);
        self.note(tx.as_ref(), &session).await?;
        crate::crash::point("shell.before_commit");
        tx.commit().await?;
        crate::crash::point("shell.after_commit");
        Ok(session.id)
    }
}

impl Hands {
    async fn note(&self, tx: &dyn StoreTx, session: &SpriteSession) -> Result<(), StoreError> {
        let by = Author {
            tenant: session.tenant_id,
            actor: AuditActor {
                kind: AuditActorKind::Agent,
                id: Some(session.agent_id.as_uuid()),
                name: None,
            },
            at: session.created_at,
            address: None,
            request_id: None,
        };
        let after = serde_json::json!({ "agent_id": session.agent_id, "job_id": session.job_id });
        let change = Change::to("shell.opened", "shell", session.id.as_uuid(), None);
        let secrets = self.engine.platform.secrets.as_ref();
        note(tx, secrets, by, change.between(None, Some(after))).await
    }
}

#[async_trait]
impl SandboxAccess for Hands {
    async fn sandbox(&self) -> Result<Arc<dyn Sandbox>, SandboxError> {
        let key = SpriteKey {
            tenant_id: self.lane.tenant_id,
            agent_id: self.lane.agent_id,
        };
        self.engine.platform.sandboxes.open(key).await
    }

    async fn shell(&self) -> Result<SpriteSessionId, SandboxError> {
        let recorded = self.shell.get_or_try_init(|| self.record()).await;
        recorded
            .copied()
            .map_err(|error| SandboxError::Unavailable(error.to_string()))
    }

    fn at_end(&self, script: String) {
        lock(&self.at_end).insert(script);
    }
}

/// Output that nobody reads.
struct Unread;

#[async_trait]
impl OutputSink for Unread {
    async fn write(&self, _stream: OutputStream, _bytes: &[u8]) {}
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Publishes a call's output as text while it comes. The two streams are shown as they interleave.
pub(crate) struct LiveOutput<'a> {
    engine: &'a Engine,
    tenant: TenantId,
    job: JobId,
    call: &'a str,
    written: Mutex<Written>,
}

#[derive(Default)]
struct Written {
    text: LiveText,
    /// The start of a character whose rest has not come yet, per stream.
    pending: [Vec<u8>; 2],
}

impl<'a> LiveOutput<'a> {
    pub(crate) fn new(engine: &'a Engine, call: &'a ToolCall) -> Self {
        let written = Mutex::default();
        Self {
            engine,
            tenant: call.tenant_id,
            job: call.job_id,
            call: &call.provider_call_id,
            written,
        }
    }
}

#[async_trait]
impl OutputSink for LiveOutput<'_> {
    async fn write(&self, stream: OutputStream, bytes: &[u8]) {
        crate::crash::point("tools.output");
        let mut written = lock(&self.written);
        if written.text.shown() >= LIVE_BYTES {
            return;
        }
        let [stdout, stderr] = &mut written.pending;
        let pending = match stream {
            OutputStream::Stdout => stdout,
            OutputStream::Stderr => stderr,
        };
        let text = decode(pending, bytes);
        let Some((offset, text)) = written.text.add(&self.engine.redactor, &text) else {
            return;
        };
        let target = DeltaTarget::ToolOutput(self.call.to_owned());
        self.engine.hub.delta(Delta {
            tenant_id: self.tenant,
            job_id: self.job,
            target,
            offset,
            text,
        });
    }
}

/// Decodes what is whole; a character cut at the end waits for its rest, anything invalid is replaced.
fn decode(pending: &mut Vec<u8>, bytes: &[u8]) -> String {
    pending.extend_from_slice(bytes);
    let mut text = String::with_capacity(pending.len());
    let mut rest = 0;
    for chunk in pending.utf8_chunks() {
        text.push_str(chunk.valid());
        rest += chunk.valid().len();
        let incomplete = rest + chunk.invalid().len() == pending.len() && chunk.invalid().len() < 4;
        match chunk.invalid() {
            [] => {}
            invalid if incomplete && may_continue(invalid) => break,
            invalid => {
                text.push(char::REPLACEMENT_CHARACTER);
                rest += invalid.len();
            }
        }
    }
    pending.drain(..rest);
    text
}

/// Whether these bytes are the start of a character that more bytes could complete.
fn may_continue(bytes: &[u8]) -> bool {
    std::str::from_utf8(bytes).is_err_and(|error| error.error_len().is_none())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn text_cut_anywhere_is_decoded_whole(text in "\\PC{0,40}", cuts in prop::collection::vec(0_usize..120, 0..6)) {
            let bytes = text.as_bytes();
            let mut cuts: Vec<usize> = cuts.into_iter().map(|c| c.min(bytes.len())).collect();
            cuts.extend([0, bytes.len()]);
            cuts.sort_unstable();
            let mut pending = Vec::new();
            let decoded: String = cuts.windows(2).map(|w| decode(&mut pending, &bytes[w[0]..w[1]])).collect();
            prop_assert_eq!(decoded, text);
            prop_assert!(pending.is_empty());
        }
    }

    #[test]
    fn bytes_that_are_no_text_are_replaced() {
        assert_eq!(decode(&mut Vec::new(), b"a\xffb"), "a\u{fffd}b");
    }
}
