//! The models this server can ask: providers from the settings, prices from the table.

use crate::{
    anthropic::Anthropic,
    demo::{self, Demo},
    endpoint::{Endpoint, Timeouts},
    openai::OpenAi,
    prices::{PriceOverride, Prices, PricesError},
};
use domain::{
    model::{ModelRef, Price},
    secret::Secret,
};
use ports::{
    clock::Clock,
    inference::{Inference, ModelProfile, Models, ResolvedModel, UnknownProvider},
};
use reqwest::{
    Client, Url,
    header::{AUTHORIZATION, HeaderMap, HeaderName, HeaderValue},
};
use std::{collections::BTreeMap, sync::Arc};

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
    prices: Arc<Prices>,
}

struct Provider {
    family: Family,
    inference: Arc<dyn Inference>,
}

impl Catalog {
    /// Builds every adapter over the shared client. The client should follow no redirects (a key in
    /// a header would follow too) and connect within [`crate::CONNECT_TIMEOUT`].
    pub fn new(
        settings: Settings,
        client: &Client,
        clock: &Arc<dyn Clock>,
    ) -> Result<Self, SettingsError> {
        let prices =
            Arc::new(Prices::new(settings.price_overrides).map_err(SettingsError::Prices)?);
        let mut providers = BTreeMap::new();
        for provider in settings.providers {
            let name = provider.name.clone();
            let family = provider.family;
            let endpoint = |p| endpoint(p, client, clock, settings.timeouts);
            let inference: Arc<dyn Inference> = match family {
                Family::Demo => Arc::new(Demo::new(Arc::clone(clock))),
                Family::Anthropic => {
                    Arc::new(Anthropic::new(endpoint(provider)?, Arc::clone(&prices)))
                }
                Family::OpenAi => Arc::new(OpenAi::new(endpoint(provider)?, Arc::clone(&prices))),
            };
            let entry = Provider { family, inference };
            if providers.insert(name.clone(), entry).is_some() {
                return Err(SettingsError::DuplicateProvider(name));
            }
        }
        let catalog = Self {
            providers,
            default_model: settings.default_model,
            prices,
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
        let profile = match provider.family {
            Family::Anthropic | Family::OpenAi => {
                self.prices.profile(model.provider(), model.name())
            }
            Family::Demo => ModelProfile {
                price: Price::default(),
                context_tokens: 200_000,
                max_output_tokens: 8_192,
                thinking_tokens: None,
            },
        };
        Ok(ResolvedModel {
            model: model.clone(),
            profile,
            inference: Arc::clone(&provider.inference),
        })
    }

    fn providers(&self) -> Vec<String> {
        self.providers.keys().cloned().collect()
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
