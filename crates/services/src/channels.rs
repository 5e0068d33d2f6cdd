//! Connected channels by integration. Opens sealed settings, keeps what it connected until the
//! settings change, and remembers which integration a webhook path means. Does no I/O itself.

use crate::Error;
use domain::{
    Timestamp,
    channel::ChannelType,
    id::IntegrationId,
    integration::Integration,
    secret::{Redactor, Secret},
};
use ports::{
    channel::{Channel, ChannelFactory, ChannelSettings},
    cipher::{Cipher, CipherError, SealedPlace},
    live::{CommitListener, Committed},
    store::SystemStore,
};
use serde_json::{Map, Value};
use std::{
    collections::{BTreeMap, HashMap},
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

/// Connected channels, and how to connect more.
pub struct Channels {
    factories: BTreeMap<ChannelType, Arc<dyn ChannelFactory>>,
    cipher: Arc<dyn Cipher>,
    redactor: Arc<Redactor>,
    connected: Mutex<HashMap<IntegrationId, Connected>>,
    known: Mutex<Known>,
}

/// How long an integration is believed without looking again: should the news of a change made by another
/// process be lost, a webhook secret that was replaced there opens nothing here after this.
const KNOWN_FOR: Duration = Duration::from_secs(30);

/// A channel, and the settings it was made from.
type Connected = (Timestamp, Arc<dyn Channel>);

/// Integrations as webhooks found them. The version keeps a row that was read before a change from
/// being remembered after it.
#[derive(Default)]
struct Known {
    version: u64,
    integrations: HashMap<IntegrationId, (Instant, Arc<Integration>)>,
}

/// What a sealed field of an integration opened to.
pub(crate) type Opened = Result<Secret, CipherError>;

impl Channels {
    /// Knows the given vendors; every secret it opens is told to the redactor.
    pub fn new(
        factories: BTreeMap<ChannelType, Arc<dyn ChannelFactory>>,
        cipher: Arc<dyn Cipher>,
        redactor: Arc<Redactor>,
    ) -> Self {
        Self {
            factories,
            cipher,
            redactor,
            connected: Mutex::default(),
            known: Mutex::default(),
        }
    }

    /// The channel behind an integration, connected anew after its settings changed.
    ///
    /// # Errors
    /// `Conflict` for the built-in integration, which has no channel; `Unavailable` when its
    /// settings do not open or do not fit this build any more.
    pub fn connect(&self, integration: &Integration) -> Result<Arc<dyn Channel>, Error> {
        let mut connected = lock(&self.connected);
        if let Some((made, channel)) = connected.get(&integration.id)
            && *made == integration.updated_at
        {
            return Ok(Arc::clone(channel));
        }
        let settings = self.settings(integration)?;
        let channel = self
            .factory(integration.channel)?
            .connect(&settings)
            .map_err(|error| unusable(integration, &error.to_string()))?;
        connected.insert(
            integration.id,
            (integration.updated_at, Arc::clone(&channel)),
        );
        Ok(channel)
    }

    /// A vendor's words without any secret that was opened here: what it says of a failed call may
    /// quote the address of the call, and that may hold the credential.
    pub fn redact(&self, text: &str) -> String {
        self.redactor.redact(text).into_owned()
    }

    /// The same for everything that is text in a JSON value.
    pub fn redact_json(&self, value: &mut Value) {
        self.redactor.redact_json(value);
    }

    /// Drops the channel of an integration that is gone.
    pub(crate) fn disconnect(&self, id: IntegrationId) {
        lock(&self.connected).remove(&id);
    }

    /// An integration by its id alone, from memory when it was asked for before: for webhook paths and
    /// deliveries, which come often and change it never.
    pub async fn integration(
        &self,
        system: &dyn SystemStore,
        id: IntegrationId,
    ) -> Result<Option<Arc<Integration>>, Error> {
        let version = {
            let known = lock(&self.known);
            if let Some((read, integration)) = known.integrations.get(&id)
                && read.elapsed() < KNOWN_FOR
            {
                return Ok(Some(Arc::clone(integration)));
            }
            known.version
        };
        let Some(integration) = system.find_integration(id).await?.map(Arc::new) else {
            return Ok(None);
        };
        let mut known = lock(&self.known);
        if known.version == version {
            known
                .integrations
                .insert(id, (Instant::now(), Arc::clone(&integration)));
        }
        Ok(Some(integration))
    }

    /// How channels of a type are made.
    pub(crate) fn factory(&self, channel: ChannelType) -> Result<&Arc<dyn ChannelFactory>, Error> {
        self.factories.get(&channel).ok_or_else(|| {
            Error::conflict(
                "built_in_integration",
                format!(
                    "the {channel} integration is built in; it cannot be created, changed or deleted"
                ),
            )
        })
    }

    /// Names of the secret fields of a type; none for the built-in one.
    pub(crate) fn secret_fields(&self, channel: ChannelType) -> &'static [&'static str] {
        self.factories
            .get(&channel)
            .map_or(&[], |factory| factory.secret_fields())
    }

    /// Opens one secret field; `None` when it is not set.
    pub(crate) fn open(&self, integration: &Integration, field: &str) -> Option<Opened> {
        let sealed = integration.config.get(field)?.as_str()?;
        let opened = with_place(integration, field, |place| self.cipher.open(place, sealed));
        if let Ok(secret) = &opened {
            self.redactor.learn(secret);
        }
        Some(opened)
    }

    /// The settings as they are stored: public fields as they are, secrets sealed for their place.
    pub(crate) fn seal(&self, integration: &Integration, settings: &ChannelSettings) -> Value {
        let mut config = settings.public.clone();
        for (field, secret) in &settings.secrets {
            self.redactor.learn(secret);
            let sealed = with_place(integration, field, |place| self.cipher.seal(place, secret));
            config.insert(field.clone(), Value::String(sealed));
        }
        Value::Object(config)
    }

    /// The fields of an integration that anybody who reads it may see.
    pub(crate) fn public(&self, integration: &Integration) -> Map<String, Value> {
        let secret = self.secret_fields(integration.channel);
        let mut config = integration.config.as_object().cloned().unwrap_or_default();
        config.retain(|field, _| !secret.contains(&field.as_str()));
        config
    }

    fn settings(&self, integration: &Integration) -> Result<ChannelSettings, Error> {
        let mut secrets = BTreeMap::new();
        for field in self.secret_fields(integration.channel) {
            match self.open(integration, field) {
                None => {}
                Some(Ok(secret)) => {
                    secrets.insert((*field).to_owned(), secret);
                }
                Some(Err(error)) => {
                    return Err(unusable(integration, &format!("{field}: {error}")));
                }
            }
        }
        Ok(ChannelSettings {
            public: self.public(integration),
            secrets,
        })
    }
}

impl CommitListener for Channels {
    /// Forgets which integration a webhook path means, wherever in the deployment it was changed; channels stay
    /// connected until their own settings change.
    fn committed(&self, committed: Committed) {
        if committed.integrations_changed {
            let mut known = lock(&self.known);
            known.version += 1;
            known.integrations.clear();
        }
    }
}

fn with_place<T>(
    integration: &Integration,
    field: &str,
    call: impl FnOnce(SealedPlace<'_>) -> T,
) -> T {
    call(SealedPlace {
        tenant_id: integration.tenant_id,
        table: "integrations",
        column: &format!("config.{field}"),
        row: integration.id.as_uuid(),
    })
}

fn unusable(integration: &Integration, why: &str) -> Error {
    Error::Unavailable {
        message: format!(
            "the integration `{}` cannot be used: {why}",
            integration.name
        ),
        retry_after: None,
    }
}

/// Nothing panics while holding these locks, and what they guard is replaced whole.
fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
