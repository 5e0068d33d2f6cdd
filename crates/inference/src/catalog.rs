//! The models this server can ask: providers from the settings, prices from the table.

mod address;
mod settings;

pub use settings::{Family, ProviderSettings, Settings, SettingsError};

use crate::{
    anthropic::Anthropic,
    demo::{self, Demo},
    endpoint::Timeouts,
    openai::OpenAi,
    prices::Prices,
};
use address::{check_address, endpoint};
use domain::{
    model::{ModelRef, Price},
    provider::ProviderKind,
    secret::Secret,
};
use ports::{
    clock::Clock,
    inference::{
        Connector, Inference, InvalidConnection, KnownModel, ModelProfile, Models, ProviderFacts,
        ResolvedModel, UnknownProvider,
    },
};
use reqwest::Client;
use std::{collections::BTreeMap, sync::Arc};

/// The configured providers, ready to be asked.
pub struct Catalog {
    providers: BTreeMap<String, Provider>,
    default_model: ModelRef,
    adapters: Adapters,
}

struct Provider {
    facts: ProviderFacts,
    inference: Arc<dyn Inference>,
}

/// What every adapter is built from.
struct Adapters {
    prices: Arc<Prices>,
    client: Client,
    clock: Arc<dyn Clock>,
    timeouts: Timeouts,
}

impl Adapters {
    fn build(&self, provider: ProviderSettings) -> Result<Arc<dyn Inference>, SettingsError> {
        let endpoint = |provider| endpoint(provider, &self.client, &self.clock, self.timeouts);
        let prices = || Arc::clone(&self.prices);
        Ok(match provider.family {
            Family::Demo => Arc::new(Demo::new(Arc::clone(&self.clock))),
            Family::Anthropic => Arc::new(Anthropic::new(endpoint(provider)?, prices())),
            Family::OpenAi => Arc::new(OpenAi::new(endpoint(provider)?, prices())),
        })
    }

    fn profile(&self, family: Family, model: &ModelRef) -> ModelProfile {
        match family {
            Family::Anthropic | Family::OpenAi => {
                self.prices.profile(model.provider(), model.name())
            }
            Family::Demo => ModelProfile {
                price: Price::default(),
                context_tokens: 200_000,
                max_output_tokens: 8_192,
                thinking_tokens: None,
            },
        }
    }
}

impl Catalog {
    /// Builds every adapter over the shared client. The client should follow no redirects (a key in
    /// a header would follow too) and connect within [`crate::CONNECT_TIMEOUT`].
    pub fn new(
        settings: Settings,
        client: &Client,
        clock: &Arc<dyn Clock>,
    ) -> Result<Self, SettingsError> {
        let prices = Prices::new(settings.price_overrides).map_err(SettingsError::Prices)?;
        let adapters = Adapters {
            prices: Arc::new(prices),
            client: client.clone(),
            clock: Arc::clone(clock),
            timeouts: settings.timeouts,
        };
        let mut providers = BTreeMap::new();
        for provider in settings.providers {
            let name = provider.name.clone();
            let facts = ProviderFacts {
                name: name.clone(),
                kind: provider.family.into(),
                base_url: provider.base_url.clone(),
                has_key: provider.api_key.is_some(),
            };
            let inference = adapters.build(provider)?;
            if providers
                .insert(name.clone(), Provider { facts, inference })
                .is_some()
            {
                return Err(SettingsError::DuplicateProvider(name));
            }
        }
        let catalog = Self {
            providers,
            default_model: settings.default_model,
            adapters,
        };
        let default = catalog.resolve(&catalog.default_model);
        default.map_err(SettingsError::DefaultModel)?;
        Ok(catalog)
    }
}

impl Models for Catalog {
    fn default_model(&self) -> ModelRef {
        self.default_model.clone()
    }

    fn resolve(&self, model: &ModelRef) -> Result<ResolvedModel, UnknownProvider> {
        let Some(provider) = self.providers.get(model.provider()) else {
            return Err(UnknownProvider {
                provider: model.provider().to_owned(),
                configured: self.providers(),
            });
        };
        Ok(ResolvedModel {
            model: model.clone(),
            profile: self.adapters.profile(provider.facts.kind.into(), model),
            inference: Arc::clone(&provider.inference),
        })
    }

    fn providers(&self) -> Vec<String> {
        self.providers.keys().cloned().collect()
    }
}

impl Connector for Catalog {
    fn own(&self) -> Vec<ProviderFacts> {
        let facts = |provider: &Provider| provider.facts.clone();
        self.providers.values().map(facts).collect()
    }

    fn connect(
        &self,
        provider: &ProviderFacts,
        key: Option<Secret>,
    ) -> Result<Arc<dyn Inference>, InvalidConnection> {
        if let Some(url) = &provider.base_url {
            check_address(url)?;
        }
        let settings = ProviderSettings {
            name: provider.name.clone(),
            family: provider.kind.into(),
            base_url: provider.base_url.clone(),
            api_key: key,
        };
        self.adapters
            .build(settings)
            .map_err(|error| InvalidConnection(error.to_string()))
    }

    fn profile(&self, kind: ProviderKind, model: &ModelRef) -> ModelProfile {
        self.adapters.profile(kind.into(), model)
    }

    /// What the vendor serves at its own address, and what the operator named a price for.
    fn known(&self, provider: &ProviderFacts) -> Vec<KnownModel> {
        let prices = &self.adapters.prices;
        let mut names = match (provider.kind, &provider.base_url) {
            (ProviderKind::Demo, _) => vec![demo::MODEL],
            (ProviderKind::Anthropic, None) => prices.names(|name| name.starts_with("claude-")),
            (ProviderKind::OpenAi, None) => prices.names(|name| !name.starts_with("claude-")),
            (ProviderKind::Anthropic | ProviderKind::OpenAi, Some(_)) => Vec::new(),
        };
        let default = &self.default_model;
        let is_default = default.provider() == provider.name;
        let of_operator = prices.overridden(&provider.name);
        for name in of_operator.chain(is_default.then_some(default.name())) {
            if !names.contains(&name) {
                names.push(name);
            }
        }
        let full = names
            .into_iter()
            .filter_map(|name| ModelRef::parse(&format!("{}/{name}", provider.name)).ok());
        full.map(|model| KnownModel {
            profile: self.adapters.profile(provider.kind.into(), &model),
            priced: provider.kind == ProviderKind::Demo
                || prices.knows(model.provider(), model.name()),
            model,
        })
        .collect()
    }
}
