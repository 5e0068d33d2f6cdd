//! What is outside of the engine: a model that says what it is told to, a channel that remembers what it was
//! given, a tool that waits to be let go, and secrets that are none.

use async_trait::async_trait;
use bytes::Bytes;
use domain::{
    channel::{Attachment, Place, Press},
    message::{Arguments, Content},
    model::{ModelRef, Price, StopReason},
    secret::Secret,
    sprite::{SandboxTier, SpriteKey},
};
use futures_util::stream;
use ports::{
    channel::{
        Channel, ChannelAccount, ChannelError, ChannelFactory, ChannelSettings, Delivery,
        IngressMode, InvalidSettings, Polled, Received, WebhookError, WebhookHeaders,
    },
    cipher::{Cipher, CipherError, SealedPlace},
    inference::{
        Inference, InferenceError, ModelEvent, ModelProfile, ModelRequest, ModelStream,
        ResolvedModel, ToolSpec,
    },
    sandbox::{
        OutputStream, Sandbox, SandboxBackend, SandboxError, SandboxHost, SandboxReport, Sprite,
        SpriteReport,
    },
    secrets::Secrets,
    tool::{Tool, ToolContext, ToolOutcome},
};
use serde_json::{Map, Value, json};
use std::{
    collections::{BTreeMap, VecDeque},
    future::pending,
    sync::{Arc, Mutex},
};
use test_kit::models::OneModel;
use tokio::sync::Semaphore;

/// What a model answers.
#[derive(Clone)]
pub(crate) enum Answer {
    /// These pieces of text.
    Says(Vec<&'static str>),
    /// It asks for the tool.
    Works,
    /// It asks for these tools at once.
    Calls(Vec<(&'static str, Value)>),
}

/// The one model there is, which gives these answers one after the other.
pub(crate) fn told(answers: &[Answer]) -> OneModel {
    OneModel(ResolvedModel {
        model: ModelRef::parse("told/model").unwrap(),
        profile: ModelProfile {
            price: Price::default(),
            context_tokens: 100_000,
            max_output_tokens: 1_000,
            thinking_tokens: None,
        },
        inference: Arc::new(Told(Mutex::new(answers.iter().cloned().collect()))),
    })
}

struct Told(Mutex<VecDeque<Answer>>);

#[async_trait]
impl Inference for Told {
    async fn ask(&self, _request: ModelRequest) -> Result<ModelStream, InferenceError> {
        let answer = self.0.lock().unwrap().pop_front();
        let events = match answer.unwrap_or(Answer::Says(vec!["nothing"])) {
            Answer::Says(pieces) => {
                let text = pieces.concat();
                let deltas = pieces.into_iter();
                let deltas = deltas.map(|piece| ModelEvent::TextDelta(piece.to_owned()));
                let end = [
                    ModelEvent::Part(Content::Text { text }),
                    ModelEvent::Stop(StopReason::EndTurn),
                ];
                deltas.chain(end).collect()
            }
            Answer::Calls(calls) => {
                let calls = calls.into_iter().zip(1..).map(|((name, value), n)| {
                    ModelEvent::Part(Content::ToolCall {
                        id: format!("call {n}"),
                        name: name.to_owned(),
                        arguments: Arguments::Valid { value },
                    })
                });
                calls
                    .chain([ModelEvent::Stop(StopReason::ToolUse)])
                    .collect()
            }
            Answer::Works => vec![
                ModelEvent::Part(Content::ToolCall {
                    id: "call".to_owned(),
                    name: "work".to_owned(),
                    arguments: Arguments::Valid { value: json!({}) },
                }),
                ModelEvent::Stop(StopReason::ToolUse),
            ],
        };
        Ok(Box::pin(stream::iter(events.into_iter().map(Ok))))
    }
}

/// Remembers every delivery, oldest first, and numbers them.
#[derive(Clone, Default)]
pub(crate) struct Line(pub(crate) Arc<Mutex<Vec<Delivery>>>);

impl ChannelFactory for Line {
    fn secret_fields(&self) -> &'static [&'static str] {
        &[]
    }

    fn check(
        &self,
        config: Map<String, Value>,
        _generate: &dyn Fn() -> Secret,
    ) -> Result<ChannelSettings, InvalidSettings> {
        Ok(ChannelSettings {
            public: config,
            secrets: BTreeMap::new(),
        })
    }

    fn connect(&self, _settings: &ChannelSettings) -> Result<Arc<dyn Channel>, InvalidSettings> {
        Ok(Arc::new(self.clone()))
    }
}

#[async_trait]
impl Channel for Line {
    fn mode(&self) -> IngressMode {
        IngressMode::Polling
    }

    fn receive(&self, _headers: &WebhookHeaders, _body: &[u8]) -> Result<Received, WebhookError> {
        Ok(Received::default())
    }

    async fn answer(&self, _press: &Press, _text: &str) -> Result<(), ChannelError> {
        Ok(())
    }

    async fn poll(&self, _cursor: Option<String>) -> Result<Polled, ChannelError> {
        pending().await
    }

    async fn register(&self, _url: Option<String>) -> Result<(), ChannelError> {
        Ok(())
    }

    async fn test(&self) -> Result<ChannelAccount, ChannelError> {
        Err(ChannelError::Refused("nobody asks".to_owned()))
    }

    async fn send(&self, delivery: &Delivery) -> Result<Option<String>, ChannelError> {
        let mut sent = self.0.lock().unwrap();
        sent.push(delivery.clone());
        Ok(Some(format!("m{}", sent.len())))
    }

    async fn typing(&self, _place: &Place) -> Result<(), ChannelError> {
        Ok(())
    }

    async fn download(&self, _attachment: &Attachment, _limit: u64) -> Result<Bytes, ChannelError> {
        Err(ChannelError::Refused("there are no files".to_owned()))
    }
}

/// Shows pieces of output, and ends once it may.
pub(crate) struct Work {
    spec: ToolSpec,
    output: &'static [&'static str],
    go: Arc<Semaphore>,
}

impl Work {
    pub(crate) fn new(output: &'static [&'static str], go: &Arc<Semaphore>) -> Self {
        Self {
            spec: ToolSpec {
                name: "work",
                description: "Work.",
                parameters: json!({ "type": "object" }),
                read_only: true,
            },
            output,
            go: Arc::clone(go),
        }
    }
}

