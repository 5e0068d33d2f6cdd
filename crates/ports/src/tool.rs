//! Tools: what an agent can do with its hands.

use crate::{
    inference::ToolSpec,
    sandbox::{OutputSink, Sandbox, SandboxError},
};
use async_trait::async_trait;
use bytes::Bytes;
use domain::{
    access::Role,
    id::{BackgroundProcessId, JobId, SpriteSessionId},
    sprite::BackgroundProcess,
};
use serde_json::{Map, Value};
use std::{sync::Arc, time::Duration};

/// Gives a tool the agent's sprite, waking or provisioning it only when a tool really asks.
#[async_trait]
pub trait SandboxAccess: Send + Sync {
    /// The sprite.
    async fn sandbox(&self) -> Result<Arc<dyn Sandbox>, SandboxError>;

    /// The job's own shell in it; recorded when first asked for.
    async fn shell(&self) -> Result<SpriteSessionId, SandboxError>;

    /// Runs a script in the job's shell before that is closed, whatever becomes of the job; one that
    /// was given before is not run twice.
    fn at_end(&self, script: String);
}

/// Commands that go on when the job has ended. They belong to the agent's conversation: its later
/// jobs see them, other conversations do not.
#[async_trait]
pub trait BackgroundAccess: Send + Sync {
    /// Starts bash source; `directory` is home when absent.
    async fn start(
        &self,
        command: &str,
        directory: Option<&str>,
    ) -> Result<BackgroundProcess, SandboxError>;

    /// Those of this conversation, newest first.
    async fn list(&self) -> Result<Vec<BackgroundProcess>, SandboxError>;

    /// How one stands and the last of its output.
    async fn output(
        &self,
        process: BackgroundProcessId,
    ) -> Result<(BackgroundProcess, String), SandboxError>;

    /// Ends one and all it started. One that has ended already stays as it is.
    async fn stop(&self, process: BackgroundProcessId) -> Result<BackgroundProcess, SandboxError>;
}

/// Fetches files that came with the messages of the job; nothing is downloaded before a tool asks.
#[async_trait]
pub trait AttachmentAccess: Send + Sync {
    /// The bytes behind the reference the model was shown; the error is in words for the model.
    async fn fetch(&self, reference: &str) -> Result<Bytes, String>;
}

/// What a tool call may use.
pub struct ToolContext<'a> {
    /// The job it runs in.
    pub job_id: JobId,
    /// The agent's sprite.
    pub sandbox: &'a dyn SandboxAccess,
    /// What runs on in it.
    pub background: &'a dyn BackgroundAccess,
    /// Files that came with the job's messages.
    pub attachments: &'a dyn AttachmentAccess,
    /// Output for people who watch; what the model reads is in the outcome.
    pub live: &'a dyn OutputSink,
}

/// What a tool answers.
#[derive(Clone, Debug, PartialEq)]
pub struct ToolOutcome {
    /// What the model reads.
    pub text: String,
    /// Whether the call failed.
    pub is_error: bool,
    /// Structured facts for programs and the UI, as a JSON object: exit code, diff, cut bytes.
    pub detail: Map<String, Value>,
    /// What people are to be asked before the call has its result; the job waits for them.
    pub asks: Option<Question>,
}

/// A question to people.
#[derive(Clone, Debug, PartialEq)]
pub struct Question {
    /// The question.
    pub question: String,
    /// What would be done, as a JSON object.
    pub action: Value,
    /// How long it stays open.
    pub open_for: Duration,
    /// The lowest role that may answer.
    pub min_role: Role,
}

impl ToolOutcome {
    /// An answer.
    pub fn ok(text: impl Into<String>) -> Self {
        Self {
            text: text.into(),
            is_error: false,
            detail: Map::new(),
            asks: None,
        }
    }

    /// A failure the model can read and react to.
    pub fn error(text: impl Into<String>) -> Self {
        Self {
            text: text.into(),
            is_error: true,
            detail: Map::new(),
            asks: None,
        }
    }

    /// No answer yet: people are asked first.
    pub fn ask(question: Question) -> Self {
        Self {
            asks: Some(question),
            ..Self::ok(String::new())
        }
    }

    /// The same outcome with one more fact.
    #[must_use]
    pub fn with(mut self, key: &str, value: impl Into<Value>) -> Self {
        self.detail.insert(key.to_owned(), value.into());
        self
    }
}

/// Something an agent can do. Failures are outcomes, not errors: the model decides what to do next.
#[async_trait]
pub trait Tool: Send + Sync {
    /// What the model is told.
    fn spec(&self) -> &ToolSpec;

    /// Does it. `arguments` is a JSON object, not yet checked against the schema. Dropping the
    /// future cancels whatever it started.
    async fn call(&self, context: &ToolContext<'_>, arguments: Value) -> ToolOutcome;
}
