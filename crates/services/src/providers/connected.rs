//! Connections to the providers that people added. Opens sealed keys, and keeps what it connected until the settings
//! change. Does no I/O itself.

use super::{facts, resolve::ModelProblem};
use domain::{
    Timestamp,
    id::ProviderId,
    model::ModelRef,
    provider::{Provider, ProviderKind},
    secret::{Redactor, Secret},
};
use ports::{
    cipher::{Cipher, SealedPlace},
    inference::{Connector, Inference, InvalidConnection, KnownModel, ModelProfile, ProviderFacts},
};
use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

/// Connections that are kept, at most; they are cheap to make again.
const MOST: usize = 256;

/// A connection, and the settings it was made from.
type Connected = (Timestamp, Arc<dyn Inference>);

/// Connected providers, and how to connect more.
pub struct Providers {
    connector: Arc<dyn Connector>,
    cipher: Arc<dyn Cipher>,
    redactor: Arc<Redactor>,
    connected: Mutex<HashMap<ProviderId, Connected>>,
}

impl Providers {
    /// Every key it opens is told to the redactor.
    pub fn new(
        connector: Arc<dyn Connector>,
        cipher: Arc<dyn Cipher>,
        redactor: Arc<Redactor>,
    ) -> Self {
        Self {
            connector,
            cipher,
            redactor,
            connected: Mutex::default(),
        }
    }

    /// The provider, ready to be asked, connected anew after its settings changed.
    pub(super) fn connect(&self, provider: &Provider) -> Result<Arc<dyn Inference>, ModelProblem> {
        if let Some((made, inference)) = self.lock().get(&provider.id)
            && *made == provider.updated_at
        {
            return Ok(Arc::clone(inference));
        }
        let unusable = |why: String| ModelProblem::Unusable {
            provider: provider.name.to_string(),
            why,
        };
        let key = match &provider.api_key {
            None => None,
            Some(sealed) => {
                let opened = self.cipher.open(place(provider), sealed);
                Some(opened.map_err(|error| unusable(format!("api_key: {error}")))?)
            }
        };
        if let Some(key) = &key {
            self.redactor.learn(key);
        }
        let inference = self
            .connector
            .connect(&facts(provider), key)
            .map_err(|error| unusable(error.to_string()))?;
        let mut connected = self.lock();
        if connected.len() >= MOST {
            connected.clear();
        }
        connected.insert(provider.id, (provider.updated_at, Arc::clone(&inference)));
        Ok(inference)
    }

    /// Whether a provider can be connected.
    pub(super) fn check(
        &self,
        provider: &ProviderFacts,
        key: Option<&Secret>,
    ) -> Result<(), InvalidConnection> {
        self.connector.connect(provider, key.cloned()).map(drop)
    }

    /// The key as it is stored.
    pub(super) fn seal(&self, provider: &Provider, key: &Secret) -> String {
        self.redactor.learn(key);
        self.cipher.seal(place(provider), key)
    }

    /// Drops the connection to a provider that is gone.
    pub(super) fn disconnect(&self, id: ProviderId) {
        self.lock().remove(&id);
    }

    /// A provider's words without any key that was opened here.
    pub(super) fn redact(&self, text: &str) -> String {
        self.redactor.redact(text).into_owned()
    }

    /// The providers of the environment, by name.
    pub(crate) fn own(&self) -> Vec<ProviderFacts> {
        self.connector.own()
    }

    /// The models a provider is known to serve.
    pub(crate) fn known(&self, provider: &ProviderFacts) -> Vec<KnownModel> {
        self.connector.known(provider)
    }

    pub(super) fn profile(&self, kind: ProviderKind, model: &ModelRef) -> ModelProfile {
        self.connector.profile(kind, model)
    }

    /// Nothing panics while holding this lock, and what it guards is replaced whole.
    fn lock(&self) -> MutexGuard<'_, HashMap<ProviderId, Connected>> {
        self.connected
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

fn place(provider: &Provider) -> SealedPlace<'_> {
    SealedPlace {
        tenant_id: provider.tenant_id,
        table: "providers",
        column: "api_key",
        row: provider.id.as_uuid(),
    }
}
