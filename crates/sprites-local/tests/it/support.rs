//! Hosts and helpers for the tests.

use async_trait::async_trait;
use domain::{
    id::{AgentId, SpriteSessionId, TenantId},
    sprite::{SandboxTier, SpriteKey},
};
use ports::sandbox::{
    ExecOutcome, ExecRequest, Exit, OutputSink, OutputStream, Sandbox, SandboxError, SandboxHost,
};
use sprites_local::{LocalHost, LocalSettings, StartError};
use std::{
    path::Path,
    sync::{Arc, Mutex},
    time::Duration,
};
use tempfile::TempDir;
use tokio::sync::Notify;

pub(crate) const TENANT: u128 = 7;
pub(crate) const SHELL: u128 = 11;

/// A host in a directory of its own.
pub(crate) struct Bench {
    pub(crate) directory: TempDir,
    pub(crate) host: LocalHost,
    pub(crate) sandbox: Arc<dyn Sandbox>,
}

pub(crate) fn settings(root: &Path, tier: SandboxTier) -> LocalSettings {
    let supervisor = env!("CARGO_BIN_EXE_nitejar-supervisor").into();
    LocalSettings {
        min_tier: SandboxTier::Plain,
        force_tier: Some(tier),
        ..LocalSettings::new(root.join("sprites"), vec![supervisor])
    }
}

/// A host with one sprite awake, or `None` where the tier cannot be had.
pub(crate) async fn bench(tier: SandboxTier) -> Option<Bench> {
    bench_with(tier, |settings| settings).await
}

pub(crate) async fn bench_with(
    tier: SandboxTier,
    change: impl FnOnce(LocalSettings) -> LocalSettings,
) -> Option<Bench> {
    let directory = tempfile::tempdir().unwrap();
    let host = match LocalHost::start(change(settings(directory.path(), tier))).await {
        Ok(host) => host,
        Err(StartError::TierMissing { reasons, .. }) => {
            assert!(!required(tier), "{tier} is required: {reasons:?}");
            return None;
        }
        Err(error) => panic!("{error:?}"),
    };
    let sandbox = host.open(sprite(1)).await.unwrap();
    Some(Bench {
        directory,
        host,
        sandbox,
    })
}

#[expect(
    clippy::disallowed_methods,
    reason = "the test runner says what must be there"
)]
pub(crate) fn required(tier: SandboxTier) -> bool {
    let all = std::env::var("SANDBOX_REQUIRE").unwrap_or_default();
    all.split(',').any(|word| word == tier.as_str())
}

pub(crate) fn sprite(agent: u128) -> SpriteKey {
    SpriteKey {
        tenant_id: TenantId::from_uuid(uuid::Uuid::from_u128(TENANT)),
        agent_id: AgentId::from_uuid(uuid::Uuid::from_u128(agent)),
    }
}

pub(crate) fn shell(number: u128) -> SpriteSessionId {
    SpriteSessionId::from_uuid(uuid::Uuid::from_u128(number))
}

/// Keeps all output and tells when some comes.
#[derive(Default)]
pub(crate) struct Kept {
    pub(crate) stdout: Mutex<Vec<u8>>,
    pub(crate) stderr: Mutex<Vec<u8>>,
    pub(crate) came: Notify,
}

impl Kept {
    pub(crate) fn stdout(&self) -> String {
        String::from_utf8_lossy(&self.stdout.lock().unwrap()).into_owned()
    }

    pub(crate) fn stderr(&self) -> String {
        String::from_utf8_lossy(&self.stderr.lock().unwrap()).into_owned()
    }

    /// Waits until standard output contains a text.
    pub(crate) async fn until(&self, text: &str) {
        while !self.stdout().contains(text) {
            self.came.notified().await;
        }
    }
}

#[async_trait]
impl OutputSink for Kept {
    async fn write(&self, stream: OutputStream, bytes: &[u8]) {
        match stream {
            OutputStream::Stdout => self.stdout.lock().unwrap().extend_from_slice(bytes),
            OutputStream::Stderr => self.stderr.lock().unwrap().extend_from_slice(bytes),
        }
        self.came.notify_one();
    }
}

/// What `sleep 1000` becomes in scripts. Where sandboxes see each other's processes, those of
/// other tests must not be taken for ours.
pub(crate) fn nap() -> String {
    format!("sleep 1000.{}", std::process::id())
}

pub(crate) fn request(number: u128, script: &str) -> ExecRequest {
    ExecRequest {
        shell: shell(number),
        script: script.replace("sleep 1000", &nap()),
        timeout: Duration::from_secs(30),
    }
}

/// Runs a script in the usual shell.
pub(crate) async fn run(sandbox: &dyn Sandbox, script: &str) -> (ExecOutcome, Kept) {
    let kept = Kept::default();
    let outcome = sandbox.exec(request(SHELL, script), &kept).await.unwrap();
    (outcome, kept)
}

/// Runs a script that must end with 0 and gives its standard output.
pub(crate) async fn output(sandbox: &dyn Sandbox, script: &str) -> String {
    let (outcome, kept) = run(sandbox, script).await;
    let stderr = kept.stderr();
    assert_eq!(outcome.exit, Exit::Code(0), "{script}: {stderr}");
    kept.stdout()
}

pub(crate) fn refused<T: std::fmt::Debug>(result: Result<T, SandboxError>) -> String {
    match result {
        Err(SandboxError::Refused(text)) => text,
        other => panic!("not refused: {other:?}"),
    }
}
