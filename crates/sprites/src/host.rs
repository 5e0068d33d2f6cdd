//! The sprites of a service, one per key: made at their first use under a name that follows from
//! the key, and with a network policy that denies everything before anything runs in them.

use crate::{
    api::{Api, BadAddress},
    catalog::Catalog,
    error::SpritesError,
    network,
    process::Door,
    settings::SpritesSettings,
    sprite::{Place, RemoteSprite},
    wire::sprite::{CreateSprite, Sprite as Described, Status},
};
use async_trait::async_trait;
use domain::sprite::{NetworkPolicy, SpriteKey};
use ports::sandbox::{
    Sandbox, SandboxBackend, SandboxError, SandboxHost, SandboxReport, Sprite, SpriteReport,
    SpriteStatus,
};
use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};
use tokio::sync::OnceCell;
use tokio_util::{sync::CancellationToken, task::TaskTracker};

const HOME: &str = "/home/sprite";

/// The sprites of a service that speaks the Sprites API.
pub struct SpritesHost {
    inner: Arc<Inner>,
}

type Cell = Arc<OnceCell<Arc<Place>>>;

pub(crate) struct Inner {
    pub(crate) api: Arc<Api>,
    accept_open_network: bool,
    places: Mutex<HashMap<SpriteKey, Cell>>,
    tasks: TaskTracker,
    stop: CancellationToken,
}

/// What a sprite is called at the service.
pub(crate) fn name_of(key: SpriteKey) -> String {
    let agent = key.agent_id.as_uuid().simple().to_string();
    format!("nitejar-{}", agent.get(..24).unwrap_or(&agent))
}

impl SpritesHost {
    /// Asks nothing of the service yet.
    pub fn new(settings: SpritesSettings) -> Result<Self, BadAddress> {
        let inner = Inner {
            accept_open_network: settings.accept_open_network,
            api: Arc::new(Api::new(settings)?),
            places: Mutex::default(),
            tasks: TaskTracker::new(),
            stop: CancellationToken::new(),
        };
        Ok(Self {
            inner: Arc::new(inner),
        })
    }

    /// All sprites the token can see, also those that are not ours.
    pub fn catalog(&self) -> Catalog {
        Catalog::new(Arc::clone(&self.inner.api))
    }

    fn remote(&self, key: SpriteKey) -> RemoteSprite {
        RemoteSprite {
            inner: Arc::clone(&self.inner),
            key,
        }
    }
}

impl Inner {
    pub(crate) async fn place(&self, key: SpriteKey) -> Result<Arc<Place>, SandboxError> {
        if self.stop.is_cancelled() {
            return Err(SandboxError::Unavailable("it is shutting down".into()));
        }
        let cell = self.cell(key);
        let place = cell.get_or_try_init(|| self.make(key)).await?;
        Ok(Arc::clone(place))
    }

    fn cell(&self, key: SpriteKey) -> Cell {
        let mut places = self.places.lock().unwrap_or_else(PoisonError::into_inner);
        let cell = places.entry(key).or_default();
        if cell.get().is_some_and(|place| place.is_gone()) {
            *cell = Cell::default();
        }
        Arc::clone(cell)
    }

    /// The sprite if it was used here before.
    pub(crate) fn known(&self, key: SpriteKey) -> Option<Arc<Place>> {
        let places = self.places.lock().unwrap_or_else(PoisonError::into_inner);
        places.get(&key)?.get().cloned()
    }

    fn forget(&self, key: SpriteKey) -> Option<Arc<Place>> {
        let mut places = self.places.lock().unwrap_or_else(PoisonError::into_inner);
        places.remove(&key)?.get().cloned()
    }

    async fn make(&self, key: SpriteKey) -> Result<Arc<Place>, SandboxError> {
        let catalog = Catalog::new(Arc::clone(&self.api));
        let name = name_of(key);
        let wanted = CreateSprite {
            name: name.clone(),
            labels: vec![
                format!("tenant-{}", key.tenant_id),
                format!("agent-{}", key.agent_id),
            ],
            ..CreateSprite::default()
        };
        let (described, new) = match catalog.create(&wanted).await {
            Ok(described) => (described, true),
            Err(SpritesError::Conflict { .. }) => (catalog.get(&name).await?, false),
            Err(error) => return Err(error.into()),
        };
        self.wall_off(&name, new).await?;
        Ok(Arc::new(Place::new(self.door(&name), home_of(described))))
    }

    /// Denies a sprite everything unless somebody has decided otherwise. A sprite without any rule
    /// is one that nobody decided about: our own policies always have one.
    async fn wall_off(&self, name: &str, new: bool) -> Result<(), SandboxError> {
        if !new && !network::rules(&self.api, name).await?.is_empty() {
            return Ok(());
        }
        let denied = network::put(&self.api, name, &NetworkPolicy::default()).await;
        match denied {
            Ok(()) => Ok(()),
            Err(error @ SpritesError::Refused { .. }) if self.accept_open_network => {
                tracing::warn!(sprite = name, %error, "a sprite is not kept off the network");
                Ok(())
            }
            Err(error @ SpritesError::Refused { .. }) => {
                let text = format!(
                    "the service cannot keep the sprite off the network, so it is not used: {error}"
                );
                Err(SandboxError::Unavailable(text))
            }
            Err(error) => Err(error.into()),
        }
    }

    fn door(&self, name: &str) -> Door {
        Door {
            api: Arc::clone(&self.api),
            sprite: name.into(),
            tasks: self.tasks.clone(),
            stop: self.stop.clone(),
        }
    }
}

fn home_of(described: Described) -> String {
    described.home.unwrap_or_else(|| HOME.to_owned())
}

#[async_trait]
impl SandboxHost for SpritesHost {
    fn report(&self) -> SandboxReport {
        SandboxReport {
            backend: SandboxBackend::Sprites(self.inner.api.address().to_owned()),
            missing: Vec::new(),
        }
    }

    async fn open(&self, sprite: SpriteKey) -> Result<Arc<dyn Sandbox>, SandboxError> {
        self.inner.place(sprite).await?;
        Ok(Arc::new(self.remote(sprite)))
    }

    fn sprite(&self, sprite: SpriteKey) -> Arc<dyn Sprite> {
        Arc::new(self.remote(sprite))
    }

    async fn inspect(&self, sprite: SpriteKey) -> Result<SpriteReport, SandboxError> {
        let described = self.remote(sprite).described().await?;
        let shells = self.inner.known(sprite);
        Ok(SpriteReport {
            provisioned: described.is_some(),
            status: match described.as_ref().map(|described| described.status) {
                Some(Status::Running) => SpriteStatus::Running,
                Some(Status::Warm) => SpriteStatus::Warm,
                Some(Status::Cold | Status::Unknown) | None => SpriteStatus::Cold,
            },
            disk_bytes: described
                .as_ref()
                .and_then(|described| described.disk_bytes),
            disk_limit: described
                .as_ref()
                .and_then(|described| described.disk_limit),
            shells: shells.map_or_else(Vec::new, |place| place.shells.open()),
        })
    }

    async fn destroy(&self, sprite: SpriteKey) -> Result<(), SandboxError> {
        if let Some(place) = self.inner.forget(sprite) {
            place.shells.let_go();
        }
        let catalog = self.catalog();
        Ok(catalog.destroy(&name_of(sprite)).await?)
    }

    async fn shutdown(&self) {
        self.inner.stop.cancel();
        self.inner.tasks.close();
        self.inner.tasks.wait().await;
    }
}