#[async_trait]
impl Tool for Work {
    fn spec(&self) -> &ToolSpec {
        &self.spec
    }

    async fn call(&self, context: &ToolContext<'_>, _arguments: Value) -> ToolOutcome {
        for piece in self.output {
            context
                .live
                .write(OutputStream::Stdout, piece.as_bytes())
                .await;
        }
        self.go.acquire().await.unwrap().forget();
        ToolOutcome::ok(self.output.concat())
    }
}

/// There are none.
pub(crate) struct NoSprites;

#[async_trait]
impl SandboxHost for NoSprites {
    fn report(&self) -> SandboxReport {
        SandboxReport {
            backend: SandboxBackend::Local(SandboxTier::Plain),
            missing: Vec::new(),
        }
    }

    async fn open(&self, _sprite: SpriteKey) -> Result<Arc<dyn Sandbox>, SandboxError> {
        Err(SandboxError::Unavailable("there are none".to_owned()))
    }

    fn sprite(&self, _sprite: SpriteKey) -> Arc<dyn Sprite> {
        unreachable!("no tool here leaves anything running")
    }

    async fn destroy(&self, _sprite: SpriteKey) -> Result<(), SandboxError> {
        Ok(())
    }

    async fn inspect(&self, _sprite: SpriteKey) -> Result<SpriteReport, SandboxError> {
        Err(SandboxError::Unavailable("there are none".to_owned()))
    }

    async fn shutdown(&self) {}
}

/// Nothing here is secret.
pub(crate) struct Plain;

impl Cipher for Plain {
    fn seal(&self, _place: SealedPlace<'_>, secret: &Secret) -> String {
        secret.expose().to_owned()
    }

    fn open(&self, _place: SealedPlace<'_>, sealed: &str) -> Result<Secret, CipherError> {
        Ok(Secret::new(sealed))
    }

    fn is_current(&self, _sealed: &str) -> bool {
        true
    }
}

impl Secrets for Plain {
    fn generate(&self) -> Secret {
        Secret::new("generated")
    }

    fn hash(&self, token: &Secret) -> String {
        token.expose().to_owned()
    }

    fn digest(&self, content: &[u8]) -> String {
        let sum = content.iter().map(|byte| u64::from(*byte)).sum::<u64>();
        format!("{sum:064x}")
    }
}
