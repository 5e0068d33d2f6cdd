//! Stand-ins for what is outside of the surface, but for sprites: a model, a vendor, the event feed.

use async_trait::async_trait;
use bytes::Bytes;
use crypto::{digest, new_token, token_hash};
use domain::{
    channel::{Attachment, Place, Press},
    id::{JobId, TenantId},
    model::{ModelRef, Price},
    secret::Secret,
};
use futures_util::{StreamExt, stream};
use ports::{
    channel::{
        Channel, ChannelAccount, ChannelError, ChannelFactory, ChannelSettings, Delivery,
        IngressMode, InvalidSettings, Polled, Received, WebhookError, WebhookHeaders,
    },
    inference::{
        Inference, InferenceError, ModelProfile, ModelRequest, ModelStream, ResolvedModel, ToolSpec,
    },
    ingest::{Accept, Accepted, IngestQueue},
    live::{CommitListener, Committed, Delta, EventFeed, Live, LiveStream},
    secrets::Secrets,
    store::{Store, StoreError},
};
use serde_json::{Map, Value};
use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
};
use test_kit::models::OneModel;
use tokio::sync::broadcast;

pub(crate) struct Tokens;

impl Secrets for Tokens {
    fn generate(&self) -> Secret {
        new_token()
    }

    fn hash(&self, token: &Secret) -> String {
        token_hash(token.expose())
    }

    fn digest(&self, content: &[u8]) -> String {
        digest(content)
    }
}

/// Takes in at once, without a queue.
pub(crate) struct Direct(pub(crate) Arc<dyn Store>);

#[async_trait]
impl IngestQueue for Direct {
    async fn accept(&self, batch: Vec<Accept>) -> Result<Vec<Accepted>, StoreError> {
        self.0.ingest(batch).await
    }
}

/// The one model there is; nobody answers for it.
pub(crate) fn silent() -> OneModel {
    OneModel(ResolvedModel {
        model: ModelRef::parse("demo/scripted").unwrap(),
        profile: ModelProfile {
            price: Price::default(),
            context_tokens: 1_000,
            max_output_tokens: 1_000,
            thinking_tokens: None,
        },
        inference: Arc::new(Nobody),
    })
}

struct Nobody;

#[async_trait]
impl Inference for Nobody {
    async fn ask(&self, _request: ModelRequest) -> Result<ModelStream, InferenceError> {
        Err(InferenceError::Unavailable {
            provider: "demo".to_owned(),
            message: "nobody is there".to_owned(),
        })
    }
}

pub(crate) fn tool(name: &'static str) -> ToolSpec {
    ToolSpec {
        name,
        description: "A tool.",
        parameters: Value::Null,
        read_only: true,
    }
}

/// A vendor whose webhook body is one message and whose signature is the plain secret.
pub(crate) struct Vendor;

impl ChannelFactory for Vendor {
    fn secret_fields(&self) -> &'static [&'static str] {
        &["bot_token", "webhook_secret"]
    }

    fn check(
        &self,
        mut config: Map<String, Value>,
        generate: &dyn Fn() -> Secret,
    ) -> Result<ChannelSettings, InvalidSettings> {
        let refused = |field: &str, message: &str| InvalidSettings {
            field: field.to_owned(),
            message: message.to_owned(),
        };
        let mut take = |field: &str| match config.remove(field) {
            Some(Value::String(text)) => Ok(Some(Secret::new(text))),
            Some(_) => Err(refused(field, "must be text")),
            None => Ok(None),
        };
        let token = take("bot_token")?.ok_or_else(|| refused("bot_token", "is needed"))?;
        let secret = take("webhook_secret")?.unwrap_or_else(generate);
        Ok(ChannelSettings {
            public: config,
            secrets: BTreeMap::from([
                ("bot_token".to_owned(), token),
                ("webhook_secret".to_owned(), secret),
            ]),
        })
    }

    fn connect(&self, settings: &ChannelSettings) -> Result<Arc<dyn Channel>, InvalidSettings> {
        let account = settings.public.get("account").and_then(Value::as_str);
        Ok(Arc::new(Connected {
            account: account.map(str::to_owned),
            token: settings.secrets["bot_token"].clone(),
            secret: settings.secrets["webhook_secret"].clone(),
        }))
    }
}

