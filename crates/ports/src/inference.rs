//! Asking a model, with the answer as a stream.

use async_trait::async_trait;
use domain::{
    message::{Content, Part, Role},
    model::{ModelRef, Price, StopReason, Usage},
    provider::ProviderKind,
    secret::Secret,
};
use futures_core::Stream;
use serde_json::Value;
use std::{pin::Pin, sync::Arc, time::Duration};

/// What the model is told of a tool.
#[derive(Clone, Debug, PartialEq)]
pub struct ToolSpec {
    /// Unique, snake case.
    pub name: &'static str,
    /// What it does and when to use it, for the model.
    pub description: &'static str,
    /// JSON Schema of the arguments; an object.
    pub parameters: Value,
    /// Whether it changes nothing, so that it may run beside others and be run again.
    pub read_only: bool,
}

/// One entry of the prompt's history.
#[derive(Clone, Debug, PartialEq)]
pub struct Turn {
    /// Whose turn it is.
    pub role: Role,
    /// What was said. Every tool call is answered by exactly one result in the turn that follows.
    pub parts: Vec<Part>,
}

/// One question to a model.
#[derive(Clone, Debug, PartialEq)]
pub struct ModelRequest {
    /// The provider's own name of the model.
    pub model: String,
    /// Instructions; byte-stable within a job, so that providers can cache them.
    pub system: String,
    /// The history, oldest first.
    pub turns: Vec<Turn>,
    /// The tools it may ask for, sorted by name.
    pub tools: Vec<ToolSpec>,
    /// The most it may generate.
    pub max_output_tokens: i64,
    /// How many tokens it may think, when it can and should.
    pub thinking_tokens: Option<i64>,
}

/// A piece of the answer.
#[derive(Clone, Debug, PartialEq)]
pub enum ModelEvent {
    /// More of the text that is being written.
    TextDelta(String),
    /// More of the reasoning that is being written.
    ThinkingDelta(String),
    /// A finished piece, in order; what is kept. Deltas before it are only for watching.
    Part(Content),
    /// Tokens used so far; the last one counts. Providers that omit it are estimated by the adapter.
    Usage(Usage),
    /// The end. Nothing follows.
    Stop(StopReason),
}

/// The answer. It ends with [`ModelEvent::Stop`] or an error; ending without either is a
/// protocol error that adapters report as [`InferenceError::Interrupted`].
pub type ModelStream = Pin<Box<dyn Stream<Item = Result<ModelEvent, InferenceError>> + Send>>;

/// Why a model did not answer. Messages are safe to show: no keys, no bodies.
#[derive(Debug, thiserror::Error)]
pub enum InferenceError {
    /// 429, or the provider says it is overloaded.
    #[error("{provider} asks to slow down: {message}")]
    Busy {
        /// Who.
        provider: String,
        /// What it said.
        message: String,
        /// How long to wait, when it said so.
        retry_after: Option<Duration>,
    },
    /// 5xx, or no connection.
    #[error("{provider} cannot be reached: {message}")]
    Unavailable {
        /// Who.
        provider: String,
        /// What happened.
        message: String,
    },
    /// The stream broke off, stalled or made no sense.
    #[error("the answer of {provider} broke off: {message}")]
    Interrupted {
        /// Who.
        provider: String,
        /// What happened.
        message: String,
    },
    /// The provider will not do this, however often it is asked.
    #[error("{provider} refused the request ({status}): {message}")]
    Rejected {
        /// Who.
        provider: String,
        /// The HTTP status.
        status: u16,
        /// What it said.
        message: String,
    },
}

impl InferenceError {
    /// Whether asking again can help, and how long the provider wants us to wait.
    pub fn retry(&self) -> Option<Option<Duration>> {
        match self {
            Self::Busy { retry_after, .. } => Some(*retry_after),
            Self::Unavailable { .. } | Self::Interrupted { .. } => Some(None),
            Self::Rejected { .. } => None,
        }
    }
}

/// A model provider.
#[cfg_attr(feature = "mock", mockall::automock)]
#[async_trait]
pub trait Inference: Send + Sync {
    /// Asks and returns once the provider has accepted. Dropping the stream cancels the call.
    async fn ask(&self, request: ModelRequest) -> Result<ModelStream, InferenceError>;
}

/// What is known of a model.
#[derive(Clone, Debug, PartialEq)]
pub struct ModelProfile {
    /// What it costs; a cautious default where it is not known.
    pub price: Price,
    /// Tokens that fit into prompt and answer together.
    pub context_tokens: i64,
    /// The most it may generate in one answer.
    pub max_output_tokens: i64,
    /// How many tokens it may think; absent when it does not.
    pub thinking_tokens: Option<i64>,
}

/// A model ready to be asked.
#[derive(Clone)]
pub struct ResolvedModel {
    /// Its full name.
    pub model: ModelRef,
    /// What is known of it.
    pub profile: ModelProfile,
    /// Whom to ask.
    pub inference: Arc<dyn Inference>,
}

/// A model whose provider this server is not configured for.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("no model provider `{provider}` is configured; configured: {}", .configured.join(", "))]
pub struct UnknownProvider {
    /// The provider that was asked for.
    pub provider: String,
    /// Those that exist.
    pub configured: Vec<String>,
}

/// The models this server can ask.
pub trait Models: Send + Sync {
    /// The model of agents that name none.
    fn default_model(&self) -> ModelRef;

    /// Finds provider, price and limits of a model.
    fn resolve(&self, model: &ModelRef) -> Result<ResolvedModel, UnknownProvider>;

    /// The names of the configured providers, sorted.
    fn providers(&self) -> Vec<String>;
}

/// A provider as it is configured, without its key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProviderFacts {
    /// The part before the slash in `provider/model`.
    pub name: String,
    /// What it speaks.
    pub kind: ProviderKind,
    /// Where it is; the vendor's own address when absent.
    pub base_url: Option<String>,
    /// Whether it is given a key.
    pub has_key: bool,
}

/// A model that a provider is known to serve. It may serve others.
#[derive(Clone, Debug, PartialEq)]
pub struct KnownModel {
    /// Its full name.
    pub model: ModelRef,
    /// What is known of it.
    pub profile: ModelProfile,
    /// Whether its price is known; otherwise it is a cautious guess.
    pub priced: bool,
}

/// Settings no provider can be reached with. The message names the fault and never the key.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("{0}")]
pub struct InvalidConnection(pub String);

/// Reaches model providers that people add, at the prices of the server's own.
pub trait Connector: Send + Sync {
    /// The providers of the environment, by name.
    fn own(&self) -> Vec<ProviderFacts>;

    /// Prepares to ask a provider; does no I/O.
    fn connect(
        &self,
        provider: &ProviderFacts,
        key: Option<Secret>,
    ) -> Result<Arc<dyn Inference>, InvalidConnection>;

    /// What is known of a model of a provider.
    fn profile(&self, kind: ProviderKind, model: &ModelRef) -> ModelProfile;

    /// The models a provider is known to serve.
    fn known(&self, provider: &ProviderFacts) -> Vec<KnownModel>;
}
