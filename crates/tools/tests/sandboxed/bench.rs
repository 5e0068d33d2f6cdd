//! One sandbox with the tools around it, and a stand-in for what else a job has.

use async_trait::async_trait;
use bytes::Bytes;
use domain::{
    id::{AgentId, BackgroundProcessId, ConversationId, JobId, SpriteSessionId, TenantId},
    sprite::{BackgroundProcess, BackgroundStatus, SandboxTier, SpriteKey},
};
use ports::{
    sandbox::{OutputSink, OutputStream, Sandbox, SandboxError, SandboxHost as _},
    tool::{AttachmentAccess, BackgroundAccess, SandboxAccess, Tool, ToolContext, ToolOutcome},
};
use serde_json::Value;
use sprites_local::{LocalHost, LocalSettings};
use std::sync::{Arc, Mutex};
use tempfile::TempDir;
use uuid::Uuid;

pub(crate) struct Bench {
    _directory: TempDir,
    _host: LocalHost,
    pub(crate) sandbox: Arc<dyn Sandbox>,
    tools: Vec<Arc<dyn Tool>>,
    pub(crate) live: Live,
    pub(crate) at_end: Mutex<Vec<String>>,
    known: Mutex<Vec<BackgroundProcess>>,
}

#[derive(Default)]
pub(crate) struct Live(pub(crate) Mutex<Vec<u8>>);

#[async_trait]
impl OutputSink for Live {
    async fn write(&self, _stream: OutputStream, bytes: &[u8]) {
        self.0.lock().unwrap().extend_from_slice(bytes);
    }
}

#[async_trait]
impl SandboxAccess for Bench {
    async fn sandbox(&self) -> Result<Arc<dyn Sandbox>, SandboxError> {
        Ok(Arc::clone(&self.sandbox))
    }

    async fn shell(&self) -> Result<SpriteSessionId, SandboxError> {
        Ok(SpriteSessionId::from_uuid(Uuid::nil()))
    }

    fn at_end(&self, script: String) {
        self.at_end.lock().unwrap().push(script);
    }
}

/// Processes are the runtime's; here one is known.
#[async_trait]
impl BackgroundAccess for Bench {
    async fn start(
        &self,
        command: &str,
        directory: Option<&str>,
    ) -> Result<BackgroundProcess, SandboxError> {
        let mut started = self.known.lock().unwrap();
        let process = process(&format!("{command} in {directory:?}"));
        started.push(process.clone());
        Ok(process)
    }

    async fn list(&self) -> Result<Vec<BackgroundProcess>, SandboxError> {
        Ok(self.known.lock().unwrap().clone())
    }

    async fn output(
        &self,
        id: BackgroundProcessId,
    ) -> Result<(BackgroundProcess, String), SandboxError> {
        let known = self.known.lock().unwrap();
        let process = known.iter().find(|process| process.id == id).unwrap();
        Ok((process.clone(), format!("é{}end", "x".repeat(20_000))))
    }

    async fn stop(&self, id: BackgroundProcessId) -> Result<BackgroundProcess, SandboxError> {
        let mut known = self.known.lock().unwrap();
        let process = known.iter_mut().find(|process| process.id == id).unwrap();
        process.status = BackgroundStatus::Stopped;
        process.exit_code = Some(143);
        Ok(process.clone())
    }
}

fn process(command: &str) -> BackgroundProcess {
    BackgroundProcess {
        id: BackgroundProcessId::from_uuid(Uuid::from_u128(5)),
        tenant_id: TenantId::from_uuid(Uuid::nil()),
        agent_id: AgentId::from_uuid(Uuid::nil()),
        conversation_id: ConversationId::from_uuid(Uuid::nil()),
        job_id: JobId::from_uuid(Uuid::nil()),
        process: Some("1".to_owned()),
        command: command.to_owned(),
        status: BackgroundStatus::Running,
        exit_code: None,
        output: None,
        created_at: domain::Timestamp::default(),
        ended_at: None,
    }
}

#[async_trait]
impl AttachmentAccess for Bench {
    async fn fetch(&self, reference: &str) -> Result<Bytes, String> {
        match reference {
            "known" => Ok(Bytes::from_static(b"a\0b")),
            other => Err(format!("there is no `{other}`")),
        }
    }
}

impl Bench {
    pub(crate) async fn start() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let program = std::env::current_exe().unwrap();
        let arguments = [
            "--exact",
            "supervisor",
            "--ignored",
            "--nocapture",
            "--test-threads=1",
        ];
        let supervisor = std::iter::once(program.into())
            .chain(arguments.map(Into::into))
            .collect();
        let host = LocalHost::start(LocalSettings {
            min_tier: SandboxTier::Plain,
            force_tier: Some(SandboxTier::Plain),
            ..LocalSettings::new(directory.path().join("sprites"), supervisor)
        });
        let host = host.await.unwrap_or_else(|error| panic!("{error}"));
        let key = SpriteKey {
            tenant_id: TenantId::from_uuid(Uuid::nil()),
            agent_id: AgentId::from_uuid(Uuid::nil()),
        };
        Self {
            sandbox: host.open(key).await.unwrap(),
            _directory: directory,
            _host: host,
            tools: tools::standard(),
            live: Live::default(),
            at_end: Mutex::default(),
            known: Mutex::default(),
        }
    }

    pub(crate) async fn call(&self, tool: &str, arguments: Value) -> ToolOutcome {
        self.call_as(1, tool, arguments).await
    }

    pub(crate) async fn call_as(&self, job: u128, tool: &str, arguments: Value) -> ToolOutcome {
        let context = ToolContext {
            job_id: JobId::from_uuid(Uuid::from_u128(job)),
            sandbox: self,
            background: self,
            attachments: self,
            live: &self.live,
        };
        let tool = self
            .tools
            .iter()
            .find(|known| known.spec().name == tool)
            .unwrap();
        tool.call(&context, arguments).await
    }

    /// The text of a call that must succeed.
    pub(crate) async fn text(&self, tool: &str, arguments: Value) -> String {
        let outcome = self.call(tool, arguments).await;
        assert!(!outcome.is_error, "{}", outcome.text);
        outcome.text
    }

    /// The text of a call that must fail.
    pub(crate) async fn error(&self, tool: &str, arguments: Value) -> String {
        let outcome = self.call(tool, arguments).await;
        assert!(outcome.is_error, "{}", outcome.text);
        outcome.text
    }
}
