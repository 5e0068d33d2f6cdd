//! The models this server can ask: providers from the settings, prices from the table.

use crate::{
    anthropic::Anthropic,
    demo::{self, Demo},
    endpoint::{Endpoint, Timeouts},
    openai::OpenAi,
    prices::{PriceOverride, Prices, PricesError},
};
use domain::{
    egress::operator_may_call,
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
use reqwest::{
    Client, Url,
    header::{AUTHORIZATION, HeaderMap, HeaderName, HeaderValue},
};
use std::{collections::BTreeMap, net::IpAddr, sync::Arc};

/// Which wire format a provider speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Family {
    /// Anthropic Messages.
    Anthropic,
    /// Chat Completions, as OpenAI and most others serve it.
    OpenAi,
    /// The built-in model without AI.
    Demo,
}

impl Family {
    /// Where the vendor itself serves the format.
    pub const fn default_base_url(self) -> Option<&'static str> {
        match self {
            Self::Anthropic => Some("https://api.anthropic.com"),
            Self::OpenAi => Some("https://api.openai.com/v1"),
            Self::Demo => None,
        }
    }
}

impl From<ProviderKind> for Family {
    fn from(kind: ProviderKind) -> Self {
        match kind {
            ProviderKind::Anthropic => Self::Anthropic,
            ProviderKind::OpenAi => Self::OpenAi,
            ProviderKind::Demo => Self::Demo,
        }
    }
}

impl From<Family> for ProviderKind {
    fn from(family: Family) -> Self {
        match family {
            Family::Anthropic => Self::Anthropic,
            Family::OpenAi => Self::OpenAi,
            Family::Demo => Self::Demo,
        }
    }
}

/// One provider.
pub struct ProviderSettings {
    /// The part before the slash in `provider/model`.
    pub name: String,
    /// What it speaks.
    pub family: Family,
    /// Where it is; the vendor's own address when absent.
    pub base_url: Option<String>,
    /// The key; local servers need none.
    pub api_key: Option<Secret>,
}

impl ProviderSettings {
    /// The built-in `demo` provider, which needs neither key nor network.
    pub fn demo() -> Self {
        Self {
            name: demo::PROVIDER.to_owned(),
            family: Family::Demo,
            base_url: None,
            api_key: None,
        }
    }
}

/// Everything the catalog is built from.
pub struct Settings {
    /// The providers.
    pub providers: Vec<ProviderSettings>,
    /// The model of agents that name none.
    pub default_model: ModelRef,
    /// The operator's own prices, merged over the built-in table.
    pub price_overrides: Vec<PriceOverride>,
    /// How long to wait.
    pub timeouts: Timeouts,
}

/// Settings no catalog can be built from.
#[derive(Debug, thiserror::Error)]
pub enum SettingsError {
    /// Two providers share a name.
    #[error("two model providers are named `{0}`; give each its own name")]
    DuplicateProvider(String),
    /// The base URL is not one.
    #[error("`{url}` of model provider `{provider}` is not an http(s) URL")]
    BaseUrl {
        /// The provider.
        provider: String,
        /// What was given.
        url: String,
    },
    /// The key cannot be sent in a header.
    #[error(
        "the key of model provider `{0}` has characters no key has; is there a line break in it?"
    )]
    Key(String),
    /// The default model needs a provider that is not there.
    #[error("the default model cannot be used: {0}")]
    DefaultModel(UnknownProvider),
    /// The price table or an override is wrong.
    #[error("the model prices cannot be used: {0}")]
    Prices(PricesError),
}

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

/// Refuses an address that is written out in a URL; names are looked at when they are resolved.
fn check_address(url: &str) -> Result<(), InvalidConnection> {
    let Ok(parsed) = Url::parse(url.trim()) else {
        return Ok(());
    };
    if !parsed.username().is_empty() || parsed.password().is_some() || parsed.query().is_some() {
        return Err(InvalidConnection(
            "the base URL must hold neither a user, a password nor a query; give the key as the key".to_owned(),
        ));
    }
    let host = parsed.host_str().unwrap_or_default();
    match host.trim_matches(['[', ']']).parse::<IpAddr>() {
        Ok(address) if !operator_may_call(address) => Err(InvalidConnection(format!(
            "{address} is a link-local or metadata address, which this server never calls; give the address of a \
             model server"
        ))),
        Ok(_) | Err(_) => Ok(()),
    }
}

fn endpoint(
    provider: ProviderSettings,
    client: &Client,
    clock: &Arc<dyn Clock>,
    timeouts: Timeouts,
) -> Result<Endpoint, SettingsError> {
    let ProviderSettings {
        name,
        family,
        base_url,
        api_key,
    } = provider;
    let base = base_url
        .filter(|url| !url.trim().is_empty())
        .unwrap_or_else(|| family.default_base_url().unwrap_or_default().to_owned());
    let url = Url::parse(&full_url(family, &base))
        .ok()
        .filter(|url| matches!(url.scheme(), "http" | "https"))
        .ok_or_else(|| SettingsError::BaseUrl {
            provider: name.clone(),
            url: base,
        })?;
    let key = api_key.filter(|key| !key.is_empty());
    let headers = headers(family, key.as_ref()).ok_or_else(|| SettingsError::Key(name.clone()))?;
    Ok(Endpoint {
        provider: name,
        url,
        headers,
        key,
        client: client.clone(),
        clock: Arc::clone(clock),
        timeouts,
    })
}

/// People write base URLs with and without a final slash, and Anthropic's with and without `/v1`.
fn full_url(family: Family, base: &str) -> String {
    let base = base.trim().trim_end_matches('/');
    match family {
        Family::Anthropic | Family::Demo => {
            let base = base.strip_suffix("/v1").unwrap_or(base);
            format!("{base}/v1/messages")
        }
        Family::OpenAi => format!("{base}/chat/completions"),
    }
}

fn headers(family: Family, key: Option<&Secret>) -> Option<HeaderMap> {
    let mut headers = HeaderMap::new();
    if family == Family::Anthropic {
        let version = HeaderName::from_static("anthropic-version");
        headers.insert(version, HeaderValue::from_static("2023-06-01"));
    }
    if let Some(key) = key {
        let key = key.expose();
        let (name, value) = match family {
            Family::Anthropic | Family::Demo => {
                (HeaderName::from_static("x-api-key"), key.to_owned())
            }
            Family::OpenAi => (AUTHORIZATION, format!("Bearer {key}")),
        };
        let mut value = HeaderValue::from_str(&value).ok()?;
        value.set_sensitive(true);
        headers.insert(name, value);
    }
    Some(headers)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base_urls_may_end_as_people_write_them() {
        for base in ["http://h", "http://h/", "http://h/v1", "http://h/v1/"] {
            assert_eq!(full_url(Family::Anthropic, base), "http://h/v1/messages");
        }
        for base in ["http://h/v1", "http://h/v1/", " http://h/v1 "] {
            assert_eq!(
                full_url(Family::OpenAi, base),
                "http://h/v1/chat/completions"
            );
        }
    }
}
