//! Stand-ins for what is outside of the surface: models, sandboxes, a vendor, the event feed.

use crate::fake_sprite::{self, Kept};
use async_trait::async_trait;
use bytes::Bytes;
use crypto::{digest, new_token, token_hash};
use domain::{
    channel::{Attachment, Place, Press},
    id::{JobId, SpriteSessionId, TenantId},
    model::ModelRef,
    provider::ProviderKind,
    secret::Secret,
    sprite::{SandboxTier, SpriteKey},
};
use futures_util::{StreamExt, stream};
use ports::{
    channel::{
        Channel, ChannelAccount, ChannelError, ChannelFactory, ChannelSettings, Delivery,
        IngressMode, InvalidSettings, Polled, Received, WebhookError, WebhookHeaders,
    },
    inference::{
        Connector, Inference, InferenceError, InvalidConnection, KnownModel, ModelProfile,
        ModelRequest, ModelStream, Models, ProviderFacts, ResolvedModel, ToolSpec, UnknownProvider,
    },
    ingest::{Accept, Accepted, IngestQueue},
    live::{CommitListener, Committed, Delta, EventFeed, Live, LiveStream},
    sandbox::{
        DirectoryEntry, ExecOutcome, ExecRequest, Found, GrepMatch, GrepRequest, OutputSink,
        Sandbox, SandboxBackend, SandboxError, SandboxHost, SandboxReport, Sprite, SpriteReport,
        SpriteStatus,
    },
    secrets::Secrets,
    store::{Store, StoreError},
};
use serde_json::{Map, Value};
use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard},
};
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

pub(crate) struct OneModel;

pub(crate) fn tool(name: &'static str) -> ToolSpec {
    ToolSpec {
        name,
        description: "A tool.",
        parameters: Value::Null,
        read_only: true,
    }
}

#[async_trait]
impl Inference for OneModel {
    async fn ask(&self, _request: ModelRequest) -> Result<ModelStream, InferenceError> {
        Err(InferenceError::Unavailable {
            provider: "demo".to_owned(),
            message: "nobody is there".to_owned(),
        })
    }
}

/// Reaches itself, whoever was meant.
impl Connector for OneModel {
    fn own(&self) -> Vec<ProviderFacts> {
        let own = self.providers().into_iter().map(|name| ProviderFacts {
            name,
            kind: ProviderKind::Demo,
            base_url: None,
            has_key: false,
        });
        own.collect()
    }

    fn connect(
        &self,
        _provider: &ProviderFacts,
        _key: Option<Secret>,
    ) -> Result<Arc<dyn Inference>, InvalidConnection> {
        Ok(Arc::new(Self))
    }

    fn profile(&self, _kind: ProviderKind, _model: &ModelRef) -> ModelProfile {
        profile()
    }

    fn known(&self, provider: &ProviderFacts) -> Vec<KnownModel> {
        let model = self.default_model();
        let is_own = model.provider() == provider.name;
        let known = is_own.then(|| KnownModel {
            profile: self.profile(provider.kind, &model),
            priced: true,
            model,
        });
        known.into_iter().collect()
    }
}

fn profile() -> ModelProfile {
    ModelProfile {
        price: domain::model::Price::default(),
        context_tokens: 1_000,
        max_output_tokens: 1_000,
        thinking_tokens: None,
    }
}

impl Models for OneModel {
    fn default_model(&self) -> ModelRef {
        ModelRef::parse("demo/scripted").unwrap()
    }

    fn resolve(&self, model: &ModelRef) -> Result<ResolvedModel, UnknownProvider> {
        if model.provider() != "demo" {
            return Err(UnknownProvider {
                provider: model.provider().to_owned(),
                configured: self.providers(),
            });
        }
        Ok(ResolvedModel {
            model: model.clone(),
            profile: profile(),
            inference: Arc::new(Self),
        })
    }

    fn providers(&self) -> Vec<String> {
        vec!["demo".to_owned()]
    }
}

/// Sprites of which nothing is known but the shells that run there; they are awake while there are any.
#[derive(Clone, Default)]
pub(crate) struct Shells(
    pub(crate) Arc<Mutex<Vec<SpriteSessionId>>>,
    Arc<Mutex<Kept>>,
);

impl Shells {
    pub(crate) fn kept(&self) -> MutexGuard<'_, Kept> {
        self.1.lock().unwrap()
    }
}

#[async_trait]
impl SandboxHost for Shells {
    fn report(&self) -> SandboxReport {
        SandboxReport {
            backend: SandboxBackend::Local(SandboxTier::Landlock),
            missing: vec!["bubblewrap".to_owned()],
        }
    }

    async fn open(&self, sprite: SpriteKey) -> Result<Arc<dyn Sandbox>, SandboxError> {
        let status = self.inspect(sprite).await?.status;
        assert_ne!(status, SpriteStatus::Cold, "the surface wakes no sprite");
        Ok(Arc::new(self.clone()))
    }

    fn sprite(&self, _sprite: SpriteKey) -> Arc<dyn Sprite> {
        Arc::new(self.clone())
    }

    async fn destroy(&self, _sprite: SpriteKey) -> Result<(), SandboxError> {
        self.0.lock().unwrap().clear();
        Ok(())
    }

    async fn inspect(&self, _sprite: SpriteKey) -> Result<SpriteReport, SandboxError> {
        let shells = self.0.lock().unwrap().clone();
        Ok(SpriteReport {
            provisioned: !shells.is_empty(),
            status: if shells.is_empty() {
                SpriteStatus::Cold
            } else {
                SpriteStatus::Running
            },
            disk_bytes: Some(0),
            disk_limit: None,
            shells,
        })
    }

    async fn shutdown(&self) {}
}

#[async_trait]
impl Sandbox for Shells {
    async fn exec(&self, _: ExecRequest, _: &dyn OutputSink) -> Result<ExecOutcome, SandboxError> {
        panic!("{NO_HANDS}")
    }

    async fn close_shell(&self, shell: SpriteSessionId) -> Result<(), SandboxError> {
        self.0.lock().unwrap().retain(|running| *running != shell);
        Ok(())
    }

    async fn read_file(&self, path: &str, _: u64) -> Result<Bytes, SandboxError> {
        fake_sprite::read(path)
    }

    async fn write_file(&self, _: &str, _: Bytes) -> Result<(), SandboxError> {
        panic!("{NO_HANDS}")
    }

    async fn list_directory(&self, path: &str) -> Result<Vec<DirectoryEntry>, SandboxError> {
        fake_sprite::list(path)
    }

    async fn create_directory(&self, _: &str) -> Result<(), SandboxError> {
        panic!("{NO_HANDS}")
    }

    async fn glob(&self, _: &str, _: &str, _: usize) -> Result<Found<String>, SandboxError> {
        panic!("{NO_HANDS}")
    }

    async fn grep(&self, _: GrepRequest) -> Result<Found<GrepMatch>, SandboxError> {
        panic!("{NO_HANDS}")
    }
}

const NO_HANDS: &str = "the surface ends shells, looks at files and does nothing else in a sandbox";

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