struct Connected {
    account: Option<String>,
    token: Secret,
    secret: Secret,
}

#[async_trait]
impl Channel for Connected {
    fn mode(&self) -> IngressMode {
        IngressMode::Polling
    }

    fn receive(&self, headers: &WebhookHeaders, body: &[u8]) -> Result<Received, WebhookError> {
        if headers.get("x-secret").map(String::as_str) != Some(self.secret.expose()) {
            return Err(WebhookError::Unauthenticated);
        }
        serde_json::from_slice(body)
            .map(|message| Received {
                messages: vec![message],
                presses: Vec::new(),
            })
            .map_err(|error| WebhookError::Malformed(error.to_string()))
    }

    async fn answer(&self, _press: &Press, _text: &str) -> Result<(), ChannelError> {
        panic!("nobody presses anything")
    }

    async fn poll(&self, _cursor: Option<String>) -> Result<Polled, ChannelError> {
        panic!("the surface polls nobody")
    }

    async fn register(&self, _url: Option<String>) -> Result<(), ChannelError> {
        Ok(())
    }

    async fn test(&self) -> Result<ChannelAccount, ChannelError> {
        match &self.account {
            Some(name) => Ok(ChannelAccount {
                name: name.clone(),
                warnings: Vec::new(),
            }),
            None => Err(ChannelError::Refused(format!(
                "Unauthorized: /bot{}/getMe",
                self.token.expose()
            ))),
        }
    }

    async fn send(&self, _delivery: &Delivery) -> Result<Option<String>, ChannelError> {
        panic!("the surface sends nothing")
    }

    async fn typing(&self, _place: &Place) -> Result<(), ChannelError> {
        Ok(())
    }

    async fn download(&self, _attachment: &Attachment, _limit: u64) -> Result<Bytes, ChannelError> {
        panic!("the surface downloads nothing")
    }
}

/// A feed that tests can feed and interrupt. What is in `open` comes first to every new reader.
pub(crate) struct Feed {
    live: broadcast::Sender<Live>,
    pub(crate) open: Mutex<Vec<Delta>>,
}

impl Default for Feed {
    fn default() -> Self {
        Self {
            live: broadcast::Sender::new(1_000),
            open: Mutex::default(),
        }
    }
}

impl Feed {
    pub(crate) fn push(&self, item: Live) {
        // Nobody may be listening yet.
        let _readers = self.live.send(item);
    }

    pub(crate) fn readers(&self) -> usize {
        self.live.receiver_count()
    }
}

impl EventFeed for Feed {
    fn subscribe(&self, tenant: TenantId, job: Option<JobId>) -> LiveStream {
        let open: Vec<Live> = self
            .open
            .lock()
            .unwrap()
            .iter()
            .cloned()
            .map(Live::Delta)
            .collect();
        let live = stream::unfold(self.live.subscribe(), |mut live| async move {
            match live.recv().await {
                Ok(item) => Some((item, live)),
                Err(broadcast::error::RecvError::Lagged(_)) => Some((Live::Lagged, live)),
                Err(broadcast::error::RecvError::Closed) => None,
            }
        });
        let ours = move |item: &Live| match item {
            Live::Event(event) => {
                event.tenant_id == tenant && job.is_none_or(|j| j == event.job_id)
            }
            Live::Delta(delta) => {
                delta.tenant_id == tenant && job.is_none_or(|j| j == delta.job_id)
            }
            Live::Moved(moved) => *moved == tenant,
            Live::Work(changed) => job.is_none() && *changed == tenant,
            Live::Lagged => true,
        };
        Box::pin(stream::iter(open).chain(live).filter(move |item| {
            let ours = ours(item);
            async move { ours }
        }))
    }

    fn delta(&self, delta: Delta) {
        self.push(Live::Delta(delta));
    }
}

impl CommitListener for Feed {
    fn committed(&self, committed: Committed) {
        for event in committed.events {
            self.push(Live::Event(event));
        }
        for tenant in committed.work {
            self.push(Live::Work(tenant));
        }
    }
}
