//! What the catalog is built from, and why it cannot be. Plain data: who reads the environment fills it in.

use crate::{
    demo,
    endpoint::Timeouts,
    prices::{PriceOverride, PricesError},
};
use domain::{model::ModelRef, provider::ProviderKind, secret::Secret};
use ports::inference::UnknownProvider;

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
